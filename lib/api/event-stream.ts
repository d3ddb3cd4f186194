import type { ServerResponse } from 'node:http';
import { authorise } from '../farm/keys';
import { ForbiddenError, MalformedInputError, UnauthorizedError } from '../model/errors';
import { eventFeed, type FeedItem } from '../services/event-feed';
import type { Call } from './call';

/** Proxies close silent connections; a comment keeps them open (ms). */
const heartbeatInterval = 15_000;
/** Changes within this interval are reported as one (ms). */
const gathering = 500;

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
};

/**
 * Answers a request with Server-Sent Events and keeps the response open. Every message of the status bus arrives under its own name
 * (`job`, `bed`, `low_stock`, `attention`) with its number as its id; `event: changed` reports a change of a printer or of the plan, and
 * `event: gap` that the requested events are no longer kept. A client that reconnects with `Last-Event-ID` misses nothing.
 * @throws MalformedInputError the call is not an HTTP request, or its `Last-Event-ID` is invalid
 */
export async function streamEvents(call: Call): Promise<void> {
  const { farm, http, closing } = call;
  const response = http?.response;
  if (!http || !response) {
    throw new MalformedInputError('Events are streamed to HTTP requests only.', [
      { field: 'req', value: null, remedy: 'Wire an http in node to this node, or use status-bus in flows.' },
    ]);
  }
  const after = lastEventOf(call);
  if (http.request.method === 'HEAD') {
    response.writeHead(200, streamHeaders).end();
    return;
  }
  const ended = new AbortController();
  const signal = AbortSignal.any([closing, ended.signal]);
  response.on('close', () => ended.abort());
  const unlisten = await endWithKey(call, ended);
  response.writeHead(200, streamHeaders);
  response.write('retry: 2000\n\n');
  const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatInterval);
  let toldAt = Number.NEGATIVE_INFINITY;
  try {
    for await (const item of eventFeed(farm, after, signal)) {
      if (item.kind === 'changed') {
        const early = gathering - (performance.now() - toldAt);
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        toldAt = performance.now();
      }
      if (!response.write(inWords(item)) && !signal.aborted) await drained(response);
    }
  } finally {
    clearInterval(heartbeat);
    unlisten();
    response.end();
  }
}

/** A stream outlives the check of its key, so it ends when the key is revoked. Returns a function that ends the watch. */
function endWithKey({ farm, header }: Call, stream: AbortController): Promise<() => void> {
  const check = (): Promise<unknown> => authorise(farm.database, header('authorization'), 'read');
  return farm.database.listenFor('keys', () => {
    check().catch((error: unknown) => {
      if (error instanceof UnauthorizedError || error instanceof ForbiddenError) stream.abort();
    });
  });
}

function lastEventOf({ query: asked, header }: Call): number | undefined {
  const query = asked['last_event_id'];
  const text = header('last-event-id') ?? (typeof query === 'string' ? query : undefined);
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new MalformedInputError('This is not the id of an event.', [
    { field: 'Last-Event-ID', value: text, remedy: 'Send the id of the last event that you received, or omit it.' },
  ]);
}

function inWords(item: FeedItem): string {
  switch (item.kind) {
    case 'message':
      return `id: ${item.message.id}\nevent: ${nameOf(item.message.body)}\ndata: ${JSON.stringify(item.message.body)}\n\n`;
    case 'gap':
      return `id: ${item.id}\nevent: gap\ndata: {}\n\n`;
    case 'changed':
      return 'event: changed\ndata: {}\n\n';
  }
}

/** The event name of a message; a name with any other character could end its line in the stream. */
function nameOf(body: unknown): string {
  const { event } = body as { event?: unknown };
  return typeof event === 'string' && /^[a-z_]+$/.test(event) ? event : 'message';
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
