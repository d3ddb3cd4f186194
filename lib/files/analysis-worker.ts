import { parentPort, workerData } from 'node:worker_threads';
import { analyseHere } from './analyse';
import { copyAsCleanStl, type Placement } from './clean-stl';
import { failureMessage } from './worker';

/** What the worker is asked to do. */
export type FileTask =
  | { task: 'analyse'; path: string }
  | { task: 'place'; source: string; output: string; placement: Placement }
  | { task: 'render'; source: string; outputs: { path: string; size: number }[] };

async function perform(task: FileTask): Promise<unknown> {
  if (task.task === 'analyse') return await analyseHere(task.path);
  if (task.task === 'render') {
    const { renderModel } = require('./render') as typeof import('./render');
    await renderModel(task.source, task.outputs);
  } else await copyAsCleanStl(task.source, task.output, task.placement);
  return null;
}

perform(workerData as FileTask).then(
  (result) => parentPort?.postMessage({ result }),
  (error) => parentPort?.postMessage(failureMessage(error)),
);
