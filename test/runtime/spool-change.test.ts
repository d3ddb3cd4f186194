import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { submitJob } from '../../lib/jobs/submit';
import { storeFile } from '../../lib/shared-files/take-file';
import { addSpool, changeSlot } from '../../lib/stock/spools';
import { fixture } from '../fixtures';
import { SimulatedFarm } from '../support/simulated-farm';

const pla = 'pla_black_esun';

describe('A spool that runs out during a print', () => {
  let farm: SimulatedFarm;
  afterEach(() => farm.stop());

  // The Giga counts the filament; of an H2D only the progress is known.
  for (const [id, slot] of [
    ['elegoo_giga', 'extruder'],
    ['bamboo_h2d', 'ams0-0'],
  ] as const) {
    it(`and its replacement share the grams of the print on ${id}`, async () => {
      farm = await new SimulatedFarm({ printers: [id], speed: 240 }).start();
      await farm.online();
      const simulator = farm.simulators.get(id);
      await simulator?.setFault('runout', { on: true });
      const { stl_path } = await storeFile(
        farm.farm,
        createReadStream(fixture('models/20mm-xyz-cube.stl')),
        'cube.stl',
      );
      const { job_id } = await submitJob(farm.farm, { job_name: 'cube', stl_path, material_id: pla }, 'test');
      await farm.until(job_id, ({ status_reason }) => /^paused:/.test(String(status_reason)));
      const { spool_id } = await addSpool(farm.farm, { material_id: pla, grams: 1000 });
      simulator?.load(slot, pla);
      await changeSlot(farm.farm, id, slot, { spool_id });
      simulator?.resumeAtScreen();
      await farm.until(job_id, 'completed');
      const { rows } = await farm.farm.database.query<{ spool_id: string; grams: number; recorded: number }>(
        `SELECT d.spool_id, d.grams, o.grams AS recorded FROM spool_deductions d JOIN print_outcomes o USING (attempt_id)
         ORDER BY d.spool_id = $1`,
        [spool_id],
      );
      const [first, next] = rows;
      assert.equal(rows.length, 2);
      assert.ok(first && next && next.spool_id === spool_id);
      const { recorded } = first;
      assert.equal(Math.round((first.grams + next.grams) * 100), Math.round(recorded * 100));
      // It ran out halfway through the printing time, which is only roughly halfway through the filament.
      const share = first.grams / recorded;
      assert.ok(share > 0.3 && share < 0.7, `${first.grams} g of ${recorded} g`);
    });
  }
});
