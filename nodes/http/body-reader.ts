import type { NextFunction, Request, Response } from 'express';
import { MalformedInputError } from '../../lib/model/errors';
import { problemOf } from './problem';
import { sendProblem, unreadableBody } from './unanswered';

/** The largest JSON body (bytes). */
const jsonLimit = 1024 * 1024;

/** What Node-RED's own body parsers look at to leave a request alone. */
interface ReadRequest extends Request {
  _body?: boolean;
  skipRawBodyParser?: boolean;
}

/** Whether the address of a request can be decoded; the router would answer one that cannot with a stack trace. */
function isReadable(url: string): boolean {
  try {
    return decodeURIComponent(url.split('?', 1)[0] ?? '') !== '';
  } catch {
    return false;
  }
}

/**
 * Reads the bodies of requests to the fabrication API before Node-RED does: a broken JSON text gets an answer that says
 * so instead of a plain 500, and an upload is left unread, so that it can be streamed to the disk.
 */
export function readBody(request: ReadRequest, response: Response, next: NextFunction): void {
  if (!isReadable(request.url)) {
    const remedy = 'Encode what is no letter or digit, as encodeURIComponent does.';
    const unreadable = [{ field: '(address)', value: request.url, remedy }];
    sendProblem(response, problemOf(new MalformedInputError('The address could not be read.', unreadable)));
    return;
  }
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
  const refuse = (remedy: string): void => sendProblem(response, problemOf(unreadableBody(remedy)));
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
