import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asError } from '../../model/errors';
import { PhotoFailedError, PrinterUnavailableError, UploadFailedError } from '../driver';
import { certificateRefusal } from './trust';

export interface HttpAddress {
  host: string;
  port: number;
  tls: boolean;
  /** The prefix of every path, if a web server serves Moonraker under one: `/printer1`. */
  prefix?: string | undefined;
  /** The agent for connections with a special check of the certificate. */
  agent?: https.Agent | undefined;
  apiKey?: string | undefined;
  /** How long a connection and a short answer may take (ms). */
  timeoutMs: number;
  /** How long an upload may make no headway (ms). */
  stallMs: number;
  /** How long its answer may take (ms): it comes only when the printer has read the file's metadata. */
  uploadReplyMs: number;
}

export interface HttpReply {
  status: number;
  body: string;
}

const chunkBytes = 256 * 1024;
const longestReply = 4_000_000;

function request(address: HttpAddress, options: http.RequestOptions): http.ClientRequest {
  const headers = { ...options.headers, ...(address.apiKey === undefined ? {} : { 'X-Api-Key': address.apiKey }) };
  const path = `${address.prefix ?? ''}${options.path ?? '/'}`;
  const all = { host: address.host, port: address.port, ...options, path, headers };
  return address.tls
    ? https.request({ ...all, agent: address.agent ?? false })
    : http.request({ ...all, agent: false });
}

function readReply(outgoing: http.ClientRequest): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      let body = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        body += part;
        if (body.length > longestReply) {
          body = '';
          reject(new Error(`the answer is longer than ${longestReply} characters`));
          outgoing.destroy();
        }
      });
      incoming.once('error', reject);
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
    });
  });
}

/** A GET request; rejects with a PrinterUnavailableError if there is no answer at all. */
export async function httpGet(address: HttpAddress, path: string, signal?: AbortSignal): Promise<HttpReply> {
  const outgoing = request(address, { method: 'GET', path });
  const reply = readReply(outgoing);
  const abort = (): void => {
    outgoing.destroy(new Error('The request was given up.'));
  };
  outgoing.setTimeout(address.timeoutMs, () => outgoing.destroy(new Error('no answer')));
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  outgoing.end();
  try {
    return await reply;
  } catch (thrown) {
    const refusal = certificateRefusal(thrown);
    if (refusal) throw refusal;
    throw new PrinterUnavailableError(`No answer to ${path.replace(/\?.*/, '')}: ${asError(thrown).message}`, thrown);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Downloads a path. Redirects are not followed, and at most `mostBytes` are read.
 * @throws PhotoFailedError it was not sent, or is larger
 */
export async function httpGetBytes(
  address: HttpAddress,
  path: string,
  { signal, mostBytes }: { signal: AbortSignal; mostBytes: number },
): Promise<Buffer> {
  const outgoing = request(address, { method: 'GET', path, signal });
  // A failure after the response has begun is reported by the response; an error without a listener would end the
  // process.
  outgoing.on('error', () => {});
  try {
    const answered = once(outgoing, 'response') as Promise<[http.IncomingMessage]>;
    outgoing.end();
    const [incoming] = await answered;
    if (incoming.statusCode !== 200) throw new Error(`it was answered with HTTP ${incoming.statusCode}`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (thrown) {
    const why = signal.aborted ? 'not in time' : asError(thrown).message;
    throw new PhotoFailedError(`No picture came from the camera: ${why}.`, undefined, thrown);
  } finally {
    outgoing.destroy();
  }
}

export interface HttpUpload {
  path: string;
  size: number;
  fileName: string;
  sha256: string;
  signal: AbortSignal;
  progress(fraction: number): void;
}

/** Streams a file to `/server/files/upload` with its checksum. Resolves with the reply, whatever its status. */
export async function httpUpload(address: HttpAddress, file: HttpUpload): Promise<HttpReply> {
  const boundary = `platewise-${randomUUID()}`;
  const field = (name: string, value: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const head = Buffer.from(
    `${field('root', 'gcodes')}${field('checksum', file.sha256)}--${boundary}\r\n` +
      `Content-Disposition: form-data; name="file"; filename="${file.fileName}"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const outgoing = request(address, {
    method: 'POST',
    path: '/server/files/upload',
    headers: {
      'Content-Type': `multipart/form-data; boundary=${boundary}`,
      'Content-Length': head.length + file.size + tail.length,
    },
  });
  const reply = readReply(outgoing);
  reply.catch(() => {});
  const giveUp = (message: string): void => {
    outgoing.destroy(new UploadFailedError(message));
  };
  const abort = (): void => giveUp('The upload was given up.');
  let timer = setTimeout(giveUp, address.stallMs, 'The upload made no headway.');
  const restart = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, ms, 'The upload made no headway.');
  };
  file.signal.addEventListener('abort', abort, { once: true });
  if (file.signal.aborted) abort();
  let sent = 0;
  const counter = new Transform({
    highWaterMark: chunkBytes,
    transform(part: Buffer, _encoding, done) {
      sent += part.length;
      restart(address.stallMs);
      file.progress(Math.min(0.99, sent / file.size));
      done(null, part);
    },
  });
  try {
    outgoing.write(head);
    const sending = pipeline(createReadStream(file.path, { highWaterMark: chunkBytes }), counter, outgoing, {
      end: false,
    }).then(() => {
      restart(address.uploadReplyMs);
      outgoing.end(tail);
    });
    // A printer may answer, and refuse, before it has read everything.
    return await Promise.race([reply, sending.then(() => reply)]);
  } finally {
    clearTimeout(timer);
    file.signal.removeEventListener('abort', abort);
    if (!outgoing.writableFinished) outgoing.destroy();
  }
}
