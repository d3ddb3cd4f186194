import type { ServerResponse } from 'node:http';
import type { HttpRequest } from '../../lib/api/call';
import { mediaTypeOf } from '../../lib/api/media-type';
import { objectOf } from '../../lib/api/requests';

/** A message from a wire, possibly from an `http in` node. */
export interface FlowMessage {
  _msgid?: string;
  topic?: string;
  payload?: unknown;
  req?: HttpRequest;
  statusCode?: number;
  headers?: Record<string, string>;
  [property: string]: unknown;
}

/** Whether a message comes from a page of FlowFuse Dashboard 2, which marks each message with its connection. */
export function isFromScreen(message: FlowMessage): boolean {
  return typeof message['_client'] === 'object' && message['_client'] !== null;
}

/** The actor for the history: named by the message, otherwise derived from the channel. */
export function actorOf(message: FlowMessage): string {
  const named = message['actor'];
  if (typeof named === 'string' && named !== '') return named.slice(0, 100);
  return message.req ? 'api' : 'flow';
}

/** The client of a request, for rate limits: the name of its key, otherwise its address. */
export function clientOf(message: FlowMessage): string {
  const actor = actorOf(message);
  return actor.startsWith('api:') ? actor : (message.req?.socket.remoteAddress ?? 'unknown');
}

/** A header of the request; undefined if the header or the request is missing. */
export function headerOf({ req }: FlowMessage, name: string): string | undefined {
  const value = req?.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** The body of a request (or the payload of a wire) as an object. @throws MalformedInputError it is not an object */
export function bodyOf({ req, payload }: FlowMessage): Record<string, unknown> {
  return req ? objectOf(req.body, mediaTypeOf(req.headers)) : objectOf(payload, 'application/json');
}

/** The response to a request, as an `http in` node passes it on. */
export function responseOf(message: FlowMessage): ServerResponse | undefined {
  return (message['res'] as { _res?: ServerResponse } | undefined)?._res;
}
