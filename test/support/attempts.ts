import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import type { AttemptPhase } from '../../lib/model/attempt';
import { type AttemptId, type JobId, printerId } from '../../lib/model/ids';
import { openStatus } from '../../lib/model/status';
import { type Attempt, type Claim, findAttempt } from '../../lib/store/attempts';
import type { NewJob } from '../../lib/store/jobs';
import { addJob } from './bare-farm';

const order = ['queued', 'scheduled', 'slicing', 'uploading', 'printing'];

/** The database rows of an attempt at the first copy of a job. */
export interface Arranged {
  job: JobId;
  attempt: AttemptId;
  /** The claim of the agent that holds it. */
  claim: Claim;
}

/** An attempt in a phase, with its job in the corresponding status, held by an agent that is alive. */
export async function arrangeAttempt(
  farm: Farm,
  phase: AttemptPhase,
  {
    printer = printerId('elegoo_giga'),
    copy = 1,
    of,
    leaseSeconds = 10,
    spool = null,
    ...more
  }: {
    printer?: string;
    copy?: number;
    /** The job of the attempt; absent: a new one is created. */
    of?: JobId;
    leaseSeconds?: number;
    spool?: string | null;
  } & Partial<NewJob> = {},
): Promise<Arranged> {
  const job = of ?? (await addJob(farm, `${phase} part`, more));
  if (of === undefined) {
    for (const status of order.slice(1, order.indexOf(openStatus([phase])) + 1)) {
      await farm.database.query('UPDATE print_jobs SET status = $2, assigned_printer_id = $3 WHERE id = $1', [
        job,
        status,
        printer,
      ]);
    }
  }
  const started = ['starting', 'printing', 'outcome_unknown'].includes(phase);
  const occupy = (attempt: string | null): Promise<unknown> =>
    farm.database.query(
      `UPDATE printers SET bed_state = 'occupied', bed_cause = CASE WHEN $2::uuid IS NULL THEN 'unknown' ELSE 'attempt' END,
         bed_attempt_id = $2 WHERE id = $1`,
      [printer, attempt],
    );
  // A print lies on a bed that is not clear.
  if (started) await occupy(null);
  const owner = randomUUID();
  const { rows } = await farm.database.query<{ id: AttemptId }>(
    `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot, spool_id, phase, dispatched_at, fence, lease_owner,
       lease_until, claimed_at, start_intent_at, started_at, outcome, ended_at)
     VALUES ($1, $2, $3, $4, 'extruder', $8, $5::text, now() - interval '3 minutes',
       CASE WHEN $5::text <> 'dispatched' THEN 1 END, CASE WHEN $5::text <> 'dispatched' THEN $6::uuid END,
       CASE WHEN $5::text NOT IN ('dispatched', 'ended') THEN now() + make_interval(secs => $7) END,
       CASE WHEN $5::text <> 'dispatched' THEN now() - interval '3 minutes' END,
       CASE WHEN $5::text IN ('starting', 'printing', 'outcome_unknown') THEN now() - interval '2 minutes' END,
       CASE WHEN $5::text = 'printing' THEN now() - interval '2 minutes' END,
       CASE WHEN $5::text = 'ended' THEN 'failed' END, CASE WHEN $5::text = 'ended' THEN now() END)
     RETURNING id`,
    [job, copy, printer, `${randomUUID()}.gcode`, phase, owner, leaseSeconds, spool],
  );
  const attempt = rows[0]?.id ?? assert.fail();
  if (started) await occupy(attempt);
  return { job, attempt, claim: { attemptId: attempt, fence: 1, owner } };
}

/** Ends everything that is under way, so that the printers are free for the next test of the same farm. */
export async function endAllAttempts(farm: Farm): Promise<void> {
  await farm.database.query(
    `UPDATE print_attempts SET phase = 'ended', outcome = 'withdrawn', ended_at = now(), lease_until = NULL WHERE phase <> 'ended'`,
  );
}

/** An attempt that must exist. */
export async function attemptOf(farm: Farm, id: AttemptId): Promise<Attempt> {
  return (await findAttempt(farm.database, id)) ?? assert.fail(`no attempt ${id}`);
}
