// Judges a campaign by the printers' truth logs, the database and the API's answers. It shares no code with lib/.
import type { FarmFloor, Truth } from './farm-floor';
import { type Question, sameFile } from './operator';

/** The relevant columns of a database row. */
interface JobRow {
  id: string;
  job_name: string;
  material_id: string;
  status: string;
  status_reason: string | null;
  copies: number;
  copies_done: number;
  job_seq: number;
  actual_cost_usd: number | null;
}
interface AttemptRow {
  id: string;
  job_id: string;
  printer_id: string;
  slot: string;
  phase: string;
  outcome: string | null;
  file_name: string;
  fence: string | null;
  reason: string | null;
}
/** The filament of an attempt, as recorded and as deducted from its spools; null without a record or a deduction. */
interface TakenRow {
  attempt_id: string;
  recorded_grams: number | null;
  recorded_usd: number | null;
  deducted_grams: number | null;
}
interface SpoolRow {
  id: string;
  initial_grams: number;
  grams_left: number;
  deducted_grams: number;
}
interface HistoryRow {
  job_id: string;
  from_status: string | null;
  to_status: string;
  changed_by: string | null;
  reason: string | null;
}

export interface Evidence {
  /** Ids that were answered with 201. */
  accepted: string[];
  /** Ids that were answered with `cancelled`, with the time of the answer (ms since 1970). */
  cancelled: Map<string, number>;
  questions: Question[];
  /** Attempts that waited for an operator, for which the API offered no action. */
  withoutWayOut: string[];
  /** Status messages by job, in the order of delivery; undefined if no outside client can listen. */
  told: Map<string, number[]> | undefined;
  /** Jobs whose event numbers start over, because they were in the database when a backup was restored. */
  countedAnew: Set<string>;
  /** Printers that were not reached again after the last fault. */
  stranded: string[];
  /** Writes to attempts by a process that no longer held them, as recorded by the database. */
  staleWrites: { attempt_id: string; what: string }[];
  jobs: JobRow[];
  attempts: AttemptRow[];
  history: HistoryRow[];
  taken: TakenRow[];
  spools: SpoolRow[];
}

export interface Judgement {
  attempts: number;
  starts: number;
  double_starts: number;
  occupied_bed_starts: number;
  /** Starts on a different machine than the attempt was meant for. */
  wrong_machine_starts: number;
  lost_jobs: number;
  wedged_jobs: number;
  /** Printers that were not reached again after the last fault. */
  stranded_printers: number;
  history_gaps: number;
  cancelled_but_printed: number;
  stale_writes: number;
  material_errors: number;
  /** Prints from a different tool than their slot feeds, in a different filament than requested, or with other grams than recorded. */
  wrong_filament: number;
  /** Jobs that were accepted for a file that must not be printed. */
  wrong_file: number;
  /** Attempts that waited for an operator without an action from the API. */
  without_way_out: number;
  unknown_outcomes: number;
  undecidable: number;
  /** A description of each finding. */
  findings: string[];
}

/** The figures that must be 0. */
export const promises = [
  'double_starts',
  'occupied_bed_starts',
  'wrong_machine_starts',
  'lost_jobs',
  'wedged_jobs',
  'stranded_printers',
  'history_gaps',
  'cancelled_but_printed',
  'stale_writes',
  'material_errors',
  'wrong_filament',
  'wrong_file',
  'without_way_out',
] as const satisfies readonly (keyof Judgement)[];

/** The status graph, repeated here on purpose. */
const graph: Record<string, string[]> = {
  queued: ['scheduled', 'failed', 'cancelled'],
  scheduled: ['slicing', 'queued', 'failed', 'cancelled'],
  slicing: ['uploading', 'queued', 'scheduled', 'failed', 'cancelled'],
  uploading: ['printing', 'queued', 'scheduled', 'slicing', 'failed', 'cancelled'],
  printing: ['completed', 'queued', 'scheduled', 'slicing', 'uploading', 'failed', 'cancelled'],
  failed: ['queued'],
  completed: [],
  cancelled: [],
};
const terminal = ['completed', 'failed', 'cancelled'];

export function judge(evidence: Evidence, floor: FarmFloor): Judgement {
  const findings: string[] = [];
  const truth = floor.printers.flatMap((printer) =>
    floor.truth(printer).map((line) => ({ ...line, printer: printer.id })),
  );
  const ours = (line: Truth): boolean => (line.file_name.split('/').at(-1) ?? '').startsWith('pw-');
  const starts = truth.filter((line) => line.event === 'start' && ours(line));

  const commands = new Map<string, number>();
  for (const { file_name } of starts) {
    const name = stem(file_name);
    commands.set(name, (commands.get(name) ?? 0) + 1);
  }
  const doubles = [...commands].filter(([, count]) => count > 1);
  for (const [name, count] of doubles) findings.push(`double start: ${name} was started ${count} times`);

  // A copy of a job may be printed once: a second print of it needs a failure, or an operator's answer, before it.
  const again = printedTwice(evidence, truth);
  for (const finding of again) findings.push(finding);

  const occupied = starts.filter((line) => line.accepted !== false && line.bed !== 'clear');
  for (const line of occupied) findings.push(`occupied bed: ${line.file_name} on ${line.bed} at ${line.printer}`);

  const elsewhere = starts.filter(({ file_name, printer }) => {
    const attempt = evidence.attempts.find((one) => sameFile(one.file_name, file_name));
    return attempt !== undefined && attempt.printer_id !== printer;
  });
  for (const line of elsewhere) findings.push(`wrong machine: ${line.file_name} was started on ${line.printer}`);

  const lost = lostJobs(evidence, truth);
  findings.push(...lost);

  const wedged = evidence.jobs.filter(
    (job) => !terminal.includes(job.status) && !(job.status_reason ?? '').startsWith('outcome_unknown:'),
  );
  for (const job of wedged) findings.push(`wedged: ${job.id} is ${job.status} (${job.status_reason ?? ''})`);

  for (const id of evidence.stranded) findings.push(`stranded: ${id} was not reached again after the last fault`);

  const gaps = historyGaps(evidence);
  findings.push(...gaps);

  const printedAll = cancelledButPrinted(evidence, truth);
  findings.push(...printedAll);

  for (const { attempt_id, what } of evidence.staleWrites) findings.push(`stale write: ${attempt_id}: ${what}`);

  const materials = materialErrors(evidence, truth);
  findings.push(...materials);

  const wrongPrints = wrongFilament(evidence, floor, truth);
  findings.push(...wrongPrints);

  const wrongFiles = evidence.jobs.filter(({ job_name }) => job_name.startsWith(wrongFilePrefix));
  for (const { id, job_name, status, status_reason } of wrongFiles) {
    findings.push(`wrong file: ${id} was accepted for a ${job_name} and is ${status} (${status_reason ?? ''})`);
  }

  for (const id of evidence.withoutWayOut) findings.push(`no way out: the API offered no action for ${id}`);

  for (const question of evidence.questions.filter(({ undecidable }) => !undecidable)) {
    findings.push(`needless question: ${question.printerId} had a trace of ${question.fileName}`);
  }
  return {
    attempts: evidence.attempts.length,
    starts: starts.length,
    double_starts: doubles.length + again.length,
    occupied_bed_starts: occupied.length,
    wrong_machine_starts: elsewhere.length,
    lost_jobs: lost.length,
    wedged_jobs: wedged.length,
    stranded_printers: evidence.stranded.length,
    history_gaps: gaps.length,
    cancelled_but_printed: printedAll.length,
    stale_writes: evidence.staleWrites.length,
    material_errors: materials.length,
    wrong_filament: wrongPrints.length,
    wrong_file: wrongFiles.length,
    without_way_out: evidence.withoutWayOut.length,
    unknown_outcomes: evidence.questions.length,
    undecidable: evidence.questions.filter(({ undecidable }) => undecidable).length,
    findings,
  };
}

const stem = (name: string): string => (name.split('/').at(-1) ?? '').replace(/(\.gcode)?(\.3mf)?$/i, '');

type Seen = Truth & { printer: string };

/** Jobs with more finished prints than copies. */
function printedTwice(evidence: Evidence, truth: Seen[]): string[] {
  const finished = truth.filter(({ event }) => event === 'finished');
  return evidence.jobs.flatMap((job) => {
    const files = evidence.attempts.filter(({ job_id }) => job_id === job.id).map(({ file_name }) => file_name);
    const prints = finished.filter((line) => files.some((file) => sameFile(file, line.file_name))).length;
    return prints > job.copies
      ? [`double start: ${job.id} has ${job.copies} copies and was printed ${prints} times`]
      : [];
  });
}

/** Accepted jobs that are gone, and completed ones that were not printed. */
function lostJobs(evidence: Evidence, truth: Seen[]): string[] {
  const known = new Set(evidence.jobs.map(({ id }) => id));
  const gone = evidence.accepted.filter((id) => !known.has(id)).map((id) => `lost: ${id} was accepted and is gone`);
  const finished = truth.filter(({ event }) => event === 'finished');
  const unprinted = evidence.jobs
    .filter(({ status }) => status === 'completed')
    .flatMap((job) => {
      const completed = evidence.attempts.filter((one) => one.job_id === job.id && one.outcome === 'completed');
      const missing = completed.filter(
        (attempt) =>
          !finished.some((line) => sameFile(line.file_name, attempt.file_name)) &&
          !evidence.questions.some(({ attemptId, answer }) => attemptId === attempt.id && answer === true),
      );
      if (completed.length < job.copies)
        return [`lost: ${job.id} is completed with ${completed.length} of ${job.copies} prints`];
      return missing.map(({ file_name }) => `lost: ${job.id} is completed, and ${file_name} was never finished`);
    });
  const silent = evidence.jobs
    .filter((job) => job.status === 'failed' && !job.status_reason)
    .map((job) => `lost: ${job.id} failed without a reason`);
  return [...gone, ...unprinted, ...silent];
}

/** Gaps in a job's history, and status changes that were not published, or published in the wrong order. */
function historyGaps(evidence: Evidence): string[] {
  return evidence.jobs.flatMap((job) => {
    const rows = evidence.history.filter(({ job_id }) => job_id === job.id);
    const gaps: string[] = [];
    let status: string | null = null;
    for (const row of rows) {
      if (row.from_status !== status) gaps.push(`gap: ${job.id} goes from ${row.from_status} after ${status}`);
      // A change of priority, a hold or a cancel request adds a row that keeps the status.
      if (
        row.from_status !== null &&
        row.from_status !== row.to_status &&
        !graph[row.from_status]?.includes(row.to_status)
      ) {
        gaps.push(`gap: ${job.id} went from ${row.from_status} to ${row.to_status}`);
      }
      if (!row.changed_by || !row.reason) gaps.push(`gap: ${job.id} to ${row.to_status} without actor or reason`);
      status = row.to_status;
    }
    if (status !== job.status) gaps.push(`gap: the history of ${job.id} ends with ${status}, it is ${job.status}`);
    if (evidence.told && !evidence.countedAnew.has(job.id)) {
      const numbers = evidence.told.get(job.id) ?? [];
      const first = [...new Set(numbers)];
      if (first.some((number, index) => index > 0 && number < (first[index - 1] ?? 0))) {
        gaps.push(`gap: the events of ${job.id} were published in the order ${numbers.join(' ')}`);
      }
      for (let number = 1; number <= job.job_seq; number++) {
        if (!numbers.includes(number)) gaps.push(`gap: event ${number} of ${job.id} was never published`);
      }
    }
    return gaps;
  });
}

/** Starts, and prints that continued, after the answer `cancelled`. */
function cancelledButPrinted(evidence: Evidence, truth: Seen[]): string[] {
  return [...evidence.cancelled].flatMap(([id, answeredAt]) => {
    const files = evidence.attempts.filter(({ job_id }) => job_id === id).map(({ file_name }) => file_name);
    const lines = truth.filter(({ file_name }) => files.some((file) => sameFile(file, file_name)));
    const after = lines.filter(
      (line) =>
        ['start', 'started', 'finished'].includes(line.event) &&
        line.accepted !== false &&
        Date.parse(line.at) > answeredAt,
    );
    return after.map(
      (line) => `cancelled: ${id} was answered with cancelled, and ${line.file_name} was ${line.event} after that`,
    );
  });
}

/** The names of jobs that must be rejected begin with this. */
export const wrongFilePrefix = 'wrong file ';

/** The allowed difference between the printers' figures and ours: a share, plus the rounding of small prints (g). */
const gramsTolerance = { share: 0.15, grams: 0.5 };

/** Our prints that did not use the tool that their slot feeds, the material of their job, or the recorded grams. */
function wrongFilament({ attempts, jobs, questions, taken }: Evidence, floor: FarmFloor, truth: Seen[]): string[] {
  return attempts.flatMap((attempt) => {
    const lines = truth.filter(({ tools, file_name }) => tools !== undefined && sameFile(file_name, attempt.file_name));
    const job = jobs.find(({ id }) => id === attempt.job_id);
    const printer = floor.printers.find(({ id }) => id === attempt.printer_id);
    if (lines.length === 0 || !job) return [];
    const tool = printer?.slots.find(({ slot }) => slot === attempt.slot)?.tool;
    const errors = new Set<string>();
    for (const { event, tools = [] } of lines) {
      if (event === 'finished' && tools.length === 0) errors.add('extruded nothing');
      for (const used of tools) {
        if (used.material !== job.material_id) errors.add(`tool ${used.tool} printed in ${used.material ?? 'nothing'}`);
        if (used.tool !== tool) errors.add(`tool ${used.tool} printed, slot ${attempt.slot} feeds tool ${tool}`);
      }
    }
    const finished = lines.find(({ event }) => event === 'finished');
    const recorded = taken.find(({ attempt_id }) => attempt_id === attempt.id)?.recorded_grams;
    const asked = questions.some(({ attemptId }) => attemptId === attempt.id);
    if (attempt.outcome === 'completed' && finished && recorded != null && !asked) {
      const came = (finished.tools ?? []).reduce((sum, { grams }) => sum + grams, 0);
      const most = gramsTolerance.share * Math.max(came, recorded) + gramsTolerance.grams;
      if (Math.abs(came - recorded) > most) errors.add(`${came} g were extruded, ${recorded} g are recorded`);
    }
    if (errors.size === 0) return [];
    const what = `${attempt.file_name} (${job.job_name}, ${job.material_id}) at ${attempt.printer_id}`;
    return [`wrong filament: ${what}: ${[...errors].join('; ')}`];
  });
}

/** Both are rounded to cents and hundredths of a gram in the database. */
const rounding = 0.011;

/** Grams and costs that do not add up: charged twice, not at all, for nothing, or not as recorded. */
function materialErrors({ attempts, jobs, questions, spools, taken }: Evidence, truth: Seen[]): string[] {
  const spoolErrors = spools
    .filter((spool) => {
      const difference = spool.initial_grams - spool.deducted_grams - spool.grams_left;
      return spool.grams_left < 0 || Math.abs(difference) > rounding;
    })
    .map(
      (spool) =>
        `material: of ${spool.initial_grams} g on spool ${spool.id} ${spool.deducted_grams} g were deducted, ${spool.grams_left} g are left`,
    );
  const started = truth.filter(({ event }) => event === 'started');
  const attemptErrors = attempts
    .filter(({ phase }) => phase === 'ended')
    .flatMap(({ id, file_name, outcome, reason }) => {
      const rows = taken.filter(({ attempt_id }) => attempt_id === id);
      const [row] = rows;
      const recorded = row?.recorded_grams ?? null;
      const deducted = row?.deducted_grams ?? null;
      const errors: string[] = [];
      if (rows.length > 1) errors.push('was recorded or deducted more than once');
      if ((recorded ?? 0) !== (deducted ?? 0)) errors.push(`recorded ${recorded} g, but deducted ${deducted} g`);
      if (outcome === 'completed, but used no filament' && !((recorded ?? 0) > 0))
        errors.push('completed, and took nothing');
      // If the farm could not know whether it printed, the operator's answer decides.
      // The same holds for an attempt that was withdrawn because a backup was restored in which it was unclaimed.
      const asked = questions.some(({ attemptId }) => attemptId === id) || /restored from a backup/.test(reason ?? '');
      const printed = started.some((line) => sameFile(line.file_name, file_name));
      if (printed && !asked && recorded === null) errors.push('printed, but was never recorded');
      return errors.map((error) => `material: ${file_name} (${outcome}) ${error}`);
    });
  const costErrors = jobs.flatMap((job) => {
    const own = attempts.filter(({ job_id }) => job_id === job.id).map(({ id }) => id);
    const costs = taken
      .filter(({ attempt_id }) => own.includes(attempt_id))
      .map(({ recorded_usd }) => recorded_usd ?? 0);
    const sum = costs.reduce((one, other) => one + other, 0);
    const cost = job.actual_cost_usd ?? 0;
    return Math.abs(sum - cost) > rounding * Math.max(1, costs.length)
      ? [`material: ${job.id} cost ${cost} USD, its prints ${sum} USD`]
      : [];
  });
  return [...spoolErrors, ...attemptErrors, ...costErrors];
}
