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

/** The request itself, for endpoints that stream its body. @throws MalformedInputError the call came over a wire */
export function requestOf({ http }: Call): HttpRequest {
  if (http) return http.request;
  throw new MalformedInputError('Files are accepted from HTTP requests only.', [
    { field: 'req', value: null, remedy: 'Wire an http in node to this node.' },
  ]);
}

/** Pauses or resumes a print; 202 if the printer does not show it yet. */
export async function pauseAnswer(call: Call, wanted: 'pause' | 'resume'): Promise<Answer> {
  const { done, ...payload } = await pauseOrResume(call.farm, idOf(call), wanted, call.actor);
  return new Answer(payload, done ? 200 : 202);
}

/** Whether a request may change something: by its method, or because its endpoint does more than answer. */
export const mayChange = (method: string | undefined, scope: Scope | null): boolean =>
  !['GET', 'HEAD', 'OPTIONS'].includes(method ?? '') || (scope !== null && scope !== 'read');

/**
 * Admits a request: its origin is allowed, its key covers the scope, and all its texts can be stored.
 * @returns the caller, by the name of its key; null if no key is required
 * @throws ForeignSourceError, UnknownHostError, UnauthorizedError, ForbiddenError, MalformedInputError
 */
export async function admitRequest(
  request: HttpRequest,
  scope: Scope | null,
  farm: () => Promise<Farm>,
): Promise<string | null> {
  // A flow may route a GET to an endpoint that changes something.
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
        remedy: 'Remove NUL characters (code 0) and unpaired surrogates.',
      },
    ]);
  }
}

/**
 * Returns a body as an object; an empty body counts as an empty object.
 * @param type its media type
 * @throws MalformedInputError it is not an object
 */
export function objectOf(body: unknown, type: string): Record<string, unknown> {
  if (body === undefined || body === null || body === '') return {};
  // A form on another site can post any media type but JSON, which requires a CORS preflight.
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

/** Builds a call from a request. @param actor the caller, for the history */
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
