import { isSameJob } from '../makes/driver';
import { ConflictError } from '../model/errors';
import type { PrinterId } from '../model/ids';
import type { Job } from '../model/job';
import { type Drawn, gramsDrawn } from '../model/spool-shares';
import { type Attempt, lockAttempt, openAttemptOf } from '../store/attempts';
import { lockJob } from '../store/jobs';
import { findMaterial, leaveOnlyReserved, missingGrams, type Spool } from '../store/materials';
import { lockPrinter, type Printer } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { feedFrom, spoolsTaken, takeSpoolOut } from '../store/spool-changes';

/** A print under way, with its job and printer; all three are locked. */
export interface FedPrint {
  attempt: Attempt;
  job: Job;
  printer: Printer;
}

/**
 * Returns the print that a slot feeds; undefined: none. Locks all rows on which its end, its start, and the start of another print
 * depend.
 */
export async function lockFedPrint(tx: Transaction, printerId: PrinterId, slot: string): Promise<FedPrint | undefined> {
  const before = await openAttemptOf(tx, printerId);
  const job = before?.slot === slot ? await lockJob(tx, before.jobId) : undefined;
  if (before && job) await lockAttempt(tx, before.id);
  const printer = await lockPrinter(tx, printerId);
  const attempt = await openAttemptOf(tx, printerId);
  if (attempt?.slot !== slot) return undefined;
  // Another print was dispatched in between: its job would have to be locked before the printer.
  if (!job || attempt.id !== before?.id) throw inUse('A print has just been assigned to this slot.', 'Try again.');
  return { attempt, job, printer };
}

/**
 * Switches a print to another spool; null unloads the current one until the next is recorded. For a running print, records how
 * much has been extruded so that each spool is charged its share. A print that has not started simply uses the new spool.
 *
 * @param lowGrams below this a spool is low
 * @throws ConflictError the spool is of another material, has too little for a print that has not begun, or it is unknown
 *   whether the print is running
 */
export async function changeSpoolOfPrint(
  tx: Transaction,
  print: FedPrint,
  spool: Spool | null,
  lowGrams: number,
): Promise<void> {
  const { attempt, job } = print;
  if (spool && spool.materialId !== job.materialId) {
    throw new ConflictError(
      `The print under way needs ${job.materialId}; this spool is ${spool.materialId}.`,
      `Load a spool of ${job.materialId}, or cancel the print.`,
      'other_material',
    );
  }
  switch (attempt.phase) {
    case 'dispatched':
    case 'claimed':
    case 'preparing':
    case 'uploading':
      if (!spool)
        throw inUse('A print is about to start from this slot.', 'Put another spool in, or cancel the print.');
      await feedFrom(tx, attempt.id, spool.id);
      return refuseTooLittle(tx, attempt);
    case 'printing':
      await noteTakenOut(tx, print);
      // The spool is empty, whatever its records show.
      if (attempt.spoolId && spool !== null && print.printer.attention?.code === 'run_out')
        await leaveOnlyReserved(tx, attempt.spoolId, lowGrams);
      if (spool) await feedFrom(tx, attempt.id, spool.id);
      return;
    case 'starting':
      throw inUse('A print is being started from this slot.', 'Try again once the print is running.');
    case 'outcome_unknown':
    case 'ended':
      throw inUse(
        'Whether a print still uses this slot is unknown.',
        'First report whether it printed (POST attempts/{id}/outcome).',
      );
  }
}

const inUse = (message: string, remedy: string): ConflictError => new ConflictError(message, remedy, 'slot_in_use');

async function refuseTooLittle(tx: Transaction, attempt: Attempt): Promise<void> {
  const missing = await missingGrams(tx, attempt.id);
  if (missing === 0) return;
  const message = `This spool is ${Math.ceil(missing)} g short for the print that is about to start.`;
  throw inUse(message, 'Load a spool with enough filament, or cancel the print.');
}

/** Records how much of the print came from the spool that is taken out. */
async function noteTakenOut(tx: Transaction, { attempt, job, printer }: FedPrint): Promise<void> {
  const drawn = drawnOf(attempt, printer);
  const given = (await spoolsTaken(tx, attempt.id)).reduce((sum, { reservedGrams }) => sum + reservedGrams, 0);
  const grams = given + attempt.reservedGrams;
  const material = await findMaterial(tx, job.materialId);
  const now = gramsDrawn(drawn, { grams, progress: 1, material }) ?? given;
  const gave = Math.min(attempt.reservedGrams, Math.max(0, now - given));
  await takeSpoolOut(tx, attempt.id, drawn, gave);
}

/** How much of a print has been extruded, as its printer reports; a report from before it went offline may be outdated. */
function drawnOf(attempt: Attempt, { report, online }: Printer): Drawn {
  if (!report || !online || !isSameJob(attempt, report.job)) return { progress: null, filamentMm: null };
  if (report.ending !== null) throw inUse('The print from this slot is ending.', 'Try again once it has ended.');
  return { progress: report.progress, filamentMm: report.filamentMm ?? null };
}
