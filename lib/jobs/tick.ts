import { randomUUID } from 'node:crypto';
import { type DispatchMessage, parseDispatchMessage, parsePlan } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { printerQueue } from '../messaging/topology';
import { PlatewiseError } from '../model/errors';
import { type AttemptId, attemptId, type JobId, jobId, type PrinterId, printerId } from '../model/ids';
import type { Job } from '../model/job';
import type { OperatorHours } from '../planning/calendar';
import type { PlanLine } from '../planning/plan-shape';
import { currentPlan } from '../schedule/plan';
import { planningJob, planningPrinter } from '../schedule/snapshot';
import { lockUntilEnd } from '../store/advisory-locks';
import { insertAttempt, openAttemptOf, openAttempts } from '../store/attempts';
import { DatabaseBusyError, databaseNow, notify, RowLockedError } from '../store/database';
import { findFarmPause } from '../store/farm-pause';
import { changeStatus, lockJobNow, unmetDependencies } from '../store/jobs';
import { findMaterial } from '../store/materials';
import { addDispatch } from '../store/outbox';
import { closuresAhead } from '../store/planning';
import { type LoadedSlot, loadedSlots, lockPrinterNow, type Printer } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { checkLine, printFileName } from './line-check';

/** A line of the plan that was dispatched. */
export interface Assignment {
  jobId: JobId;
  printerId: PrinterId;
  attemptId: AttemptId;
  status: 'scheduled';
}

/** A line of the plan that no longer holds, and the reason. */
export interface Refusal {
  jobId: JobId;
  printerId: PrinterId;
  reason: string;
}

/** The part of a plan that the tick reads. */
export interface TickPlan {
  lines: Pick<PlanLine, 'jobId' | 'printerId' | 'ready'>[];
}

/** Parses a plan from a wire, where a flow may have changed it. @throws MalformedInputError */
export function parseTickPlan(input: unknown): TickPlan {
  return {
    lines: parsePlan(input).lines.map((line) => ({
      jobId: jobId(line.job_id),
      printerId: printerId(line.printer_id),
      ready: line.ready,
    })),
  };
}

/** The lines of a plan that were dispatched, and those that were not, each with its reason. */
export interface TickResult {
  assignments: Assignment[];
  refused: Refusal[];
}

/** Why a line cannot be dispatched; found while the rows are locked. */
class LineRefused extends Error {}

/**
 * Dispatches the lines of a plan that can start now: checks each line against the current rows and, under one lock, stores the
 * attempt, the status `scheduled` and the dispatch in one transaction. After that commit nothing on a wire can stop or lose
 * the dispatch.
 *
 * @param plan the plan to dispatch; without one the farm plans first
 */
export async function tick(farm: Farm, plan: TickPlan | undefined, actor: string): Promise<TickResult> {
  const result: TickResult = { assignments: [], refused: [] };
  if (await findFarmPause(farm.database)) return result;
  const { lines } = plan ?? (await currentPlan(farm));
  for (const line of lines) {
    if (!line.ready) continue;
    try {
      const assignment = await farm.database.transaction((tx) => assign(farm, tx, line, actor));
      farm.passing('assign:after', assignment.attemptId);
      result.assignments.push(assignment);
    } catch (error) {
      if (!isOfTheLine(error)) throw error;
      result.refused.push({ jobId: line.jobId, printerId: line.printerId, reason: error.message });
    }
  }
  return result;
}

/** Whether an error concerns a single line, so that the others go on. */
function isOfTheLine(error: unknown): error is Error {
  if (error instanceof LineRefused || error instanceof RowLockedError || error instanceof DatabaseBusyError)
    return true;
  return error instanceof PlatewiseError && !error.retryable;
}

async function assign(
  farm: Farm,
  tx: Transaction,
  line: { jobId: JobId; printerId: PrinterId },
  actor: string,
): Promise<Assignment> {
  // Ticks are serialised across all processes on one database.
  await lockUntilEnd(tx, 'tick');
  // A lock held by a stalled process blocks only its own row.
  const job = await lockJobNow(tx, line.jobId);
  const printer = await lockPrinterNow(tx, line.printerId);
  const slot = await check(tx, job, printer, farm.options.quiet);
  const copy = await nextCopy(tx, job);
  const id = attemptId(randomUUID());
  const attempt = await insertAttempt(tx, {
    id,
    jobId: job.id,
    copy,
    printerId: printer.id,
    fileName: printFileName(job.jobName, id, printer.make),
    slot: slot.slot,
    tool: slot.tool,
    plate: job.model.kind === 'gcode_3mf' ? (job.plate ?? 1) : 1,
    spoolId: slot.spoolId,
    reservedGrams: job.estimatedGrams ?? 0,
  });
  if (job.status === 'queued') {
    await changeStatus(tx, job, 'scheduled', {
      reason: `planned for ${printer.name}`,
      actor,
      assignedPrinterId: printer.id,
    });
  }
  await addDispatch(tx, {
    routingKey: printerQueue(printer.id),
    messageId: attempt.messageId,
    jobId: job.id,
    attemptId: attempt.id,
    message: parseDispatchMessage(dispatchMessage(job, attempt)),
  });
  // Work under way must not be planned any more.
  await notify(tx, 'plan');
  farm.passing('assign:before', attempt.id);
  return { jobId: job.id, printerId: printer.id, attemptId: attempt.id, status: 'scheduled' };
}

/** Repeats all checks (`checkLine`) now that the job and the printer are locked. */
async function check(
  tx: Transaction,
  job: Job,
  printer: Printer,
  quiet: OperatorHours | undefined,
): Promise<{ slot: string; tool: number; spoolId: LoadedSlot['spoolId'] }> {
  const openCopies = (await openAttempts(tx)).filter((attempt) => attempt.jobId === job.id).length;
  const unmet = await unmetDependencies(tx, job.dependsOn);
  const now = await databaseNow(tx);
  const slots = await loadedSlots(tx);
  const checked = checkLine({
    now,
    farmPaused: Boolean(await findFarmPause(tx)),
    printerTaken: (await openAttemptOf(tx, printer.id)) !== undefined,
    status: job.status,
    job: planningJob(job, await findMaterial(tx, job.materialId), openCopies, unmet),
    printer: planningPrinter(printer, slots, undefined, now, await closuresAhead(tx)),
    quiet,
  });
  if ('refused' in checked) throw new LineRefused(checked.refused);
  const { slot, tool } = checked.slot;
  const loaded = slots.find((one) => one.printerId === printer.id && one.slot === slot);
  return { slot, tool, spoolId: loaded?.spoolId ?? null };
}

/** The lowest copy that is neither done nor under way. */
async function nextCopy(tx: Transaction, job: Job): Promise<number> {
  const { rows } = await tx.query<{ copy: number }>(
    `SELECT copy FROM generate_series(1, $2::int) AS copy
     WHERE NOT EXISTS (SELECT 1 FROM print_attempts a
       WHERE a.job_id = $1 AND a.copy = copy.copy AND (a.phase <> 'ended' OR a.outcome = 'completed'))
     ORDER BY copy LIMIT 1`,
    [job.id, job.copies],
  );
  const copy = rows[0]?.copy;
  if (copy === undefined) throw new LineRefused('no copy of the job is left to start');
  return copy;
}

function dispatchMessage(job: Job, attempt: Awaited<ReturnType<typeof insertAttempt>>): DispatchMessage {
  return {
    job_id: job.id,
    job_name: job.jobName,
    stl_path: job.stlPath,
    gcode_path: job.gcodePath,
    material_id: job.materialId,
    print_settings: job.printSettings,
    estimated_duration_hours: job.estimatedDurationHours,
    priority: job.priority,
    deadline_at: job.deadlineAt,
    retry_count: job.retryCount,
    max_retries: job.maxRetries,
    attempt: {
      attempt_id: attempt.id,
      copy: attempt.copy,
      printer_id: attempt.printerId,
      file_name: attempt.fileName,
      slot: attempt.slot,
      model_sha256: job.model.sha256,
    },
  };
}
