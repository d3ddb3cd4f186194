import type { JobWhy as ContractJobWhy, PrinterWhy as ContractPrinterWhy } from '../contracts/plan';
import type { Farm } from '../farm/farm';
import { NotFoundError } from '../model/errors';
import { isTerminal } from '../model/status';
import { explainJob, explainPrinter } from '../planning/explain';
import { plannedForAll } from '../schedule/plan';
import { findJob } from '../store/jobs';
import { findPrinter } from '../store/printers';
import { obstacles, obstaclesOf } from './obstacles';

/** Why a job has not started, and what would change that. */
export type JobWhy = ContractJobWhy;

/** Returns why a job has not started: the first constraint that it violates, or what was preferred. @throws NotFoundError */
export async function whyJob(farm: Farm, id: string): Promise<JobWhy> {
  const job = await findJob(farm.database, id);
  const { snapshot, plan } = await plannedForAll(farm);
  const planned = snapshot.jobs.find((one) => one.id === job.id);
  if (!planned || isTerminal(job.status) || (job.status !== 'queued' && planned.copiesToStart < 1)) {
    const because = isTerminal(job.status)
      ? `it is ${job.status}${job.statusReason ? `: ${job.statusReason}` : ''}`
      : `it is under way on ${job.assignedPrinterId ?? 'a printer'}${job.statusReason ? `: ${job.statusReason}` : ''}`;
    const [obstacle] =
      job.status === 'scheduled' ? obstaclesOf(await obstacles(farm), job.assignedPrinterId ?? '') : [];
    const nothing = {
      would_help: obstacle ? [obstacle.remedy] : [],
      start: job.startedAt,
      end: job.completedAt,
      owed_at: null,
      after: [],
      printers: [],
    };
    const waits = obstacle ? `; its dispatch waits: ${obstacle.text}` : '';
    return { job_id: job.id, status: job.status, because: `${because}${waits}`, ...nothing };
  }
  const why = explainJob(snapshot, plan, planned);
  const ready = plan.lines.find((line) => line.jobId === job.id && line.ready);
  const [obstacle] = ready ? obstaclesOf(await obstacles(farm), ready.printerId) : [];
  return {
    job_id: job.id,
    status: job.status,
    because: obstacle ? `nothing can be dispatched: ${obstacle.text}` : why.because,
    would_help: obstacle ? [obstacle.remedy, ...why.wouldHelp] : why.wouldHelp,
    start: why.start,
    end: why.end,
    owed_at: why.owedAt,
    after: why.after,
    printers: why.printers.map(({ printerId, ...rest }) => ({ printer_id: printerId, ...rest })),
  };
}

/** Why a printer is idle, and its next job. */
export type PrinterWhy = ContractPrinterWhy;

/** Returns why a printer is idle. @throws NotFoundError */
export async function whyPrinter(farm: Farm, id: string): Promise<PrinterWhy> {
  const printer = await findPrinter(farm.database, id);
  const { snapshot, plan } = await plannedForAll(farm);
  const place = snapshot.printers.find((one) => one.id === printer.id);
  if (!place) throw new NotFoundError('printer', id);
  const why = explainPrinter(snapshot, plan, place);
  // If the next job could start immediately, only the dispatch can prevent it.
  const [obstacle] = why.next?.ready && !place.busy ? obstaclesOf(await obstacles(farm), printer.id) : [];
  return {
    printer_id: printer.id,
    idle: why.idle,
    because: obstacle ? `nothing can be dispatched: ${obstacle.text}` : why.because,
    would_help: obstacle ? [obstacle.remedy, ...why.wouldHelp] : why.wouldHelp,
    next: why.next && { job_id: why.next.jobId, start: why.next.start, setups: why.next.setups },
  };
}
