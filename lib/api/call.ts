import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Farm } from '../farm/farm';

/** A request as the HTTP server hands it over: with a parsed body, unless it is an upload. */
export interface HttpRequest extends IncomingMessage {
  params: Record<string, string | undefined>;
  query: Record<string, unknown>;
  body?: unknown;
  /** The URL as received, before any router was mounted below a path. */
  originalUrl?: string;
  /** Who sends it, once it was admitted. */
  actor?: string;
}

/** One call of an endpoint, by HTTP request or over a wire. */
export interface Call {
  farm: Farm;
  /** The values of the path parameters; over a wire they come from the payload. */
  params: Readonly<Record<string, string>>;
  /** The query of a request, or the payload of a wire. */
  query: Record<string, unknown>;
  /**
   * The body of a request as an object, or the payload of a wire without the fields that name its subject.
   * @throws MalformedInputError it is not an object
   */
  body(): Record<string, unknown>;
  /** The caller, for the history. */
  actor: string;
  /** The caller, for rate limits: the name of its key, else its address. */
  client: string;
  /** Whether the call is an HTTP request rather than a message over a wire. */
  overHttp: boolean;
  /** A header of the request; undefined if the header or the request is missing. */
  header(name: string): string | undefined;
  /** The request and its response, for streaming. */
  http?: { request: HttpRequest; response: ServerResponse | undefined };
  /** Ends a stream when the farm or the node closes. */
  closing: AbortSignal;
}

/** The answer of an endpoint. */
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
