import type { AttemptPhase } from '../../lib/model/attempt';
import { isTerminal, type JobStatus } from '../../lib/model/status';
import type { Database } from '../../lib/store/database';

const openStatuses: readonly JobStatus[] = ['queued', 'scheduled', 'slicing', 'uploading', 'printing'];
const phases: readonly AttemptPhase[] = ['dispatched', 'claimed', 'preparing', 'uploading', 'starting', 'printing'];

/** The steps from the current state to the wanted one; only the last one if that is not on the usual path. */
function steps<Stage extends string>(way: readonly Stage[], from: Stage, to: Stage): Stage[] {
  const last = way.indexOf(to);
  return last === -1 || !way.includes(from) ? [to] : way.slice(way.indexOf(from) + 1, last + 1);
}

/** Brings a job to a status, along the graph and as if its copies had been printed. */
export async function bringJobTo(
  database: Database,
  job: string,
  status: JobStatus,
  printer = 'elegoo_giga',
): Promise<void> {
  const { rows } = await database.query<{ status: JobStatus }>('SELECT status FROM print_jobs WHERE id = $1', [job]);
  const from = rows[0]?.status ?? 'queued';
  for (const next of status === 'completed'
    ? [...steps(openStatuses, from, 'printing'), status]
    : steps(openStatuses, from, status)) {
    await database.query(
      `UPDATE print_jobs SET status = $2::text, assigned_printer_id = $3, completed_at = CASE WHEN $4 THEN now() END,
         copies_done = CASE WHEN $2::text = 'completed' THEN copies ELSE copies_done END WHERE id = $1`,
      [job, next, printer, isTerminal(next)],
    );
  }
}

const stepSql = `
  WITH moved AS (
    UPDATE print_attempts SET phase = $2::text, fence = coalesce(fence, 1), claimed_at = coalesce(claimed_at, now()),
      lease_owner = coalesce(lease_owner, gen_random_uuid()), lease_until = coalesce(lease_until, now() + interval '1 hour'),
      start_intent_at = CASE WHEN $2::text = 'starting' THEN now() ELSE start_intent_at END,
      started_at = CASE WHEN $2::text = 'printing' THEN now() ELSE started_at END
    WHERE id = $1 RETURNING *)
  UPDATE printers p SET bed_state = 'occupied', bed_cause = 'attempt', bed_attempt_id = moved.id
  FROM moved WHERE p.id = moved.printer_id AND $2::text = 'starting'`;

/** Brings an attempt that is dispatched, or further, to a phase: with a claim, and from its intent on with its part on the bed. */
export async function bringAttemptTo(database: Database, attempt: string, phase: AttemptPhase): Promise<void> {
  const { rows } = await database.query<{ phase: AttemptPhase }>('SELECT phase FROM print_attempts WHERE id = $1', [
    attempt,
  ]);
  const from = rows[0]?.phase ?? 'dispatched';
  const before = phases.indexOf(from) !== -1 && phases.indexOf(from) < phases.indexOf('starting');
  const way =
    phase === 'outcome_unknown' && before ? [...steps(phases, from, 'starting'), phase] : steps(phases, from, phase);
  await database.transaction(async (tx) => {
    for (const next of way) await tx.query(stepSql, [attempt, next]);
  });
}
