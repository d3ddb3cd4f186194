import { asError } from '../../model/errors';
import { PrinterRefusedError, type StartOrder, UploadFailedError } from '../driver';
import { isObject, numberOf } from '../values';
import { httpError } from './errors';
import { type HttpAddress, type HttpReply, httpUpload } from './http';

/** A proxy gives up while the printer is still reading the file's metadata. */
const proxyTimeouts = [502, 504];

/**
 * Uploads a file under its exact name. The printer compares the checksum; the size is compared here. `storedSize`
 * returns the size that the printer has under that name.
 */
export async function uploadFile(
  address: HttpAddress,
  order: StartOrder,
  options: { signal: AbortSignal; progress(fraction: number): void },
  storedSize: (fileName: string) => Promise<number | undefined>,
): Promise<void> {
  const { fileName } = order.identity;
  if (order.file.size === 0) throw new UploadFailedError('The file is empty.', { retryable: false });
  let reply: HttpReply | undefined;
  let failure: Error | undefined;
  try {
    reply = await httpUpload(address, {
      path: order.file.path,
      size: order.file.size,
      fileName,
      sha256: order.file.sha256,
      ...options,
    });
  } catch (thrown) {
    failure = asError(thrown);
  }
  if (options.signal.aborted) throw new UploadFailedError('The upload was given up.', { cause: failure });
  const size = (reply === undefined ? undefined : confirmedSize(reply)) ?? (await storedSize(fileName));
  if (size !== order.file.size) {
    const seen = size === undefined ? 'is not there' : `has ${size} of ${order.file.size} bytes`;
    throw new UploadFailedError(`After the upload ${fileName} ${seen}.`, { cause: failure });
  }
  if (failure !== undefined) {
    // An older, different file may have the same size: without the printer's confirmation the upload is repeated.
    throw failure instanceof UploadFailedError
      ? failure
      : new UploadFailedError(`The upload broke off: ${failure.message}`, { cause: failure });
  }
  options.progress(1);
}

/**
 * Returns the stored size as reported by the printer; undefined if it does not report one, or if only a proxy answered.
 * @throws PrinterRefusedError or UploadFailedError if the printer refused the file
 */
export function confirmedSize(reply: HttpReply): number | undefined {
  if (reply.status >= 400 && !proxyTimeouts.includes(reply.status)) throw refusal(reply);
  return reply.status < 300 ? sizeIn(reply) : undefined;
}

function sizeIn(reply: HttpReply): number | undefined {
  try {
    const body: unknown = JSON.parse(reply.body);
    const outer = isObject(body) && isObject(body.result) ? body.result : body;
    return isObject(outer) && isObject(outer.item) ? numberOf(outer.item.size) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(reply: HttpReply): Error {
  const error = httpError(reply.status, reply.body);
  if (error.unauthorized) {
    return new PrinterRefusedError('Moonraker does not accept our credentials.', "Give the printer's API key.", error);
  }
  if (reply.status === 413) {
    return new UploadFailedError('The web server in front of Moonraker does not take a file of this size (HTTP 413).', {
      retryable: false,
      remedy: "Let it take larger files (nginx: client_max_body_size 0), or give Moonraker's own port, usually 7125.",
      cause: error,
    });
  }
  if (reply.status === 403) {
    return new UploadFailedError('The file of this name is being printed.', {
      retryable: false,
      remedy: 'Wait for the end of the print.',
      cause: error,
    });
  }
  return new UploadFailedError(`The printer refused the upload: ${error.message}`, { cause: error });
}
