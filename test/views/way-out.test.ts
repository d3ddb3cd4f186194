import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptIdentity, removePrinter } from '../../lib/beds/machines';
import type { Farm } from '../../lib/farm/farm';
import { cancelJob } from '../../lib/jobs/cancel';
import { clearBedOf } from '../../lib/jobs/changes';
import { answerOutcome } from '../../lib/jobs/outcome';
import { type AttemptPhase, mayHaveStarted } from '../../lib/model/attempt';
import { printerId } from '../../lib/model/ids';
import type { PrinterState } from '../../lib/model/printer';
import type { JobStatus } from '../../lib/model/status';
import { tendDispatches } from '../../lib/services/maintenance/dispatches';
import { findAttempt } from '../../lib/store/attempts';
import { allPrinters } from '../../lib/store/printers';
import type { Transaction } from '../../lib/store/queryable';
import { type Action, attemptActions, printerActions } from '../../lib/views/actions';
import { jobDetail, printers } from '../../lib/views/queries';
import { addJob, dropFarm, idle, makeReady, openBareFarm } from '../support/bare-farm';
import { bringJobTo } from '../support/stages';

const printer = printerId('elegoo_giga');
const phases = ['dispatched', 'claimed', 'preparing', 'uploading', 'starting', 'printing', 'outcome_unknown'] as const;

/** The possible situations of a printer, and how its row represents them. */
const situations: Record<string, { connected: boolean; served: boolean; state?: PrinterState; stranger?: object }> = {
  idle: { connected: true, served: true, state: 'idle' },
  prints: { connected: true, served: true, state: 'printing' },
  paused: { connected: true, served: true, state: 'paused' },
  fault: { connected: true, served: true, state: 'fault' },
  'unknown state': { connected: true, served: true, state: 'unknown' },
  offline: { connected: false, served: true },
  'another machine': { connected: false, served: true, stranger: { mcu: 'another' } },
  'gone (its node removed or renamed)': { connected: false, served: false },
};

/** How an attempt continues without an operator, if its printer and its agent are there. */
function byItself(
  phase: AttemptPhase,
  { connected, served, state }: { connected: boolean; served: boolean; state?: string },
): string | null {
  if (phase === 'dispatched') return 'claimed by its agent, or withdrawn';
  if (!mayHaveStarted(phase)) return served ? 'goes on, or back to the queue' : 'withdrawn after half a minute';
  if (phase !== 'outcome_unknown' && state === 'unknown') return 'its agent asks for the outcome after 20 s';
  if (phase !== 'outcome_unknown' && connected) return 'its agent follows the printer';
  return null;
}

const statusOf: Record<(typeof phases)[number], JobStatus> = {
  dispatched: 'scheduled',
  claimed: 'slicing',
  preparing: 'slicing',
  uploading: 'uploading',
  starting: 'uploading',
  outcome_unknown: 'uploading',
  printing: 'printing',
};

describe('A way out', () => {
  let farm: Farm;
  const rows: string[] = [];
  before(async () => {
    farm = await openBareFarm({ times: { startCommandSeconds: 60 } });
    await makeReady(farm);
  });
  after(() => dropFarm(farm));

  afterEach(async () => {
    await farm.database.query("UPDATE printers SET bed_attempt_id = NULL, bed_cause = 'unknown' WHERE id = $1", [
      printer,
    ]);
    await farm.database.query('DELETE FROM print_attempts');
  });

  /** Puts an attempt of a new job into a phase, and its printer into a situation. */
  async function arrange(phase: (typeof phases)[number], situation: string): Promise<{ job: string; attempt: string }> {
    const job = await addJob(farm, `${phase}, ${situation}`);
    await bringJobTo(farm.database, job, statusOf[phase]);
    const attempt = await farm.database.transaction((tx) => arrangeRows(tx, job, phase, situation));
    return { job, attempt };
  }

  async function arrangeRows(
    tx: Transaction,
    job: string,
    phase: (typeof phases)[number],
    situation: string,
  ): Promise<string> {
    const { connected, served, state, stranger } = situations[situation] ?? assert.fail();
    const { rows: stored } = await tx.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot, phase, dispatched_at, fence, lease_owner, lease_until, start_intent_at)
       VALUES ($1, 1, $2, $3, 'extruder', $4::text, now() - interval '3 minutes', CASE WHEN $4::text <> 'dispatched' THEN 1 END,
         CASE WHEN $4::text <> 'dispatched' THEN gen_random_uuid() END,
         CASE WHEN $4::text <> 'dispatched' THEN now() + interval '10 seconds' END,
         CASE WHEN $4::text IN ('starting', 'printing', 'outcome_unknown') THEN now() - interval '2 minutes' END)
       RETURNING id`,
      [job, printer, `${job}.gcode`, phase],
    );
    const attempt = stored[0]?.id ?? '';
    await tx.query(
      `UPDATE printers SET connected = $2, report = $3, stranger = $4, seen_at = now() - make_interval(secs => $5),
         bed_state = 'occupied', bed_cause = 'attempt', bed_attempt_id = $6, archived_at = NULL WHERE id = $1`,
      [
        printer,
        connected,
        JSON.stringify({ ...idle, state: state ?? 'idle', job: { name: `${job}.gcode` } }),
        stranger ? JSON.stringify(stranger) : null,
        served ? 0 : 3600,
        attempt,
      ],
    );
    return attempt;
  }

  /** Does what an action instructs, through the interface. */
  async function perform({ action, href, body = {} }: Action): Promise<void> {
    const id = href.split('/')[2] ?? '';
    switch (action) {
      case 'cancel':
        return void (await cancelJob(farm, id, 'operator', { waitMs: 0 }));
      case 'outcome':
        return void (await answerOutcome(farm, id, body, 'operator'));
      case 'clear-bed':
        return void (await clearBedOf(farm, id, body, 'operator'));
      case 'accept-identity':
        return void (await acceptIdentity(farm, id, body, 'operator'));
      case 'remove-printer':
        return void (await removePrinter(farm, id, 'operator'));
      default:
        assert.fail(`${action} is not known to this test`);
    }
  }

  async function tidy(job: string): Promise<void> {
    await farm.database.query("UPDATE printers SET bed_attempt_id = NULL, bed_cause = 'unknown' WHERE id = $1", [
      printer,
    ]);
    await farm.database.query('DELETE FROM print_attempts WHERE job_id = $1', [job]);
    await farm.database.query('DELETE FROM print_jobs WHERE id = $1', [job]);
  }

  for (const phase of phases) {
    for (const situation of Object.keys(situations)) {
      it(`exists for an attempt in "${phase}" on a printer that is: ${situation}`, async () => {
        const place = situations[situation] ?? assert.fail();
        const { job, attempt } = await arrange(phase, situation);
        const found = await findAttempt(farm.database, attempt);
        const row = (await allPrinters(farm.database)).find(({ id }) => id === printer);
        assert.ok(found && row);
        const actions = attemptActions(found, row);
        const itself = byItself(phase, place);
        assert.ok(itself !== null || actions.length > 0, 'neither an action nor the farm ends it');
        assert.deepEqual((await jobDetail(farm, job)).actions, actions, 'the job names the same');
        const shown = (await printers(farm)).printers.find(({ printer_id }) => printer_id === printer);
        for (const action of actions) assert.ok(shown?.actions.some((one) => one.href === action.href));
        rows.push(
          `| ${phase} | ${situation} | ${itself ?? '—'} | ${actions.map(({ action, body }) => `\`${action}\`${body && action === 'outcome' ? ` \`${JSON.stringify(body)}\`` : ''}`).join(', ')} |`,
        );
        await tidy(job);
        // Each runs on its own arrangement, because it changes the state that it was offered for.
        for (const { action, body } of actions.filter((one) => one.action !== 'resume')) {
          const again = await arrange(phase, situation);
          const fresh = (await jobDetail(farm, again.job)).actions.find(
            (one) => one.action === action && JSON.stringify(one.body) === JSON.stringify(body),
          );
          assert.ok(fresh);
          const refused = await perform(fresh).then(
            () => null,
            (error: Error) => error.message,
          );
          const after = await findAttempt(farm.database, again.attempt);
          const { status, cancel_requested_at: asked } = await jobDetail(farm, again.job);
          if (refused !== null) {
            // "It did not print" is accepted only for an idle printer; the other answers stay.
            assert.ok(action === 'outcome' && body?.['printed'] === false && place.state !== 'idle', refused);
          } else if (action === 'cancel' && mayHaveStarted(phase)) {
            assert.ok(asked !== null, 'the request is kept until the printer, or an operator, confirms');
          } else {
            assert.equal(after?.phase, 'ended', `${action} left it ${after?.phase}`);
            assert.ok(['queued', 'completed', 'cancelled'].includes(String(status)), String(status));
          }
          await tidy(again.job);
        }
      });
    }
  }

  it('is found automatically for an attempt whose agent had started and whose printer is gone', async () => {
    const { job, attempt } = await arrange('uploading', 'gone (its node removed or renamed)');
    await tendDispatches(farm);
    assert.equal((await findAttempt(farm.database, attempt))?.phase, 'uploading', 'its lease is still valid');
    await farm.database.query("UPDATE print_attempts SET lease_until = now() - interval '31 seconds'");
    await tendDispatches(farm);
    const { status, retry_count } = await jobDetail(farm, job);
    assert.deepEqual([status, retry_count], ['queued', 0]);
  });

  it('exists for a printer that stands between two prints', async () => {
    for (const [situation, wanted] of [
      ['idle', ['clear-bed']],
      ['another machine', ['accept-identity', 'clear-bed']],
      ['gone (its node removed or renamed)', ['clear-bed', 'remove-printer']],
    ] as const) {
      const { job } = await arrange('dispatched', situation);
      await tidy(job);
      const row = (await allPrinters(farm.database)).find(({ id }) => id === printer);
      assert.ok(row);
      const actions = printerActions(row, undefined);
      assert.deepEqual(
        actions.map(({ action }) => action),
        wanted,
      );
      // A machine without an id cannot be accepted.
      const nameless = printerActions({ ...row, stranger: row.stranger && {} }, undefined);
      assert.ok(!nameless.some(({ action }) => action === 'accept-identity'));
      for (const action of actions) {
        await perform({ ...action, ...(action.action === 'clear-bed' && { body: {} }) });
      }
    }
  });

  it('is listed in docs/troubleshooting.md', () => {
    const path = join(process.cwd(), 'docs', 'troubleshooting.md');
    const [begin, end] = ['<!-- ways out: begin -->\n', '<!-- ways out: end -->'];
    const text = readFileSync(path, 'utf8');
    const table = [
      '| The attempt is | its printer | by itself | what an operator can do |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n');
    const wanted = `${text.slice(0, text.indexOf(begin) + begin.length)}${table}${text.slice(text.indexOf(end))}`;
    if (process.env['PLATEWISE_TEST_WRITE']) return writeFileSync(path, wanted);
    assert.equal(text, wanted, 'regenerate it with PLATEWISE_TEST_WRITE=1');
  });
});
