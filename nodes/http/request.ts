import type { IncomingMessage } from 'node:http';
import { MalformedInputError } from '../../lib/model/errors';
import { unstorableField } from '../../lib/model/text';
import { mediaTypeOf } from './media-type';

/** The part of an Express request that the nodes read. */
export interface HttpRequest extends IncomingMessage {
  params: Record<string, string | undefined>;
  query: Record<string, unknown>;
  body?: unknown;
}

/** A message as it comes over a wire, perhaps from an `http in` node. */
export interface FlowMessage {
  _msgid?: string;
  topic?: string;
  payload?: unknown;
  req?: HttpRequest;
  statusCode?: number;
  headers?: Record<string, string>;
  [property: string]: unknown;
}

/** @throws MalformedInputError the request holds a text that no database can store */
export function checkTexts({ params, query, body }: HttpRequest): void {
  for (const part of [params, query, body]) {
    const field = unstorableField(part);
    if (field === undefined) continue;
    throw new MalformedInputError('A text in the request cannot be stored.', [
      {
        field: field || '(body)',
        value: null,
        remedy: 'Leave out characters with the code 0, and send whole characters.',
      },
    ]);
  }
}

/** Whether a message comes from a page of FlowFuse Dashboard 2, which says of each from which connection it came. */
export function isFromScreen(message: FlowMessage): boolean {
  return typeof message['_client'] === 'object' && message['_client'] !== null;
}

/** Who asks, for the history: the message may say so, else the way it came. */
export function actorOf(message: FlowMessage): string {
  const named = message['actor'];
  if (typeof named === 'string' && named !== '') return named.slice(0, 100);
  return message.req ? 'api' : 'flow';
}

/** Who sends a request, for counting: the name of its key, else the address that it comes from. */
export function clientOf(message: FlowMessage): string {
  const actor = actorOf(message);
  return actor.startsWith('api:') ? actor : (message.req?.socket.remoteAddress ?? 'unknown');
}

/** A header of the request; undefined if it, or the request, is not there. */
export function headerOf({ req }: FlowMessage, name: string): string | undefined {
  const value = req?.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** The body of a request (or the payload of a wire) as an object. @throws MalformedInputError it is none */
export function bodyOf(message: FlowMessage): Record<string, unknown> {
  const body = message.req ? message.req.body : message.payload;
  if (body === undefined || body === null || body === '') return {};
  // A form of another site could post anything here but JSON, for which that site has to ask first.
  const type = message.req ? mediaTypeOf(message.req.headers) : 'application/json';
  if (type !== 'application/json' && !isEmpty(body)) {
    throw new MalformedInputError('The body is not JSON.', [
      { field: '(body)', value: type, remedy: 'Send a JSON object with Content-Type: application/json.' },
    ]);
  }
  if (typeof body === 'object' && !Array.isArray(body) && !Buffer.isBuffer(body))
    return body as Record<string, unknown>;
  throw new MalformedInputError('The body is not a JSON object.', [
    { field: '(body)', value: typeof body, remedy: 'Send a JSON object with Content-Type: application/json.' },
  ]);
}

const isEmpty = (body: unknown): boolean => typeof body === 'object' && body !== null && Object.keys(body).length === 0;
