import { isActive, type PrinterJob, type PrinterReport } from '../model/printer';

/** A gap in which no part can be printed and removed unseen, in the printer's own time (seconds). */
const longestHarmlessGap = 60;

/** A report, together with what is known of the printer and its bed. */
export interface BedSight {
  report: Pick<PrinterReport, 'state' | 'job'>;
  /** Whether it shows the job of the open attempt. */
  ours: boolean;
  /** Whether the printer was printing when it was last seen. */
  wasActive: boolean;
  /** The last job that the printer has named. */
  known: PrinterJob | null;
  bed: { state: 'clear' | 'occupied'; cause: 'attempt' | 'foreign' | 'unknown' | null };
  /** Whether it is the first report after a time without any. */
  afterGap: boolean;
  /** The length of that time, in seconds of the printer's clock. */
  gapSeconds: number;
  /** Whether the printer has never been connected before. */
  firstContact: boolean;
  /** Whether nothing was ever printed on it; known for simulators only. */
  neverUsed: boolean;
}

/**
 * Returns what a report adds to the known state of the bed: a foreign print lies on it (`foreign`), its content is
 * unknown (`unknown`), or nothing new (null).
 */
export function judgeBed(sight: BedSight): 'foreign' | 'unknown' | null {
  const { report, ours, known, bed, afterGap } = sight;
  if (ours) return null;
  const record = compareRecords(report.job, known);
  if (isActive(report.state)) {
    // The bed is occupied by this same print already, which needs no new version.
    return bed.cause === 'foreign' && record !== 'different' ? null : 'foreign';
  }
  if (!afterGap) return report.job !== null && record === 'different' ? 'foreign' : null;
  if (bed.state === 'occupied')
    return record === 'different' && !sight.firstContact && report.job !== null ? 'foreign' : null;
  // Simulators only: they are used by their own farm, so that an unused one still has an empty plate.
  if (sight.neverUsed && (sight.firstContact || report.job === null)) return null;
  // A confirmation from before the first contact cannot cover what this machine has printed.
  if (sight.firstContact) return 'unknown';
  // The print that was running has ended since, and lies there.
  if (sight.wasActive) return 'unknown';
  if (record === 'same') return null;
  if (report.job === null) {
    // A printer that no longer remembers its job was switched off since, perhaps with a foreign part on the bed.
    return known === null && sight.gapSeconds <= longestHarmlessGap ? null : 'unknown';
  }
  if (record === 'different') return 'foreign';
  // The names are equal, but two prints may share a name.
  return sight.gapSeconds > longestHarmlessGap && bed.state === 'clear' ? 'unknown' : null;
}

/** Whether a report shows that a print has ended since the previous report, so that the content of the bed has changed. */
export function hasEnded({ wasActive, report }: Pick<BedSight, 'wasActive' | 'report'>): boolean {
  return wasActive && !isActive(report.state);
}

/**
 * Whether two records of a printer belong to the same print. An equal name proves nothing, a different one does;
 * `unknown` if only the names can be compared.
 */
export function compareRecords(one: PrinterJob | null, other: PrinterJob | null): 'same' | 'different' | 'unknown' {
  if (one === null && other === null) return 'unknown';
  if (one === null || other === null || one.name !== other.name) return 'different';
  const ids = [
    [one.recordId, other.recordId],
    [one.taskId, other.taskId],
  ].filter(([a, b]) => isId(a) && isId(b));
  if (ids.length === 0) return 'unknown';
  return ids.every(([a, b]) => a === b) ? 'same' : 'different';
}

/** Bambu printers use task id `0` for prints started at their screen. */
const isId = (id: string | undefined): boolean => id !== undefined && id !== '' && id !== '0';
