import type { Reassigned as ContractReassigned } from '../contracts/jobs';
import { parseReassignment } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { permanentReasons } from '../fit/judge';
import { mayHaveStarted } from '../model/attempt';
import { ConflictError, UnacceptableInputError } from '../model/errors';
import type { PrinterId } from '../model/ids';
import { isTerminal } from '../model/status';
import { planningJob, planningPrinter } from '../schedule/snapshot';
import { attemptsOf, endBeforeStart } from '../store/attempts';
import { databaseNow, notify } from '../store/database';
import { lockJob, setForcePrinter } from '../store/jobs';
import { findMaterial } from '../store/materials';
import { allPrinters, loadedSlots } from '../store/printers';
import { settle } from './settle';

/** Where the job may be printed after the change. */
export type Reassigned = ContractReassigned;

/**
 * Assigns an open job to another printer, or to any: {force_printer}. An attempt at another printer is withdrawn as long as its
 * start has certainly not been sent, even during slicing and upload; a print that may have started goes on.
 * @param versions the accepted versions of the job; undefined: any
 * @throws StaleVersionError the job has another version
 * @throws ConflictError the job is over, is being cancelled, or has nothing left that could move
 * @throws UnacceptableInputError there is no such printer, or it can never print this job
 */
export async function reassign(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
  versions?: readonly number[],
): Promise<Reassigned> {
  const wanted = parseReassignment(input).force_printer;
  return farm.database.transaction(async (tx) => {
    const job = await lockJob(tx, id, versions);
    if (isTerminal(job.status) || job.cancelRequestedAt !== null) {
      const state = isTerminal(job.status) ? job.status : 'being cancelled';
      throw new ConflictError(`The job is ${state}; it cannot move.`, 'Choose an open job.');
    }
    const printer = wanted === null ? undefined : (await allPrinters(tx)).find((one) => one.id === wanted);
    if (wanted !== null) {
      const planned = planningJob({ ...job, forcePrinter: null }, await findMaterial(tx, job.materialId), 0, []);
      const place = printer && planningPrinter(printer, await loadedSlots(tx), undefined, await databaseNow(tx));
      const never = place
        ? permanentReasons(planned, place).map(({ text }) => text)
        : [`There is no printer "${wanted}".`];
      if (never.length > 0) {
        const remedy = 'Choose another printer, or null for any.';
        throw new UnacceptableInputError(never.join(' '), [{ field: 'force_printer', value: wanted, remedy }]);
      }
    }
    const elsewhere = (await attemptsOf(tx, job.id)).filter(
      (attempt) => attempt.phase !== 'ended' && wanted !== null && attempt.printerId !== wanted,
    );
    const started = elsewhere.filter(({ phase }) => mayHaveStarted(phase));
    if (started.length > 0 && job.copiesDone + started.length >= job.copies) {
      throw new ConflictError(
        `${started.map(({ printerId }) => printerId).join(', ')} prints it already.`,
        'Let it end, or cancel the job.',
      );
    }
    let moved = await setForcePrinter(tx, job, printer?.id ?? null, actor);
    const takenFrom: PrinterId[] = [];
    for (const attempt of elsewhere.filter(({ phase }) => !mayHaveStarted(phase))) {
      const reason = `reassigned to ${wanted} by ${actor}`;
      const ended = await endBeforeStart(tx, attempt.id, 'withdrawn', reason);
      if (!ended) continue;
      moved = await settle(tx, moved, { attempt: ended, outcome: 'withdrawn', reason, actor });
      takenFrom.push(attempt.printerId);
      await notify(tx, `attempt:${attempt.id}`);
    }
    return { job_id: moved.id, status: moved.status, force_printer: moved.forcePrinter, taken_from: takenFrom };
  });
}
