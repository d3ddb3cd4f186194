import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closePrinter } from '../../lib/beds/closures';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { jobId, printerId } from '../../lib/model/ids';
import { currentPlan } from '../../lib/schedule/plan';
import { tendDispatches } from '../../lib/services/maintenance/dispatches';
import { OutboxRelay } from '../../lib/services/relay';
import { attemptsOf } from '../../lib/store/attempts';
import { lockPrinter, storeReport } from '../../lib/store/printers';
import { addJob, idle, makeReady, openBareFarm } from '../support/bare-farm';

const printers = ['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan'].map(printerId);

describe('The tick', () => {
  let farm: Farm;
  let other: Farm;
  beforeEach(async () => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`;
    farm = await openBareFarm({ schema });
    other = await openBareFarm({ schema });
    await makeReady(farm);
  });
  afterEach(async () => {
    await farm.database.query(`DROP SCHEMA ${farm.database.schema} CASCADE`);
    await other.close();
    await farm.close();
  });

  it('executes the plan: attempt, status, history and dispatch in one transaction', async () => {
    const id = await addJob(farm, 'one');
    const { assignments } = await tick(farm, undefined, 'scheduler');
    assert.deepEqual(
      assignments.map((one) => [one.jobId, one.status]),
      [[id, 'scheduled']],
    );
    const [attempt] = await attemptsOf(farm.database, id);
    assert.equal(attempt?.phase, 'dispatched');
    const { rows } = await farm.database.query<{ kind: string; routing_key: string; message_id: string }>(
      `SELECT kind, routing_key, message_id FROM outbox WHERE kind = 'dispatch'`,
    );
    assert.deepEqual(rows, [
      { kind: 'dispatch', routing_key: `fabrication.jobs.${attempt?.printerId}`, message_id: attempt?.messageId },
    ]);
  });

  it('never assigns a job or a printer twice, with two concurrent schedulers', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, index) => addJob(farm, `job ${index}`)));
    const plan = await currentPlan(farm);
    const results = await Promise.all([farm, other, farm, other].map((one) => tick(one, plan, 'scheduler')));
    const assignments = results.flatMap((result) => result.assignments);
    assert.equal(assignments.length, 3);
    assert.equal(new Set(assignments.map((one) => one.printerId)).size, 3);
    assert.equal(new Set(assignments.map((one) => one.jobId)).size, 3);
    const { rows } = await farm.database.query<{ count: number }>(`SELECT count(*) FROM print_attempts`);
    assert.equal(rows[0]?.count, 3);
    assert.equal(ids.length, 12);
  });

  for (const table of ['printers', 'print_jobs'] as const) {
    it(`skips rows that another transaction has locked (${table}), and starts the rest`, async () => {
      const ids = await Promise.all(printers.map((id, index) => addJob(farm, `job ${index}`, { forcePrinter: id })));
      const plan = await currentPlan(farm);
      const locked = table === 'printers' ? printers[1] : ids[1];
      const forgetful = await farm.database.connect();
      try {
        await forgetful.query('BEGIN');
        await forgetful.query(`SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`, [locked]);
        const { assignments, refused } = await tick(farm, plan, 'scheduler');
        assert.deepEqual(assignments.map(({ printerId: id }) => id).sort(), [printers[0], printers[2]]);
        assert.deepEqual(
          refused.map(({ printerId: id }) => id),
          [printers[1]],
        );
        assert.match(refused[0]?.reason ?? '', /is being changed by another transaction/);
      } finally {
        await forgetful.query('ROLLBACK');
        await forgetful.end();
      }
      assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 1, 'it starts when the lock is gone');
    });
  }

  it('withdraws one dispatch although the job of another is locked', async () => {
    const ids = await Promise.all(printers.map((id, index) => addJob(farm, `job ${index}`, { forcePrinter: id })));
    await tick(farm, undefined, 'scheduler');
    for (const id of printers)
      await storeReport(farm.database, id, { connected: false, problem: 'gone', report: undefined });
    await farm.database.query(`UPDATE print_attempts SET dispatched_at = now() - interval '10 seconds'`);
    const forgetful = await farm.database.connect();
    try {
      await forgetful.query('BEGIN');
      await forgetful.query('SELECT 1 FROM print_jobs WHERE id = $1 FOR UPDATE', [ids[0]]);
      await tendDispatches(farm);
      const phases = await Promise.all(ids.map(async (id) => (await attemptsOf(farm.database, id))[0]?.phase));
      assert.deepEqual(phases, ['dispatched', 'ended', 'ended']);
    } finally {
      await forgetful.query('ROLLBACK');
      await forgetful.end();
    }
  });

  it('rejects a line that no longer holds, with the reason', async () => {
    const id = await addJob(farm, 'one');
    const plan = await currentPlan(farm);
    const line = plan.lines[0];
    assert.ok(line?.ready);
    await storeReport(farm.database, line.printerId, {
      connected: true,
      problem: null,
      report: { ...idle, state: 'printing' },
    });
    const { assignments, refused } = await tick(farm, plan, 'scheduler');
    assert.deepEqual(assignments, []);
    assert.equal(refused[0]?.jobId, id);
    assert.match(refused[0]?.reason ?? '', /printing/);
    const unknown = { ...line, jobId: jobId(randomUUID()) };
    assert.match((await tick(farm, { lines: [unknown] }, 'scheduler')).refused[0]?.reason ?? '', /no job/);
  });

  it('starts nothing on a closed printer, whatever a plan says', async () => {
    const id = await addJob(farm, 'one', { forcePrinter: printerId('elegoo_giga') });
    const plan = await currentPlan(farm);
    assert.ok(plan.lines[0]?.ready);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await closePrinter(
      farm,
      'elegoo_giga',
      { from: new Date().toISOString(), until, reason: 'new nozzle' },
      'operator',
    );
    const { assignments, refused } = await tick(farm, plan, 'scheduler');
    assert.deepEqual(assignments, []);
    assert.match(refused[0]?.reason ?? '', /new nozzle/);
    const anew = await currentPlan(farm);
    assert.equal(anew.lines[0]?.ready, false);
    assert.ok(String(anew.lines[0]?.start) >= until);
    assert.match(anew.waiting[id] ?? '', /new nozzle/);
  });

  it('does not use an unjudged report as the known state of the printer', async () => {
    const id = printerId('elegoo_giga');
    const theirs = { name: 'theirs.gcode' };
    const state = { connected: true, problem: null, report: { ...idle, job: theirs } };
    await storeReport(farm.database, id, state);
    const known = (): Promise<unknown> => farm.database.transaction(async (tx) => (await lockPrinter(tx, id)).lastJob);
    assert.equal(await known(), null);
    await storeReport(farm.database, id, { ...state, judged: true });
    assert.deepEqual(await known(), theirs);
  });

  it('rejects a plan that was changed to something impossible', async () => {
    await addJob(farm, 'one');
    const plan = await currentPlan(farm);
    await farm.database.transaction(async (tx) => {
      await tx.query(`UPDATE printers SET bed_state = 'occupied', bed_cause = 'foreign'`);
    });
    const { assignments, refused } = await tick(farm, plan, 'scheduler');
    assert.deepEqual(assignments, []);
    assert.match(refused[0]?.reason ?? '', /not ours/);
  });

  it('promises the grams of a spool once', async () => {
    await farm.database.query(`UPDATE spools SET grams_left = 15`);
    const id = await addJob(farm, 'two copies', { copies: 2, forcePrinter: printerId('elegoo_giga') });
    await tick(farm, undefined, 'scheduler');
    const plan = await currentPlan(farm);
    assert.match(plan.waiting[id] ?? '', /only 5 g of pla_black_esun free, 10 g are needed/);
    const open = (await attemptsOf(farm.database, id)).filter((attempt) => attempt.phase !== 'ended');
    assert.equal(open.length, 1);
  });

  it('withdraws a dispatch whose printer went offline, and the job waits again', async () => {
    const id = await addJob(farm, 'one');
    await tick(farm, undefined, 'scheduler');
    await farm.database.query(`UPDATE printers SET connected = false`);
    await farm.database.query(`UPDATE print_attempts SET dispatched_at = now() - interval '1 minute'`);
    await tendDispatches(farm);
    const { rows } = await farm.database.query<{ status: string; status_reason: string; retry_count: number }>(
      'SELECT status, status_reason, retry_count FROM print_jobs WHERE id = $1',
      [id],
    );
    assert.equal(rows[0]?.status, 'queued');
    assert.match(rows[0]?.status_reason ?? '', /offline/);
    assert.equal(rows[0]?.retry_count, 0);
  });

  it('publishes an unclaimed dispatch again with the same message id', async () => {
    await addJob(farm, 'one');
    const seen: (string | undefined)[] = [];
    let arrived: () => void = () => undefined;
    const twice = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    for (const id of printers) {
      await farm.broker.consumeJobs(id, (message) => {
        if (seen.push(message.messageId) === 2) arrived();
        return Promise.resolve('accept');
      });
    }
    const sent = new Promise<void>((resolve) => {
      const relay = new OutboxRelay(farm, (row) => {
        if (row.kind === 'dispatch') void relay.stop().then(resolve);
      });
      void relay.start();
    });
    await tick(farm, undefined, 'scheduler');
    await sent;
    // As after a crash that lost the broker's memory: a new relay publishes unclaimed dispatches.
    const second = new OutboxRelay(farm);
    await second.start();
    await twice;
    await second.stop();
    assert.equal(new Set(seen).size, 1);
  });
});
