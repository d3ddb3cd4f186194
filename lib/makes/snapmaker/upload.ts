import { open } from 'node:fs/promises';
import { asError } from '../../model/errors';
import { type StartOrder, UploadFailedError } from '../driver';
import { Deferred } from '../waiting';
import {
  chunkAnswer,
  chunkBytes,
  chunkCount,
  commands,
  noChunkPayload,
  readChunkRequest,
  uploadStartPayload,
} from './commands';
import { type Frame, peers } from './frame';
import type { SacpSession } from './session';

export interface FileServing {
  signal: AbortSignal;
  progress(fraction: number): void;
  /** How long the screen may request no chunk before the upload counts as stuck (ms). */
  stallMs: number;
  /** Passes the screen's requests for this upload to the handler; returns a function that stops this. */
  receive(handler: (frame: Frame) => void): () => void;
}

const mostChunks = 65_535;
const longestName = 127;

/** Answers a chunk request of an unknown or ended upload: the screen then gives it up. */
export function refuseChunk(session: SacpSession, request: Frame): void {
  const { md5, index } = readChunkRequest(request.payload);
  session.answer(request, noChunkPayload(md5, index));
}

/** Announces a file and serves the chunks that the screen requests until it reports that it has all of them. */
export async function serveFile(session: SacpSession, order: StartOrder, serving: FileServing): Promise<void> {
  const { fileName, md5 } = order.identity;
  const { size } = order.file;
  checkLimits(fileName, size);
  const file = await open(order.file.path, 'r');
  const done = new Deferred<void>();
  const total = chunkCount(size);
  const delivered = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(
      () => done.reject(new UploadFailedError('The screen stopped asking for the file.')),
      serving.stallMs,
    );
  };
  const deliver = async (request: Frame): Promise<void> => {
    const asked = readChunkRequest(request.payload);
    const offset = asked.index * chunkBytes;
    if (asked.md5 !== md5 || offset >= size) {
      refuseChunk(session, request);
      return;
    }
    const { payload, bytes } = chunkAnswer(md5, asked.index, Math.min(chunkBytes, size - offset));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    if (bytesRead !== bytes.length) throw new Error('The file became shorter.');
    session.answer(request, payload);
    delivered.add(asked.index);
    serving.progress(Math.min(0.99, delivered.size / total));
  };
  const stopReceiving = serving.receive((frame) => {
    restart();
    if (frame.commandId === commands.uploadChunk.id) {
      deliver(frame).catch((thrown: unknown) => done.reject(asError(thrown)));
      return;
    }
    const result = frame.payload[0] ?? 255;
    if (result === 0) done.resolve();
    else done.reject(new UploadFailedError(`The screen says that the file is not whole (${result}).`));
  });
  const abort = (): void => done.reject(new UploadFailedError('The upload was given up.'));
  const forget = session.onEnd((reason) => done.reject(reason));
  serving.signal.addEventListener('abort', abort, { once: true });
  if (serving.signal.aborted) abort();
  try {
    restart();
    const accepted = session.request(
      peers.screen,
      commands.uploadStart,
      uploadStartPayload(fileName, size, md5),
      serving.stallMs,
    );
    accepted.then(
      (answer) => {
        const result = answer.payload[0] ?? 0;
        if (result !== 0) done.reject(new UploadFailedError(`The screen refused the file (${result}).`));
      },
      (thrown: unknown) => done.reject(asError(thrown)),
    );
    await done.promise;
    serving.progress(1);
  } catch (thrown) {
    throw thrown instanceof UploadFailedError
      ? thrown
      : new UploadFailedError(`The upload broke off: ${asError(thrown).message}`, { cause: thrown });
  } finally {
    clearTimeout(timer);
    serving.signal.removeEventListener('abort', abort);
    forget();
    stopReceiving();
    await file.close();
  }
}

/** The screen waits forever for a file without chunks, and the controller has a short field for the name. */
function checkLimits(fileName: string, size: number): void {
  if (size === 0) throw new UploadFailedError('The file is empty.', { retryable: false });
  if (chunkCount(size) > mostChunks) {
    throw new UploadFailedError('The file is too large.', { retryable: false, remedy: 'Print it in parts.' });
  }
  if (Buffer.byteLength(fileName) > longestName || fileName.includes('/')) {
    throw new UploadFailedError(`The printer does not take the file name "${fileName}".`, { retryable: false });
  }
}
