import type { ServerResponse } from 'node:http';
import type { Farm } from '../farm/farm';
import { NotFoundError } from '../model/errors';
import type { Answer, HttpRequest } from './call';
import type { Endpoint } from './endpoint';
import { endpoints } from './endpoints';
import { admitRequest, callOf } from './requests';
import { type Match, Router } from './router';

/** The path of the API, unless a flow mounts it elsewhere. */
export const apiRoot = '/api/fabrication';

const router = new Router(endpoints);

/** Returns the endpoint of a request. @param path below the root @throws NotFoundError there is no such endpoint */
export function endpointFor(method: string | undefined, path: string): Match {
  const found = router.match(method ?? 'GET', path);
  if (found) return found;
  throw new NotFoundError('endpoint', `${method ?? 'GET'} ${apiRoot}${path}`.slice(0, 200));
}

/** Returns the name of an endpoint's route for metrics, with the names of parameters in the place of their values. */
export const routeName = (root: string, { path }: Endpoint): string => `${root}${path.replace(/\{(\w+)\}/g, ':$1')}`;

/** Returns the path of a request below a root, without its query; undefined if it is not below it. */
export function pathBelow(root: string, url: string): string | undefined {
  const path = url.split('?')[0] ?? '';
  // Express compares paths without regard to case.
  const at = path.toLowerCase().indexOf(`${root}/`.toLowerCase());
  return at === -1 ? undefined : path.slice(at + root.length);
}

/**
 * Answers a request from the table of endpoints.
 * @returns undefined if the endpoint has answered itself, with a stream
 * @throws PlatewiseError see `problemOf`
 */
export async function serve(
  farm: () => Promise<Farm>,
  http: { request: HttpRequest; response: ServerResponse },
  path: string,
  closing: AbortSignal,
): Promise<Answer | undefined> {
  const { request } = http;
  const { endpoint, params } = endpointFor(request.method, path);
  // The path parameters pass the same checks as the rest of the request.
  request.params = params;
  request.actor = (await admitRequest(request, endpoint.scope, farm)) ?? 'api';
  return endpoint.handle(callOf(await farm(), http, params, request.actor, closing));
}
