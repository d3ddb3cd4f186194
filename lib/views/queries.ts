import type { Attempt } from '../contracts/jobs';
import type { Farm } from '../farm/farm';
import { mayShare } from '../makes/traits';
import { type FieldError, MalformedInputError, NotFoundError } from '../model/errors';
import type { Job } from '../model/job';
import { compareIdentities } from '../model/machine-identity';
import { cursorOf, encodeCursor, limitOf } from '../model/paging';
import { isTerminal, type JobStatus, jobStatuses } from '../model/status';
import type { Plan, PlanLine } from '../planning/plan-shape';
import type { Snapshot } from '../planning/snapshot';
import type { FarmPauseView } from '../schedule/pause-view';
import { plannedForAll } from '../schedule/plan';
import { attemptsOf, openAttempts } from '../store/attempts';
import { openDeadLetterOf } from '../store/dead-letters';
import {
  findJob,
  type HistoryLine,
  historyOf,
  jobNames,
  jobRow,
  listJobs,
  partsOfKits,
  unfinishedJobs,
} from '../store/jobs';
import { photosOf } from '../store/outcomes';
import { allPrinters, findPrinter, loadedSlots, printerIsKnown } from '../store/printers';
import type { Queryable } from '../store/queryable';
import { type Action, jobActions } from './actions';
import { type PrinterView, printerView } from './shapes';

/** A line of the queue in the form of the API. */
export interface QueueLine {
  job_id: string;
  job_name: string;
  status: JobStatus;
  priority: number;
  estimated_duration_hours: number | null;
  queue_position: number | null;
  material_id: string;
  assigned_printer_id: string | null;
  deadline_at: string | null;
  kit_id: string | null;
  copies: number;
  copies_done: number;
  hold: boolean;
  estimated_start_time: string | null;
  /** The end of its last copy. */
  estimated_end_time: string | null;
  waiting_reason: string | null;
  status_reason: string | null;
  created_at: string;
}

/** The queue in the form of the API. */
export interface QueueView {
  /** The number of unfinished jobs, of the filtered printer or of all. */
  total_jobs: number;
  queued: number;
  printing: number;
  /** The pause, during which nothing new starts; null: the farm is not paused. */
  paused: FarmPauseView | null;
  jobs: QueueLine[];
  next_cursor: string | null;
}

interface QueueQuery {
  status: JobStatus[];
  printerId: string | null;
  kitId: string | null;
  limit: number;
  after: { createdAt: string; id: string } | null;
}

/**
 * Returns the queue: jobs under way first, then the waiting ones in plan order. `status` (several, separated by commas) filters
 * the listed jobs, `printer_id` and `kit_id` the counts too.
 * @throws MalformedInputError a filter has an invalid value
 */
export async function queue(farm: Farm, input: Record<string, unknown>): Promise<QueueView> {
  const query = parseQueueQuery(input);
  if (query.printerId !== null) await findPrinter(farm.database, query.printerId);
  const { plan } = await plannedForAll(farm);
  const unfinished = await unfinishedJobs(farm.database);
  const ended = query.status.every(isTerminal);
  const jobs = ended
    ? await listJobs(farm.database, { ...query, limit: query.limit + 1 })
    : unfinishedPage(unfinished, query, plan);
  const page = jobs.slice(0, query.limit);
  const last = page.at(-1);
  return {
    ...countsOf(unfinished.filter((job) => concerns(job, query))),
    paused: plan.paused ?? null,
    jobs: queueLines(page, plan),
    next_cursor: jobs.length > query.limit && last ? encodeCursor([last.createdAt, last.id]) : null,
  };
}

function unfinishedPage(unsorted: Job[], query: QueueQuery, plan: Plan): Job[] {
  const wanted = unsorted.filter((job) => query.status.includes(job.status) && concerns(job, query));
  const jobs = inQueueOrder(wanted, plan);
  const { after } = query;
  const from = after ? jobs.findIndex((job) => job.id === after.id) + 1 : 0;
  return jobs.slice(from, from + query.limit + 1);
}

/** Whether a job is on the printer, or assigned to it, and belongs to the kit; null: any. */
const concerns = (job: Job, { printerId, kitId }: QueueQuery): boolean =>
  (printerId === null || job.assignedPrinterId === printerId || job.forcePrinter === printerId) &&
  (kitId === null || job.kitId === kitId);

/** Counts the unfinished jobs. */
export function countsOf(unfinished: readonly Job[]): Pick<QueueView, 'total_jobs' | 'queued' | 'printing'> {
  const having = (status: JobStatus): number => unfinished.filter((job) => job.status === status).length;
  return { total_jobs: unfinished.length, queued: having('queued'), printing: having('printing') };
}

/** Orders the jobs: the most advanced ones under way first, then the waiting ones in plan order. */
export function inQueueOrder(unfinished: readonly Job[], plan: Plan): Job[] {
  const order = (job: Job): number =>
    job.status === 'queued' ? 10 : jobStatuses.length - jobStatuses.indexOf(job.status);
  return [...unfinished].sort(
    (a, b) =>
      order(a) - order(b) ||
      (plan.positions[a.id] ?? 0) - (plan.positions[b.id] ?? 0) ||
      a.createdAt.localeCompare(b.createdAt) ||
      a.id.localeCompare(b.id),
  );
}

/** When the last copy of each planned job ends; null if a copy has no time. */
function lastEnds(plan: Plan): Map<string, string | null> {
  const ends = new Map<string, string | null>();
  for (const { jobId, end } of plan.lines) {
    const before = ends.get(jobId);
    if (before !== null) ends.set(jobId, end === null ? null : before && before > end ? before : end);
  }
  return ends;
}

/** Returns jobs as lines of the queue. */
export function queueLines(jobs: readonly Job[], plan: Plan): QueueLine[] {
  const first = new Map<string, PlanLine>();
  for (const line of plan.lines) if (!first.has(line.jobId)) first.set(line.jobId, line);
  const ends = lastEnds(plan);
  return jobs.map((job) => ({
    job_id: job.id,
    job_name: job.jobName,
    status: job.status,
    priority: job.priority,
    estimated_duration_hours: job.estimatedDurationHours,
    queue_position: job.status === 'queued' ? (plan.positions[job.id] ?? null) : null,
    material_id: job.materialId,
    assigned_printer_id: job.assignedPrinterId,
    deadline_at: job.deadlineAt,
    kit_id: job.kitId,
    copies: job.copies,
    copies_done: job.copiesDone,
    hold: job.hold,
    estimated_start_time: first.get(job.id)?.start ?? null,
    estimated_end_time: ends.get(job.id) ?? null,
    waiting_reason: job.status === 'queued' ? (plan.waiting[job.id] ?? null) : null,
    status_reason: job.statusReason,
    created_at: job.createdAt,
  }));
}

function parseQueueQuery(input: Record<string, unknown>): QueueQuery {
  const errors: FieldError[] = [];
  const text = (name: string): string | null => {
    const value = input[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const open = jobStatuses.filter((status) => !isTerminal(status));
  const status = text('status')?.split(',') ?? open;
  for (const one of status) {
    if (!(jobStatuses as readonly string[]).includes(one)) {
      errors.push({ field: 'status', value: one, remedy: `Use one of ${jobStatuses.join(', ')}.` });
    }
  }
  const limit = limitOf(input, errors);
  const after = cursorOf(input, errors, asJobPlace);
  if (errors.length > 0) throw new MalformedInputError('The query of the queue is invalid.', errors);
  return { status: status as JobStatus[], printerId: text('printer_id'), kitId: text('kit_id'), limit, after };
}

function asJobPlace([createdAt, id]: readonly unknown[]): NonNullable<QueueQuery['after']> | undefined {
  if (typeof createdAt !== 'string' || typeof id !== 'string' || Number.isNaN(Date.parse(createdAt))) return undefined;
  return /^[0-9a-f-]{36}$/.test(id) ? { createdAt, id } : undefined;
}

/** An attempt in the form of the API. */
export type AttemptView = Attempt;

/** Every column of a job, its attempts, its history, and why it waits. */
export type JobView = Record<string, unknown> & {
  job_id: string;
  version: number;
  attempts: AttemptView[];
  history: HistoryLine[];
  /** The actions that an operator can take now. */
  actions: Action[];
};

/** Returns all details of one job. @throws NotFoundError */
export async function jobDetail(farm: Farm, id: string): Promise<JobView> {
  const { job, attempts, photos, history, row, parts, actions } = await farm.database.read(async (db) => {
    const found = await findJob(db, id);
    return {
      actions: await actionsOf(db, found),
      job: found,
      row: await jobRow(db, found.id),
      attempts: await attemptsOf(db, found.id),
      photos: await photosOf(db, found.id),
      history: await historyOf(db, found.id),
      parts: found.kitId === null ? undefined : (await partsOfKits(db, [found.kitId])).get(found.kitId),
    };
  });
  const planned = isTerminal(job.status) ? undefined : await plannedForAll(farm);
  const plan = planned?.plan;
  return {
    ...row,
    job_id: job.id,
    version: job.version,
    queue_position: job.status === 'queued' ? (plan?.positions[job.id] ?? null) : null,
    estimated_start_time: plan?.lines.find((line) => line.jobId === job.id)?.start ?? null,
    waiting_reason: job.status === 'queued' ? (plan?.waiting[job.id] ?? null) : null,
    kit:
      parts === undefined
        ? null
        : { ...parts, estimated_end_time: planned ? kitEnd(job, planned.snapshot, planned.plan) : null },
    attempts: attempts.map((attempt) => ({
      attempt_id: attempt.id,
      copy: attempt.copy,
      printer_id: attempt.printerId,
      phase: attempt.phase,
      file_name: attempt.fileName,
      slot: attempt.slot,
      gcode_sha256: attempt.gcodeSha256,
      started_at: attempt.startedAt,
      ended_at: attempt.endedAt,
      outcome: attempt.outcome,
      reason: attempt.reason,
      photo: photos.some(({ attemptId }) => attemptId === attempt.id),
    })),
    history,
    actions,
  };
}

async function actionsOf(db: Queryable, job: Job): Promise<Action[]> {
  const places: Parameters<typeof jobActions>[1][number][] = [];
  for (const attempt of await attemptsOf(db, job.id)) {
    if (attempt.phase !== 'ended') places.push({ attempt, printer: await findPrinter(db, attempt.printerId) });
  }
  const forcedPrinterIsGone = job.forcePrinter !== null && !(await printerIsKnown(db, job.forcePrinter));
  return jobActions(
    { ...job, forcedPrinterIsGone },
    places,
    job.status === 'failed' ? await openDeadLetterOf(db, job.id) : null,
  );
}

/** When the plan completes the last part of a job's kit (ISO 8601); null if that is unknown, or no part is left. */
function kitEnd({ kitId }: Job, snapshot: Snapshot, plan: Plan): string | null {
  const parts = snapshot.jobs.filter(({ kit, copiesToStart }) => kit?.id === kitId && copiesToStart > 0);
  const planned = new Map<string, number>();
  for (const { jobId } of plan.lines) planned.set(jobId, (planned.get(jobId) ?? 0) + 1);
  // Of a job of many copies only some are planned.
  if (parts.some(({ id, copiesToStart }) => (planned.get(id) ?? 0) < copiesToStart)) return null;
  const ends = lastEnds(plan);
  const last = [
    ...snapshot.printers.flatMap(({ busy }) => (busy?.kit === kitId ? [busy.until] : [])),
    ...parts.map(({ id }) => Date.parse(ends.get(id) ?? '')),
  ];
  return last.length === 0 || last.some(Number.isNaN) ? null : new Date(Math.max(...last)).toISOString();
}

/** One printer with what it does, its bed and filaments. @throws NotFoundError */
export async function printerDetail(farm: Farm, id: string): Promise<PrinterView> {
  const found = (await printers(farm)).printers.find(({ printer_id }) => printer_id === id);
  if (!found) throw new NotFoundError('printer', id);
  return found;
}

/** All printers with what they do, their beds and filaments. */
export async function printers(farm: Farm): Promise<{ printers: PrinterView[] }> {
  return farm.database.read(async (db) => {
    const slots = await loadedSlots(db);
    const attempts = await openAttempts(db);
    const names = await jobNames(
      db,
      attempts.map((attempt) => attempt.jobId),
    );
    const all = await allPrinters(db);
    return {
      printers: all.map((printer) => {
        const { id, stranger } = printer;
        const attempt = attempts.find((one) => one.printerId === id);
        const twin =
          stranger && all.find((one) => one.id !== id && compareIdentities(one.identity, stranger) === 'same');
        return printerView(
          printer,
          slots,
          attempt && { attempt, jobName: names.get(attempt.jobId) ?? '' },
          twin ? { name: twin.name, mayShare: mayShare(printer.make, stranger ?? {}, twin.identity) } : undefined,
        );
      }),
    };
  });
}
