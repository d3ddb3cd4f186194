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
  const refuse = (remedy: string): void => {
    const problem = problemOf(
      new MalformedInputError('The body could not be read.', [{ field: '(body)', value: null, remedy }]),
    );
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
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
