import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Farm } from '../farm/farm';

/** A request as an HTTP server has read it: with a parsed body, unless it carries files. */
export interface HttpRequest extends IncomingMessage {
  params: Record<string, string | undefined>;
  query: Record<string, unknown>;
  body?: unknown;
  /** The URL as it came, before anything was mounted below a path. */
  originalUrl?: string;
}

/** One call of an endpoint, whether it came as a request or over a wire. */
export interface Call {
  farm: Farm;
  /** The values of the parameters in the path; over a wire they come from the payload. */
  params: Readonly<Record<string, string>>;
  /** The query of a request, or the payload of a wire. */
  query: Record<string, unknown>;
  /** The body of a request as an object, or the payload of a wire without what names its subject. @throws MalformedInputError it is none */
  body(): Record<string, unknown>;
  /** Who calls, for the history. */
  actor: string;
  /** Who calls, for counting: the name of its key, else the address that it comes from. */
  client: string;
  /** Whether it came as a request, and not over a wire. */
  overHttp: boolean;
  /** A header of the request; undefined if it, or the request, is not there. */
  header(name: string): string | undefined;
  /** The request and its response, for what is streamed. */
  http?: { request: HttpRequest; response: ServerResponse | undefined };
  /** Ends a stream when the farm or the node closes. */
  closing: AbortSignal;
}

/** What an endpoint answers. */
export class Answer<Payload = unknown> {
  readonly payload: Payload;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(payload: Payload, status = 200, headers: Record<string, string> = {}) {
    this.payload = payload;
    this.status = status;
    this.headers = headers;
  }
}
