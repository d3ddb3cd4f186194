import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileAnalysis } from './analysis';
import type { FileTask } from './analysis-worker';
import type { Placement } from './clean-stl';
import type { Dialect } from './modifier-settings';
import { UnreadableFileError } from './unreadable';
import { runInWorker, type WorkerFailure } from './worker';

/** The limits for a submitted file, proportional to its size. */
export interface ReadingLimits {
  /**
   * Absent: half a minute, plus half a second per megabyte; on a machine that is not overloaded a hundredth is
   * enough.
   */
  timeLimitMs?: number;
  heapLimitMb?: number;
  signal?: AbortSignal;
}

/** Selects one of a file's plates by number. */
export interface OfPlate {
  /** Required if the file has several. */
  plate?: number;
}

/**
 * Reads a model or print file once and returns its analysis. Runs in a worker thread within time and memory limits; the
 * event loop stays free. The kind is decided by the content.
 *
 * @throws UnreadableFileError with the reason and the remedy
 */
export function analyseFile(path: string, limits: ReadingLimits = {}): Promise<FileAnalysis> {
  return runFileTask<FileAnalysis>({ task: 'analyse', path }, limits);
}

/**
 * Writes a model file as a clean binary STL in bed coordinates, in a worker thread; or, if `volumes` names the dialect
 * that a slicer reads, writes a project as a clean 3MF in that dialect, in which modifiers, negative volumes, support
 * blockers and enforcers keep their roles.
 *
 * @throws UnreadableFileError
 */
export async function placeModel(
  source: string,
  output: string,
  placement: Placement,
  { plate, volumes, ...limits }: ReadingLimits & OfPlate & { volumes?: Dialect } = {},
): Promise<void> {
  const task = { task: 'place', source, output, placement } as const;
  await runFileTask<null>(
    { ...task, ...(plate !== undefined && { plate }), ...(volumes !== undefined && { volumes }) },
    limits,
  );
}

/**
 * Draws a model as square PNGs of these sizes (points), in a worker thread.
 *
 * @throws UnreadableFileError
 */
export async function drawModel(
  source: string,
  outputs: { path: string; size: number }[],
  { plate, ...limits }: ReadingLimits & OfPlate = {},
): Promise<void> {
  await runFileTask<null>({ task: 'render', source, outputs, ...(plate !== undefined && { plate }) }, limits);
}

const leastTimeMs = 30_000;
const timePerByteMs = 500 / 1024 ** 2;

async function runFileTask<Result>(task: FileTask, limits: ReadingLimits): Promise<Result> {
  const path = task.task === 'analyse' ? task.path : task.source;
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  );
  return await runInWorker<Result>({
    module: join(__dirname, 'analysis-worker'),
    input: task,
    timeLimitMs: limits.timeLimitMs ?? leastTimeMs + size * timePerByteMs,
    heapLimitMb: limits.heapLimitMb ?? 192,
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
