import { parentPort, workerData } from 'node:worker_threads';
import { analyseHere } from './analyse';
import { copyAsCleanStl, type Placement } from './clean-stl';
import type { Dialect } from './modifier-settings';
import { failureMessage } from './worker';

/** The task of the worker. */
export type FileTask =
  | { task: 'analyse'; path: string }
  | { task: 'place'; source: string; output: string; placement: Placement; plate?: number; volumes?: Dialect }
  | { task: 'render'; source: string; outputs: { path: string; size: number }[]; plate?: number };

async function perform(task: FileTask): Promise<unknown> {
  if (task.task === 'analyse') return await analyseHere(task.path);
  if (task.task === 'render') {
    const { renderModel } = require('./render') as typeof import('./render');
    await renderModel(task.source, task.outputs, task.plate);
  } else if (task.volumes) {
    const { copyAsCleanProject } = require('./clean-project') as typeof import('./clean-project');
    await copyAsCleanProject(task.source, task.output, task.placement, task.volumes, task.plate);
  } else await copyAsCleanStl(task.source, task.output, task.placement, task.plate);
  return null;
}

perform(workerData as FileTask).then(
  (result) => parentPort?.postMessage({ result }),
  (error) => parentPort?.postMessage(failureMessage(error)),
);
