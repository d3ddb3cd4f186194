import type { Farm } from '../farm/farm';
import { fileFacts } from '../files/facts';
import { PlateChoiceError, plateOf } from '../files/plates';
import { storedExtension } from '../files/stored-extension';
import { canEverPrint, impossible } from '../fit/judge';
import { asError, PlatewiseError } from '../model/errors';
import type { JobId } from '../model/ids';
import { isTerminal } from '../model/status';
import { fitJob, fitPrinter } from '../schedule/fit-subject';
import { localCopy } from '../shared-files/local-copy';
import { analysisOf } from '../shared-files/model-analysis';
import { amendJob, jobsWithoutFacts, lockJob, setHold, storeFileFacts } from '../store/jobs';
import { findMaterial } from '../store/materials';
import { allPrinters, loadedSlots } from '../store/printers';

const actor = 'upgrade';

/**
 * Reads the files of jobs that an earlier version accepted once more, and stores the facts that version did not record. Until then these
 * jobs wait. A job that would be rejected today is held with the reason, and an operator decides.
 *
 * @param signal ends the work after the current job
 */
export async function examineAgain(farm: Farm, signal: AbortSignal): Promise<void> {
  for (const id of await jobsWithoutFacts(farm.database)) {
    if (signal.aborted) return;
    await examineOne(farm, id).catch((error: unknown) => {
      if (!signal.aborted) farm.log('warn', `The job ${id} could not be examined again: ${asError(error).message}`);
    });
  }
}

async function examineOne(farm: Farm, id: JobId): Promise<void> {
  const { database } = farm;
  const { model, plate } = await database.transaction((tx) => lockJob(tx, id));
  const analysis = await localCopy({ files: farm.files, database }, model.sha256, storedExtension[model.kind])
    .then(async (path) => plateOf(await analysisOf(database, model.sha256, path), plate ?? undefined))
    .catch((error: unknown) => asError(error));
  await database.transaction(async (tx) => {
    const job = await lockJob(tx, id);
    if (job.fileFacts !== null || isTerminal(job.status)) return;
    if (analysis instanceof Error) {
      // A transient error is retried later; the job waits meanwhile.
      const lasting = analysis instanceof PlatewiseError && !analysis.retryable;
      if (!lasting) await amendJob(tx, id, { statusReason: `waits: ${reasonOf(analysis)}` });
      else if (!job.hold) await setHold(tx, job, true, actor, reasonOf(analysis));
      return;
    }
    const known = await storeFileFacts(tx, id, fileFacts(analysis), analysis.plate ?? null);
    const wanted = fitJob(known, await findMaterial(tx, known.materialId));
    const slots = await loadedSlots(tx);
    const places = (await allPrinters(tx)).map((printer) => fitPrinter(printer, slots));
    if (known.hold || places.some((printer) => canEverPrint(wanted, printer))) return;
    await setHold(tx, known, true, actor, impossible(wanted, places));
  });
}

function reasonOf(error: Error): string {
  if (error instanceof PlateChoiceError) return `${error.message} Cancel it, and submit it again with the plate.`;
  return `its file cannot be read: ${error.message}`;
}
