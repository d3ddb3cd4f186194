import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { clearBedOf } from '../../lib/jobs/changes';
import { submitJob } from '../../lib/jobs/submit';
import { tick } from '../../lib/jobs/tick';
import { storeFile } from '../../lib/shared-files/take-file';
import { writeBox } from '../support/models';
import { OwnDatabase } from '../support/own-database';
import { defaultPrinters, SimulatedFarm } from '../support/simulated-farm';

/** The state of the attempt in the backup, whatever the printer does: the statements that produce it. */
const backups: Record<'printing' | 'claimed' | 'dispatched', string[]> = {
  printing: [],
  claimed: [
    `UPDATE printers SET bed_state = 'clear', bed_cause = NULL, bed_attempt_id = NULL WHERE bed_attempt_id IS NOT NULL`,
    `UPDATE print_attempts SET phase = 'claimed', gcode_sha256 = NULL, gcode_md5 = NULL, gcode_size = NULL, start_intent_at = NULL,
       started_at = NULL`,
    `UPDATE print_jobs SET status = 'slicing', started_at = NULL`,
  ],
  dispatched: [
    `UPDATE printers SET bed_state = 'clear', bed_cause = NULL, bed_attempt_id = NULL WHERE bed_attempt_id IS NOT NULL`,
    `UPDATE print_attempts SET phase = 'dispatched', fence = NULL, lease_owner = NULL, lease_until = NULL, start_intent_at = NULL,
       started_at = NULL`,
    `UPDATE print_jobs SET status = 'scheduled', started_at = NULL`,
  ],
};

describe('A farm whose database is restored', () => {
  for (const { id: printer, make } of defaultPrinters) {
    for (const [phase, edits] of Object.entries(backups)) {
      it(`starts nothing twice on a ${make} printer, from a backup in which the print was "${phase}"`, async () => {
        const own = await new OwnDatabase().create();
        const farm = new SimulatedFarm({
          printers: [printer],
          speed: 500,
          farm: { databaseUrl: await own.url(), schema: 'public' },
        });
        try {
          await farm.start();
          await farm.online();
          const model = writeBox(join(farm.directory, 'models', 'box.stl'), 20, 20, 20);
          const { stl_path } = await storeFile(farm.farm, createReadStream(model), 'box.stl');
          const body = { job_name: 'box', stl_path, material_id: 'pla_black_esun' };
          const { job_id } = await submitJob(farm.farm, body, 'test');
          const starts = (): number => farm.truth(printer).filter(({ event }) => event === 'start').length;

          await farm.until(job_id, 'printing');
          await farm.stopFarm();
          const backup = await own.backUp();
          // No farm makes this transition, so the schema would reject it.
          await own.query(['SET session_replication_role = replica', ...edits].join(';'), backup);
          await farm.startFarm();
          await farm.until(job_id, 'completed');
          await farm.stopFarm();
          assert.equal(starts(), 1);

          await own.putBack(backup);
          await farm.startFarm();
          assert.ok(farm.log.some((line) => line.includes('it was restored')));
          if (phase === 'dispatched') {
            const job = await farm.until(job_id, 'queued');
            assert.equal(job['hold'], true);
          } else {
            // The printer itself reports its outcome.
            const job = await farm.until(job_id, 'completed');
            assert.ok(
              job.history.some(({ reason }) => /^outcome_unknown: the database was restored/.test(reason ?? '')),
            );
          }
          // The operator inspects the bed, and everything that may start now does.
          await farm.online();
          await clearBedOf(farm.farm, printer, {}, 'operator');
          assert.deepEqual((await tick(farm.farm, undefined, 'scheduler')).assignments, []);
          assert.equal(starts(), 1);
        } finally {
          await farm.stop();
          await own.drop();
        }
      });
    }
  }
});
