import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cancelJob } from '../../lib/jobs/cancel';
import { clearBedOf, deadLetters, hold, replay, reprioritise } from '../../lib/jobs/changes';
import { pauseOrResume } from '../../lib/jobs/pause';
import { submitJob } from '../../lib/jobs/submit';
import { ConflictError } from '../../lib/model/errors';
import type { Moment } from '../../lib/model/moments';
import { storeFile } from '../../lib/shared-files/take-file';
import { findPrinter } from '../../lib/store/printers';
import { jobDetail, printers, queue } from '../../lib/views/queries';
import { writeBox } from '../support/models';
import { defaultPrinters, SimulatedFarm } from '../support/simulated-farm';

const terminal = ['completed', 'failed', 'cancelled'];
const path = ['queued', 'scheduled', 'slicing', 'uploading', 'printing', 'completed'];

async function upload(farm: SimulatedFarm, edge = 10): Promise<string> {
  const model = writeBox(join(farm.directory, 'models', `box-${edge}.stl`), edge, edge, edge);
  return (await storeFile(farm.farm, createReadStream(model), 'box.stl')).stl_path;
}

async function submit(farm: SimulatedFarm, more: Record<string, unknown> = {}): Promise<string> {
  const body = { job_name: 'box', stl_path: await upload(farm), material_id: 'pla_black_esun', ...more };
  return (await submitJob(farm.farm, body, 'test')).job_id;
}

const starts = (farm: SimulatedFarm, id: string): number =>
  farm.truth(id).filter((line) => line.event === 'start').length;

for (const { id: printer } of defaultPrinters) {
  describe(`A job on ${printer}`, () => {
    let farm: SimulatedFarm;
    beforeEach(async () => {
      farm = await new SimulatedFarm({ printers: [printer], speed: 500 }).start();
      await farm.online();
    });
    afterEach(async () => {
      await farm.stop();
    });

    it('goes through its whole life, once, and leaves its record', async () => {
      const job = await farm.until(await submit(farm), (one) => terminal.includes(String(one['status'])));
      assert.deepEqual(
        job.history.map((line) => line.to_status),
        path,
        JSON.stringify(job.history),
      );
      for (const line of job.history) {
        assert.ok(line.changed_at && line.changed_by && line.reason, JSON.stringify(line));
      }
      assert.equal(job.attempts.length, 1);
      assert.equal(job.attempts[0]?.outcome, 'completed');
      assert.equal(starts(farm, printer), 1);
      const sent = createHash('sha256')
        .update(readFileSync(String(job['gcode_path'])))
        .digest('hex');
      assert.equal(farm.truth(printer).find((line) => line.event === 'upload')?.sha256, sent);
      assert.ok(Number(job['actual_cost_usd']) > 0);
      assert.ok(job['actual_duration_hours'] !== null);
      const { rows } = await farm.farm.database.query<{ outcome: string; grams: number }>(
        'SELECT outcome, grams FROM print_outcomes WHERE id = $1',
        [job['outcome_id']],
      );
      assert.equal(rows[0]?.outcome, 'completed');
      assert.ok((rows[0]?.grams ?? 0) > 0);
      const slots = (await printers(farm.farm)).printers.find((one) => one.printer_id === printer)?.slots;
      assert.equal(slots?.[0]?.grams_left, 1000 - (rows[0]?.grams ?? 0));
    });

    it('waits for the bed to be cleared, reports it, and does so after a restart too', async () => {
      await farm.until(await submit(farm), 'completed');
      const second = await submit(farm);
      farm.schedule();
      assert.match(String((await jobDetail(farm.farm, second)).waiting_reason), /bed .* must be cleared/);
      await farm.stopFarm();
      await farm.startFarm();
      await farm.online();
      // The plan from before the printer came back still stands for a moment.
      const waiting = await farm.until(second, (one) => /must be cleared/.test(String(one['waiting_reason'])));
      assert.equal(waiting['status'], 'queued');
      assert.equal(waiting['estimated_start_time'], null);
      const version = (await findPrinter(farm.farm.database, printer)).bedVersion;
      await assert.rejects(clearBedOf(farm.farm, printer, { bed_version: version - 1 }, 'operator'), ConflictError);
      await clearBedOf(farm.farm, printer, { bed_version: version }, 'operator');
      await farm.until(second, 'completed');
      assert.equal(starts(farm, printer), 2);
    });

    it('is adopted when the farm restarts during its print', async () => {
      const id = await submit(farm, { stl_path: await upload(farm, 30) });
      await farm.until(id, 'printing');
      await farm.stopFarm();
      await farm.startFarm();
      const job = await farm.until(id, (one) => terminal.includes(String(one['status'])));
      assert.equal(job['status'], 'completed');
      assert.deepEqual(
        job.history.map((line) => line.to_status),
        path,
      );
      assert.equal(job.attempts.length, 1);
      assert.equal(starts(farm, printer), 1);
    });

    it('is cancelled during its print: the printer really stops', async () => {
      const id = await submit(farm, { stl_path: await upload(farm, 60) });
      await farm.until(id, 'printing');
      await assert.rejects(clearBedOf(farm.farm, printer, {}, 'operator'), /is printing/);
      const answer = await cancelJob(farm.farm, id, 'operator');
      assert.ok(answer.done);
      assert.equal(answer.status, 'cancelled');
      assert.ok(farm.truth(printer).some((line) => line.event === 'stopped'));
      assert.deepEqual(await cancelJob(farm.farm, id, 'operator'), answer);
      assert.equal((await findPrinter(farm.farm.database, printer)).bedState, 'occupied');
    });

    it('is paused and resumed on request, and finishes', async () => {
      const id = await submit(farm, { stl_path: await upload(farm, 30) });
      await assert.rejects(pauseOrResume(farm.farm, printer, 'pause', 'ada'), ConflictError);
      await farm.until(id, 'printing');
      while ((await findPrinter(farm.farm.database, printer)).report?.state !== 'printing') await pause(50);
      assert.deepEqual(await pauseOrResume(farm.farm, printer, 'pause', 'ada'), {
        printer_id: printer,
        state: 'paused',
        done: true,
      });
      assert.equal((await pauseOrResume(farm.farm, printer, 'resume', 'ada')).done, true);
      await farm.until(id, 'completed');
    });

    // Moonraker keeps its history through a power cut, so it can report the print.
    if (printer !== 'elegoo_giga') {
      it('treats the bed of a printer without memory as unknown', async () => {
        const simulator = farm.simulators.get(printer);
        const occupied = async (): Promise<void> => {
          while ((await findPrinter(farm.farm.database, printer)).bedState !== 'occupied') await pause(20);
        };
        await farm.until(await submit(farm), 'completed');
        await simulator?.powerCycle();
        await occupied();
        while ((await findPrinter(farm.farm.database, printer)).report?.job !== null) await pause(20);
        await clearBedOf(farm.farm, printer, {}, 'operator');
        await farm.stopFarm();
        simulator?.startForeignJob('theirs.gcode', 60);
        await simulator?.powerCycle();
        await farm.startFarm();
        await occupied();
        const id = await submit(farm);
        farm.schedule();
        assert.match(String((await jobDetail(farm.farm, id)).waiting_reason), /not ours|no operator has confirmed/);
      });
    }

    it('does not start on a bed that a foreign print occupies', async () => {
      farm.simulators.get(printer)?.startForeignJob('theirs.gcode', 2);
      let ended: string | undefined;
      for (;;) {
        ended ??= farm.truth(printer).find((line) => line.event === 'finished')?.at;
        const { bedCause, report } = await findPrinter(farm.farm.database, printer);
        // The bed is occupied before the report of it is stored: an older one may still show idle.
        const seen = ended !== undefined && report !== null && report.at >= ended;
        if (seen && bedCause === 'foreign' && report.state === 'idle') break;
        await pause(20);
      }
      const id = await submit(farm);
      farm.schedule();
      assert.match(String((await jobDetail(farm.farm, id)).waiting_reason), /not ours/);
      await clearBedOf(farm.farm, printer, {}, 'operator');
      await farm.until(id, 'completed');
      assert.equal(starts(farm, printer), 1);
    });
  });
}

describe('A slot in which the printer detects another filament than is booked', () => {
  const printer = 'bamboo_h2d';
  let farm: SimulatedFarm;
  const attempts = channel('platewise:attempt');
  const load = (material: string) => farm.simulators.get(printer)?.load('ams0-0', material);
  const seen = async (material: string): Promise<void> => {
    for (;;) {
      const { report } = await findPrinter(farm.farm.database, printer);
      if (report?.slots.some(({ slot, materialType }) => slot === 'ams0-0' && materialType === material)) return;
      await pause(20);
    }
  };
  beforeEach(async () => {
    farm = await new SimulatedFarm({ printers: [printer], speed: 500 }).start();
    await farm.online();
  });
  afterEach(async () => {
    await farm.stop();
  });

  it('is not printed from, and reports it until an operator has corrected it', async () => {
    load('petg_black_esun');
    await seen('PETG');
    const id = await submit(farm);
    farm.schedule();
    assert.match(
      String((await jobDetail(farm.farm, id)).waiting_reason),
      /slot ams0-0 of .* is booked with .* reports PETG/,
    );
    assert.equal(starts(farm, printer), 0);
    load('pla_black_esun');
    await farm.until(id, 'completed');
  });

  it('is detected even between the intent to start and the start', async () => {
    let swapped = false;
    const swap = (message: unknown): void => {
      if ((message as { moment: Moment }).moment !== 'starting:after' || swapped) return;
      swapped = true;
      load('petg_black_esun');
    };
    attempts.subscribe(swap);
    try {
      const id = await submit(farm);
      const job = await farm.until(id, (one) => one.attempts[0]?.outcome === 'withdrawn');
      assert.match(String(job['status_reason']), /reports PETG in slot ams0-0, not PLA/);
      assert.equal(starts(farm, printer), 0);
      load('pla_black_esun');
      await farm.until(id, 'completed');
      assert.equal(starts(farm, printer), 1);
    } finally {
      attempts.unsubscribe(swap);
    }
  });
});

describe('A print that ended unobserved', () => {
  it('is charged the sliced amount, although the printer has been switched off since and counts nothing', async () => {
    const printer = 'elegoo_giga';
    const farm = await new SimulatedFarm({ printers: [printer], speed: 500 }).start();
    try {
      await farm.online();
      const id = await submit(farm);
      await farm.until(id, 'printing');
      await farm.stopFarm();
      while (!farm.truth(printer).some(({ event }) => event === 'finished')) await pause(20);
      await farm.simulators.get(printer)?.powerCycle();
      await farm.startFarm();
      await farm.until(id, 'completed');
      const { rows } = await farm.farm.database.query<{ grams: number; sliced: number }>(
        `SELECT o.grams, a.estimated_grams AS sliced FROM print_outcomes o JOIN print_attempts a ON a.id = o.attempt_id
         WHERE o.job_id = $1`,
        [id],
      );
      assert.equal(rows.length, 1);
      assert.ok((rows[0]?.grams ?? 0) > 0);
      assert.equal(rows[0]?.grams, rows[0]?.sliced);
    } finally {
      await farm.stop();
    }
  });
});

describe('The queue', () => {
  let farm: SimulatedFarm;
  beforeEach(async () => {
    farm = await new SimulatedFarm({ printers: ['elegoo_giga'], speed: 500 }).start();
    await farm.online();
  });
  afterEach(async () => {
    await farm.stop();
  });

  it('cancels a job that has not started without sending anything', async () => {
    const id = await submit(farm, { hold: true });
    const answer = await cancelJob(farm.farm, id, 'operator');
    assert.ok(answer.done);
    const job = await jobDetail(farm.farm, id);
    assert.deepEqual(
      job.history.map((line) => line.to_status),
      ['queued', 'cancelled'],
    );
    assert.equal(starts(farm, 'elegoo_giga'), 0);
    await assert.rejects(reprioritise(farm.farm, id, { priority: 1 }, 'operator'), ConflictError);
  });

  it('holds a job without holding up the next, and releases it', async () => {
    const held = await submit(farm, { hold: true, priority: 1 });
    const next = await submit(farm);
    await farm.until(next, 'completed');
    assert.equal((await jobDetail(farm.farm, held))['status'], 'queued');
    await hold(farm.farm, held, false, 'operator');
    await clearBedOf(farm.farm, 'elegoo_giga', {}, 'operator');
    await farm.until(held, 'completed');
  });

  it('shows positions in the order of the plan and counts unfinished jobs', async () => {
    const first = await submit(farm, { hold: true, priority: 5 });
    const second = await submit(farm, { hold: true, priority: 5 });
    await reprioritise(farm.farm, second, { priority: 1 }, 'operator');
    const view = await queue(farm.farm, {});
    assert.equal(view.total_jobs, 2);
    assert.equal(view.queued, 2);
    assert.deepEqual(
      view.jobs.map((job) => [job.job_id, job.queue_position]),
      [
        [second, 1],
        [first, 2],
      ],
    );
    const page = await queue(farm.farm, { limit: '1' });
    assert.equal(page.jobs[0]?.job_id, second);
    const rest = await queue(farm.farm, { limit: '1', cursor: page.next_cursor });
    assert.deepEqual(
      rest.jobs.map((job) => job.job_id),
      [first],
    );
    assert.equal(rest.next_cursor, null);
  });

  it('prints a file that another site received: the agent fetches it through the database', async () => {
    const id = await submit(farm, { hold: true });
    rmSync(join(farm.directory, 'files'), { recursive: true });
    await hold(farm.farm, id, false, 'operator');
    const job = await farm.until(id, (one) => terminal.includes(String(one['status'])));
    assert.equal(job['status'], 'completed', JSON.stringify(job.history));
  });

  it('prints every copy, one bed clearance each', async () => {
    const id = await submit(farm, { copies: 2 });
    await farm.until(id, (job) => job['copies_done'] === 1);
    await clearBedOf(farm.farm, 'elegoo_giga', {}, 'operator');
    const job = await farm.until(id, 'completed');
    assert.equal(job['copies_done'], 2);
    assert.deepEqual(
      job.attempts.map((attempt) => attempt.copy),
      [1, 2],
    );
    assert.equal(starts(farm, 'elegoo_giga'), 2);
  });

  it('gives up a failed print without retries, and replays it on request', async () => {
    await farm.simulators.get('elegoo_giga')?.setFault('print_fails', { times: 1 });
    const id = await submit(farm, { max_retries: 0 });
    const failed = await farm.until(id, 'failed');
    assert.equal(failed.attempts[0]?.outcome, 'failed');
    const letters = (await deadLetters(farm.farm)).dead_letters as { id: string; job_id: string; reason: string }[];
    const letter = letters.find((one) => one.job_id === id);
    assert.match(letter?.reason ?? '', /failed/);
    await replay(farm.farm, letter?.id ?? '', 'operator');
    await replay(farm.farm, letter?.id ?? '', 'operator');
    await clearBedOf(farm.farm, 'elegoo_giga', {}, 'operator');
    const job = await farm.until(id, 'completed');
    assert.equal(job['retry_count'], 0);
    assert.ok(job.history.some((line) => line.reason === 'replayed' && line.changed_by === 'operator'));
  });
});
