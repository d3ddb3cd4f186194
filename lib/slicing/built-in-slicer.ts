import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runInWorker, type WorkerFailure } from '../files/worker';
import { type Honoured, honoursAll } from './honoured';
import { type SliceRequest, type SliceResult, type Slicer, SlicingError } from './slicer';

/**
 * A basic slicer of our own, for machines without any: walls, solid skins, sparse infill, a skirt, a brim. No supports,
 * bridges or repair. It rejects meshes that are not closed. Runs in a worker thread, which is ended immediately on
 * abort.
 */
export class BuiltInSlicer implements Slicer {
  readonly name = 'built-in';
  readonly trusted = false;
  readonly honours: Honoured = {
    ...honoursAll,
    supports: ['none'],
    infill_pattern: ['grid', 'cubic', 'rectilinear', 'lines', 'triangles'],
  };
  readonly version = '3';
  readonly #timeLimitMs: number;

  constructor(options: { timeLimitMs?: number } = {}) {
    this.#timeLimitMs = options.timeLimitMs ?? 15 * 60_000;
  }

  async probe(): Promise<{ usable: true; version: string } | { usable: false; reason: string }> {
    return { usable: true, version: this.version };
  }

  async slice(
    request: SliceRequest,
    options: { signal: AbortSignal; progress(fraction: number): void },
  ): Promise<SliceResult> {
    const temporary = `${request.outputPath}.tmp`;
    try {
      const result = await runInWorker<SliceResult>({
        module: join(__dirname, 'built-in-worker'),
        input: { ...request, outputPath: temporary },
        timeLimitMs: this.#timeLimitMs,
        heapLimitMb: 2048,
        signal: options.signal,
        progress: (fraction) => options.progress(fraction),
        failed: slicingError,
      });
      await rename(temporary, request.outputPath);
      return result;
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

function slicingError(failure: WorkerFailure): Error {
  switch (failure.cause) {
    case 'refused':
      return new SlicingError(failure.message, failure.remedy ?? 'Correct the model.');
    case 'time':
    case 'memory':
      return new SlicingError(`Slicing ${failure.message}.`, 'Simplify the model, or slice with PrusaSlicer.');
    case 'crashed':
      return new SlicingError(`The built-in slicer failed: ${failure.message}`, 'Slice with PrusaSlicer.');
  }
}
