import { isActive, type PrinterJob, type PrinterReport } from '../model/printer';

/** Up to so long, in the printer's own time, nobody can print a part and take it off again unseen (seconds). */
const longestHarmlessGap = 60;

/** What a report shows, beside what is known of the printer and its bed. */
export interface BedSight {
  report: Pick<PrinterReport, 'state' | 'job'>;
  /** Whether it shows the job of the open attempt. */
  ours: boolean;
  /** Whether it printed when it was last seen. */
  wasActive: boolean;
  /** The last job that the printer has named. */
  known: PrinterJob | null;
  bed: { state: 'clear' | 'occupied'; cause: 'attempt' | 'foreign' | 'unknown' | null };
  /** The first report after a time without any. */
  afterGap: boolean;
  /** How long that time was, in seconds of the printer's clock. */
  gapSeconds: number;
  /** Whether the printer has never been connected before. */
  firstContact: boolean;
  /** Whether nothing was ever printed on it; known of simulators only. */
  neverUsed: boolean;
}

/**
 * What a report says of the bed beyond what is known: a print that is not ours lies there (`foreign`), nobody can tell what
 * lies there (`unknown`), or nothing new (null).
 */
export function judgeBed(sight: BedSight): 'foreign' | 'unknown' | null {
  const { report, ours, known, bed, afterGap } = sight;
  if (ours) return null;
  const record = compareRecords(report.job, known);
  if (isActive(report.state)) {
    // What is there because of this very print needs no new version.
    return bed.cause === 'foreign' && record !== 'different' ? null : 'foreign';
  }
  if (!afterGap) return report.job !== null && record === 'different' ? 'foreign' : null;
  if (bed.state === 'occupied')
    return record === 'different' && !sight.firstContact && report.job !== null ? 'foreign' : null;
  // Only of a simulator that was just made it is known that its plate is empty; later anybody may have printed on it.
  if (sight.neverUsed && sight.firstContact && report.job === null) return null;
  // Whoever said before that the bed is clear cannot have known what this machine has printed.
  if (sight.firstContact) return 'unknown';
  // What was printing has ended since, and lies there.
  if (sight.wasActive) return 'unknown';
  if (record === 'same') return null;
  if (report.job === null) {
    // A printer that no longer remembers its job was switched off since, perhaps with a part of somebody else's on the bed.
    return known === null && sight.gapSeconds <= longestHarmlessGap ? null : 'unknown';
  }
  if (record === 'different') return 'foreign';
  // The same name, which two prints may share.
  return sight.gapSeconds > longestHarmlessGap && bed.state === 'clear' ? 'unknown' : null;
}

/** Whether a report shows that a print has ended since the report before: what lies on the bed is not what it was. */
export function hasEnded({ wasActive, report }: Pick<BedSight, 'wasActive' | 'report'>): boolean {
  return wasActive && !isActive(report.state);
}

/**
 * Whether two records of a printer are those of one print. The same name alone proves nothing, but a different one does;
 * `unknown` where nothing but the name can be compared.
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

/** A Bambu gives `0` as the task of what was started at its screen. */
const isId = (id: string | undefined): boolean => id !== undefined && id !== '' && id !== '0';
