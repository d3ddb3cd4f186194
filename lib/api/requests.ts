import type { ServerResponse } from 'node:http';
import type { Farm } from '../farm/farm';
import { authorise } from '../farm/keys';
import { checkSource } from '../http/source';
import { pauseOrResume } from '../jobs/pause';
import { MalformedInputError } from '../model/errors';
import type { Scope } from '../model/scope';
import { unstorableField } from '../model/text';
import { Answer, type Call, type HttpRequest } from './call';
import { mediaTypeOf } from './media-type';

/** The id in the path of a call. */
export const idOf = ({ params }: Call): string => params['id'] ?? '';

/** The request itself, where its body is streamed. @throws MalformedInputError it came over a wire */
export function requestOf({ http }: Call): HttpRequest {
  if (http) return http.request;
  throw new MalformedInputError('Files are taken from HTTP requests only.', [
    { field: 'req', value: null, remedy: 'Wire an http in node to this node.' },
  ]);
}

/** Pauses or resumes a print; 202 if the printer has not shown it yet. */
export async function pauseAnswer(call: Call, wanted: 'pause' | 'resume'): Promise<Answer> {
  const { done, ...payload } = await pauseOrResume(call.farm, idOf(call), wanted, call.actor);
  return new Answer(payload, done ? 200 : 202);
}

/** Whether a request may change something: by its method, or because what it reaches does more than answer. */
export const mayChange = (method: string | undefined, scope: Scope | null): boolean =>
  !['GET', 'HEAD', 'OPTIONS'].includes(method ?? '') || (scope !== null && scope !== 'read');

/**
 * Makes sure that a request may do this: that it comes from where it may come from, brings a key that is good for the scope, and holds
 * only texts that can be stored.
 * @returns who asks, by the name of the key; null if no key is asked for
 * @throws ForeignSourceError, UnknownHostError, UnauthorizedError, ForbiddenError, MalformedInputError
 */
export async function admitRequest(
  request: HttpRequest,
  scope: Scope | null,
  farm: () => Promise<Farm>,
): Promise<string | null> {
  // What a flow routes here by GET may still be an order.
  checkSource(request, mayChange(request.method, scope));
  const { authorization } = request.headers;
  const name = scope === null ? null : await authorise((await farm()).database, authorization, scope);
  checkTexts(request);
  return name === null ? null : `api:${name}`;
}

function checkTexts({ params, query, body }: HttpRequest): void {
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

/** A body as an object; nothing counts as an empty one. @param type its media type @throws MalformedInputError it is none */
export function objectOf(body: unknown, type: string): Record<string, unknown> {
  if (body === undefined || body === null || body === '') return {};
  // A form of another site could post anything here but JSON, for which that site has to ask first.
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

/** A call from a request. @param actor who asks, for the history */
export function callOf(
  farm: Farm,
  http: { request: HttpRequest; response: ServerResponse | undefined },
  params: Readonly<Record<string, string>>,
  actor: string,
  closing: AbortSignal,
): Call {
  const { request } = http;
  return {
    farm,
    params,
    query: request.query,
    body: () => objectOf(request.body, mediaTypeOf(request.headers)),
    actor,
    client: actor.startsWith('api:') ? actor : (request.socket.remoteAddress ?? 'unknown'),
    overHttp: true,
    header: (name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    http,
    closing,
  };
}
