import { join } from 'node:path';
import type { FileAnalysis } from './analysis';
import type { FileTask } from './analysis-worker';
import type { Placement } from './clean-stl';
import { UnreadableFileError } from './unreadable';
import { runInWorker, type WorkerFailure } from './worker';

/** Limits for reading one file: ten million triangles take some seconds. */
export interface ReadingLimits {
  timeLimitMs?: number;
  heapLimitMb?: number;
  signal?: AbortSignal;
}

/**
 * Reads a model or print file once and tells what is in it. Runs in a worker thread within time and memory limits; the
 * event loop stays free. The kind is decided by the content.
 *
 * @throws UnreadableFileError with the reason and the remedy
 */
export function analyseFile(path: string, limits: ReadingLimits = {}): Promise<FileAnalysis> {
  return runFileTask<FileAnalysis>({ task: 'analyse', path }, limits);
}

/**
 * Writes a model file as a clean binary STL in bed coordinates, in a worker thread.
 *
 * @throws UnreadableFileError
 */
export async function placeModel(
  source: string,
  output: string,
  placement: Placement,
  limits: ReadingLimits = {},
): Promise<void> {
  await runFileTask<null>({ task: 'place', source, output, placement }, limits);
}

function runFileTask<Result>(task: FileTask, limits: ReadingLimits): Promise<Result> {
  return runInWorker<Result>({
    module: join(__dirname, 'analysis-worker'),
    input: task,
    timeLimitMs: limits.timeLimitMs ?? 120_000,
    heapLimitMb: limits.heapLimitMb ?? 1024,
    ...(limits.signal && { signal: limits.signal }),
    failed: unreadable,
  });
}

function unreadable(failure: WorkerFailure): Error {
  const remedy = failure.remedy ?? 'Simplify the model or export it again.';
  switch (failure.cause) {
    case 'refused':
      return new UnreadableFileError(failure.reason ?? failure.message, remedy);
    case 'time':
    case 'memory':
      return new UnreadableFileError(`reading it ${failure.message}`, remedy);
    case 'crashed':
      return new UnreadableFileError(
        `reading it failed (${failure.message})`,
        'Check that the file exists and is readable.',
      );
  }
}
