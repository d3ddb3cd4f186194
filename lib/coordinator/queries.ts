import { type FieldError, MalformedInputError } from '../model/errors';
import type { Job } from '../model/job';
import { isTerminal, type JobStatus, jobStatuses } from '../model/status';
import type { Plan } from '../planning/plan';
import { attemptsOf, openAttempts } from '../store/attempts';
import {
  countJobs,
  findJob,
  type HistoryLine,
  historyOf,
  jobNames,
  jobRow,
  listJobs,
  unfinishedJobs,
} from '../store/jobs';
import { allMaterials, stockOfMaterials } from '../store/materials';
import { allPrinters, findPrinter, loadedSlots } from '../store/printers';
import type { Farm } from './farm';
import { cursorOf, encodeCursor, limitOf } from './paging';
import { takeSnapshot } from './snapshot';
import { type PrinterView, printerView } from './views';

/** A line of the queue as the API shows it. */
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
  copies: number;
  copies_done: number;
  hold: boolean;
  estimated_start_time: string | null;
  waiting_reason: string | null;
  status_reason: string | null;
  created_at: string;
}

/** The queue as the API shows it. */
export interface QueueView {
  /** Unfinished jobs, of the filtered printer or of all. */
  total_jobs: number;
  queued: number;
  printing: number;
  jobs: QueueLine[];
  next_cursor: string | null;
}

interface QueueQuery {
  status: JobStatus[];
  printerId: string | null;
  limit: number;
  after: { createdAt: string; id: string } | null;
}

/**
 * The queue: what is under way first, then what waits in the order of the plan. `status` (several with commas) filters
 * the jobs that are listed, `printer_id` the counts too.
 * @throws MalformedInputError a filter has a value that does not exist
 */
export async function queue(farm: Farm, input: Record<string, unknown>): Promise<QueueView> {
  const query = parseQueueQuery(input);
  const { counts, snapshot, unsorted } = await farm.database.read(async (db) => {
    if (query.printerId !== null) await findPrinter(db, query.printerId);
    return {
      snapshot: await takeSnapshot(db, farm.options),
      counts: await countJobs(db, query.printerId),
      unsorted: query.status.every(isTerminal)
        ? await listJobs(db, { ...query, limit: query.limit + 1 })
        : await unfinishedJobs(db),
    };
  });
  const plan = await farm.planner.make(snapshot);
  const jobs = query.status.every(isTerminal) ? unsorted : unfinishedPage(unsorted, query, plan);
  const page = jobs.slice(0, query.limit);
  const last = page.at(-1);
  return {
    total_jobs: counts.total,
    queued: counts.queued,
    printing: counts.printing,
    jobs: page.map((job) => queueLine(job, plan)),
    next_cursor: jobs.length > query.limit && last ? encodeCursor([last.createdAt, last.id]) : null,
  };
}

function unfinishedPage(unsorted: Job[], query: QueueQuery, plan: Plan): Job[] {
  const order = (job: Job): number =>
    job.status === 'queued' ? 10 : jobStatuses.length - jobStatuses.indexOf(job.status);
  const jobs = unsorted
    .filter((job) => query.status.includes(job.status))
    .filter(
      (job) =>
        query.printerId === null || job.assignedPrinterId === query.printerId || job.forcePrinter === query.printerId,
    )
    .sort(
      (a, b) =>
        order(a) - order(b) ||
        (plan.positions[a.id] ?? 0) - (plan.positions[b.id] ?? 0) ||
        a.createdAt.localeCompare(b.createdAt) ||
        a.id.localeCompare(b.id),
    );
  const { after } = query;
  const from = after ? jobs.findIndex((job) => job.id === after.id) + 1 : 0;
  return jobs.slice(from, from + query.limit + 1);
}

function queueLine(job: Job, plan: Plan): QueueLine {
  return {
    job_id: job.id,
    job_name: job.jobName,
    status: job.status,
    priority: job.priority,
    estimated_duration_hours: job.estimatedDurationHours,
    queue_position: job.status === 'queued' ? (plan.positions[job.id] ?? null) : null,
    material_id: job.materialId,
    assigned_printer_id: job.assignedPrinterId,
    deadline_at: job.deadlineAt,
    copies: job.copies,
    copies_done: job.copiesDone,
    hold: job.hold,
    estimated_start_time: plan.lines.find((line) => line.jobId === job.id)?.start ?? null,
    waiting_reason: job.status === 'queued' ? (plan.waiting[job.id] ?? null) : null,
    status_reason: job.statusReason,
    created_at: job.createdAt,
  };
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
  if (errors.length > 0) throw new MalformedInputError('The query of the queue is not understood.', errors);
  return { status: status as JobStatus[], printerId: text('printer_id'), limit, after };
}

function asJobPlace([createdAt, id]: readonly unknown[]): NonNullable<QueueQuery['after']> | undefined {
  if (typeof createdAt !== 'string' || typeof id !== 'string' || Number.isNaN(Date.parse(createdAt))) return undefined;
  return /^[0-9a-f-]{36}$/.test(id) ? { createdAt, id } : undefined;
}

/** An attempt as the API shows it. */
export interface AttemptView {
  attempt_id: string;
  copy: number;
  printer_id: string;
  phase: string;
  file_name: string;
  slot: string;
  gcode_sha256: string | null;
  started_at: string | null;
  ended_at: string | null;
  outcome: string | null;
  reason: string | null;
}

/** Every column of a job, its attempts, its history, and why it waits. */
export type JobView = Record<string, unknown> & {
  job_id: string;
  version: number;
  attempts: AttemptView[];
  history: HistoryLine[];
};

/** Everything about one job. @throws NotFoundError */
export async function jobDetail(farm: Farm, id: string): Promise<JobView> {
  const { job, attempts, history, snapshot, row } = await farm.database.read(async (db) => {
    const found = await findJob(db, id);
    return {
      job: found,
      row: await jobRow(db, found.id),
      attempts: await attemptsOf(db, found.id),
      history: await historyOf(db, found.id),
      snapshot: isTerminal(found.status) ? undefined : await takeSnapshot(db, farm.options),
    };
  });
  const plan = snapshot && (await farm.planner.make(snapshot));
  return {
    ...row,
    job_id: job.id,
    version: job.version,
    queue_position: job.status === 'queued' ? (plan?.positions[job.id] ?? null) : null,
    estimated_start_time: plan?.lines.find((line) => line.jobId === job.id)?.start ?? null,
    waiting_reason: job.status === 'queued' ? (plan?.waiting[job.id] ?? null) : null,
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
    })),
    history,
  };
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
    return {
      printers: (await allPrinters(db)).map((printer) => {
        const attempt = attempts.find((one) => one.printerId === printer.id);
        return printerView(printer, slots, attempt && { attempt, jobName: names.get(attempt.jobId) ?? '' });
      }),
    };
  });
}

/** A material as the API shows it, with what is there of it (grams). */
export interface MaterialView {
  material_id: string;
  name: string;
  type: string;
  colour: string;
  colour_hex: string;
  brand: string;
  grams_left: number;
  grams_promised: number;
}

/** All materials that can be printed with. */
export async function materials(farm: Farm): Promise<{ materials: MaterialView[] }> {
  const [all, stock] = await farm.database.read(
    async (db) => [await allMaterials(db), await stockOfMaterials(db)] as const,
  );
  const stockOf = new Map(stock.map((one) => [one.materialId, one]));
  return {
    materials: all.map((material) => ({
      material_id: material.id,
      name: material.name,
      type: material.type,
      colour: material.colour,
      colour_hex: material.colourHex,
      brand: material.brand,
      grams_left: stockOf.get(material.id)?.gramsLeft ?? 0,
      grams_promised: stockOf.get(material.id)?.gramsPromised ?? 0,
    })),
  };
}
