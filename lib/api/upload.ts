import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { asError, MalformedInputError } from '../model/errors';
import type { HttpRequest } from './call';
import { mediaTypeOf } from './media-type';

/** Whether a request carries files. */
export function isUpload(request: HttpRequest | undefined): request is HttpRequest {
  return request !== undefined && mediaTypeOf(request.headers) === 'multipart/form-data';
}

/**
 * Streams the part `file` of a multipart request into `store` without buffering it in memory. An interrupted upload ends the stream with
 * an error, and is answered once `store` has released it.
 * @throws MalformedInputError the part is missing, or the body is broken
 */
export function receiveFile<Result>(
  request: HttpRequest,
  store: (stream: Readable, name: string) => Promise<Result>,
): Promise<Result> {
  const refuse = (remedy: string): MalformedInputError =>
    new MalformedInputError('The upload could not be read.', [{ field: 'file', value: null, remedy }]);
  return new Promise((resolve, reject) => {
    let stored: Promise<Result> | undefined;
    let part: Readable | undefined;
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        headers: request.headers as ConstructorParameters<typeof Busboy>[0]['headers'],
        limits: { files: 1, fields: 10, parts: 20, fieldSize: 1024 },
      });
    } catch (error) {
      reject(refuse(`Send multipart/form-data with a boundary (${asError(error).message}).`));
      return;
    }
    let failed = false;
    const fail = (error: unknown): void => {
      if (failed) return;
      failed = true;
      request.unpipe(parser);
      // Nothing writes to the part any more: its reader would wait forever, with a file open.
      part?.destroy(asError(error));
      // The rest of the body must be read, or the client never sees the answer.
      request.resume();
      Promise.allSettled([stored]).then(() => reject(asError(error)));
    };
    parser.on('file', (field, stream, name) => {
      // An unhandled stream error would end the process; the reader of the stream receives it as well.
      stream.on('error', (error) => fail(refuse(`Send a complete multipart body (${asError(error).message}).`)));
      if (field !== 'file') {
        stream.resume();
        return;
      }
      part = stream;
      stored = store(stream, name ?? '');
      stored.catch(fail);
    });
    parser.on('error', (error) => fail(refuse(`Send a complete multipart body (${asError(error).message}).`)));
    parser.on('finish', () => {
      if (failed) return;
      if (stored) stored.then(resolve, fail);
      else reject(refuse('Send the file as the part named "file".'));
    });
    const brokenOff = (): void => fail(refuse('The upload was interrupted; send it again.'));
    request.on('aborted', brokenOff);
    request.on('error', brokenOff);
    request.on('close', () => {
      if (!request.readableEnded) brokenOff();
    });
    request.pipe(parser);
  });
}
