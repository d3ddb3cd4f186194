import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { asError, PlatewiseError } from '../model/errors';

export interface WorkerRun {
  /** The module to run, as an absolute path without extension: `join(__dirname, 'analysis-worker')`. */
  module: string;
  input: unknown;
  /** Wall clock time limit of the worker, ms. */
  timeLimitMs: number;
  /** Heap limit of the worker, MB. */
  heapLimitMb: number;
  signal?: AbortSignal;
  /** Receives the worker's progress reports. */
  progress?: (value: number) => void;
  /** Converts an error of the worker into an error of the caller. */
  failed: (failure: WorkerFailure) => Error;
}

/** The form in which a worker reports an error to the caller's thread. */
export interface WorkerFailure {
  /** `time` and `memory`: we ended it; `refused`: a PlatewiseError; `crashed`: anything else. */
  cause: 'time' | 'memory' | 'refused' | 'crashed';
  message: string;
  code?: string;
  remedy?: string;
  reason?: string;
}

export type WorkerMessage =
  | { progress: number }
  | { result: unknown }
  | { failure: Omit<WorkerFailure, 'cause'>; refused: boolean };

/**
 * Runs a module in a separate thread, with limits of time and memory, so that the caller's event loop stays free.
 * Aborting ends the thread immediately.
 *
 * The module is loaded as compiled JavaScript, or, when this runs from TypeScript sources (tests), through tsx.
 */
export function runInWorker<Result>(run: WorkerRun): Promise<Result> {
  const { signal } = run;
  if (signal?.aborted) return Promise.reject(asError(signal.reason));
  const extension = extname(__filename);
  const bootstrap = `${extension === '.ts' ? "require('tsx/cjs');" : ''}require(${JSON.stringify(run.module + extension)})`;
  const worker = new Worker(bootstrap, {
    eval: true,
    workerData: run.input,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: run.heapLimitMb },
  });
  return new Promise<Result>((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      worker.removeAllListeners();
      worker.on('error', () => {}); // errors while it is being ended are irrelevant
      void worker.terminate().then(act, act);
    };
    const fail = (failure: WorkerFailure) => settle(() => reject(run.failed(failure)));
    const abort = () => settle(() => reject(asError(signal?.reason)));
    const timer = setTimeout(() => {
      fail({ cause: 'time', message: `took longer than ${Math.round(run.timeLimitMs / 1000)} s` });
    }, run.timeLimitMs);
    signal?.addEventListener('abort', abort, { once: true });
    worker.on('message', (message: WorkerMessage) => {
      if ('progress' in message) run.progress?.(message.progress);
      else if ('result' in message) settle(() => resolve(message.result as Result));
      else fail({ ...message.failure, cause: message.refused ? 'refused' : 'crashed' });
    });
    worker.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') fail({ cause: 'memory', message: 'needs too much memory' });
      else fail({ cause: 'crashed', message: error.message });
    });
    worker.on('exit', (code) => fail({ cause: 'crashed', message: `the worker ended with code ${code}` }));
  });
}

/** Returns the message to the caller for an error in a worker. */
export function failureMessage(thrown: unknown): WorkerMessage {
  const error = asError(thrown);
  if (!(error instanceof PlatewiseError)) return { failure: { message: error.message }, refused: false };
  const failure: Omit<WorkerFailure, 'cause'> = { message: error.message, code: error.code, remedy: error.remedy };
  if ('reason' in error && typeof error.reason === 'string') failure.reason = error.reason;
  return { failure, refused: true };
}
