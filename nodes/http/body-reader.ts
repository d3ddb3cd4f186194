import type { NextFunction, Request, Response } from 'express';
import { MalformedInputError } from '../../lib/model/errors';
import { problemOf } from './problem';

/** The largest JSON body (bytes). */
const jsonLimit = 1024 * 1024;

/** What Node-RED's own body parsers look at to leave a request alone. */
interface ReadRequest extends Request {
  _body?: boolean;
  skipRawBodyParser?: boolean;
}

function refuseBody(response: Response, remedy: string): void {
  const problem = problemOf(
    new MalformedInputError('The body could not be read.', [{ field: '(body)', value: null, remedy }]),
  );
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

/**
 * Where the editor lies at the root of the server, as it does by default, its own parser comes before everything of
 * ours. What it cannot read is answered here like any other mistake of a client.
 */
export function refuseUnreadable(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  const type = typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : '';
  if (!/^(entity|encoding|charset|request)\./.test(type) || response.headersSent) {
    next(error);
    return;
  }
  refuseBody(response, type === 'entity.too.large' ? 'Send less JSON.' : 'Send valid JSON.');
}

/**
 * Reads the bodies of requests to the fabrication API before Node-RED does: a broken JSON text gets an answer that says
 * so instead of a plain 500, and an upload is left unread, so that it can be streamed to the disk.
 */
export function readBody(request: ReadRequest, response: Response, next: NextFunction): void {
  if (request._body || request.method === 'GET' || request.method === 'HEAD') {
    next();
    return;
  }
  request._body = true;
  request.skipRawBodyParser = true;
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/')) {
    next();
    return;
  }
  const refuse = (remedy: string): void => refuseBody(response, remedy);
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= jsonLimit) chunks.push(chunk);
  });
  request.on('error', () => undefined);
  request.on('end', () => {
    if (size > jsonLimit) return refuse(`Send at most ${jsonLimit} bytes of JSON.`);
    const text = Buffer.concat(chunks).toString('utf8');
    if (text.trim() === '') return next();
    if (type !== '' && !/json/i.test(type)) return refuse('Send JSON with Content-Type: application/json.');
    try {
      request.body = JSON.parse(text);
    } catch {
      return refuse('Send valid JSON.');
    }
    next();
  });
}
