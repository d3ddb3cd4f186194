import type { NextFunction, Request, Response } from 'express';
import { BodyBudget } from '../../lib/api/body-budget';
import { hasBody, mediaTypeOf } from '../../lib/api/media-type';
import type { Scope } from '../../lib/model/scope';
import { isDeeperThan } from './json-depth';
import { leastScope } from './least-scope';
import { sendProblem, unreadableBody } from './unanswered';

/** The largest JSON body (bytes). */
const jsonLimit = 1024 * 1024;
/**
 * The limit of body bytes held concurrently, separately for small and for large bodies, so that an order gets through
 * beside large ones.
 */
const heldLimit = 16 * jsonLimit;
const smallLimit = 16 * 1024;
/** The deepest nesting of a body; bodies of the API need less than half of it. */
const deepest = 32;

/** The mark by which Node-RED's own body parsers skip a request. */
interface ReadRequest extends Request {
  _body?: boolean;
  skipRawBodyParser?: boolean;
}

/**
 * Creates the middleware that reads the bodies of requests to the fabrication API before Node-RED does. It rejects an
 * unauthorised request by its headers alone, answers malformed JSON with a clear error instead of a plain 500, and
 * leaves an upload unread, so that it can be streamed to disk.
 *
 * @param admit rejects if the key of a request does not allow what it needs at least
 */
export function bodyReader(
  admit: (authorization: string | undefined, least: Scope) => Promise<void>,
): (request: ReadRequest, response: Response, next: NextFunction) => void {
  const [small, large] = [new BodyBudget(heldLimit), new BodyBudget(heldLimit)];
  return (request, response, next) => {
    const { method, headers, path } = request;
    if (request._body || method === 'GET' || method === 'HEAD') return next();
    request._body = true;
    request.skipRawBodyParser = true;
    const type = mediaTypeOf(headers);
    if (!hasBody(headers) || type === 'multipart/form-data') return next();
    const refuse = (reason: unknown): void => sendProblem(response, reason);
    // A page of another site can send every other type without a preflight request.
    if (type !== 'application/json') return refuse(unreadableBody('Send JSON with Content-Type: application/json.'));
    const announced = Number(headers['content-length'] ?? jsonLimit);
    if (announced > jsonLimit) return refuse(unreadableBody(`Send at most ${jsonLimit} bytes of JSON.`));
    let giveBack = (): void => {};
    response.once('close', () => giveBack());
    admit(headers.authorization, leastScope(method, path))
      .then(() => {
        if (response.closed) throw unreadableBody('Wait for the answer.');
        giveBack = (announced > smallLimit ? large : small).take(announced);
        return readAll(request);
      })
      .then((bytes) => {
        request.body = parsed(bytes);
      })
      .then(() => next(), refuse);
  };
}

/** @throws MalformedInputError it is too long, or was aborted */
function readAll(request: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= jsonLimit) chunks.push(chunk);
    });
    request.on('error', () => undefined);
    request.on('close', () => reject(unreadableBody('Send the whole body.')));
    request.on('end', () => {
      if (size > jsonLimit) reject(unreadableBody(`Send at most ${jsonLimit} bytes of JSON.`));
      else resolve(Buffer.concat(chunks));
    });
  });
}

/** @throws MalformedInputError it is not JSON, or nested too deeply */
function parsed(bytes: Buffer): unknown {
  if (isDeeperThan(deepest, bytes)) throw unreadableBody(`Nest arrays and objects at most ${deepest} levels deep.`);
  const text = bytes.toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw unreadableBody('Send valid JSON.');
  }
}
