import type { ServerResponse } from 'node:http';
import type { Farm } from '../farm/farm';
import { NotFoundError } from '../model/errors';
import type { Answer, HttpRequest } from './call';
import { endpoints } from './endpoints';
import { admitRequest, callOf } from './requests';
import { type Match, Router } from './router';

/** Where the API is, unless a flow puts it elsewhere. */
export const apiRoot = '/api/fabrication';

const router = new Router(endpoints);

/** The endpoint that a request is for. @param path below the root @throws NotFoundError there is none */
export function endpointFor(method: string | undefined, path: string): Match {
  const found = router.match(method ?? 'GET', path);
  if (found) return found;
  throw new NotFoundError('endpoint', `${method ?? 'GET'} ${apiRoot}${path}`.slice(0, 200));
}

/** The path of a request below a root, without its query; undefined: it is not below it. */
export function pathBelow(root: string, url: string): string | undefined {
  const path = url.split('?')[0] ?? '';
  const at = path.indexOf(`${root}/`);
  return at === -1 ? undefined : path.slice(at + root.length);
}

/**
 * Answers a request by the table of endpoints.
 * @returns undefined: the endpoint has answered by itself, with a stream
 * @throws PlatewiseError what `problemOf` puts into words
 */
export async function serve(
  farm: () => Promise<Farm>,
  http: { request: HttpRequest; response: ServerResponse },
  path: string,
  closing: AbortSignal,
): Promise<Answer | undefined> {
  const { request } = http;
  const { endpoint, params } = endpointFor(request.method, path);
  // What is in the path is checked like all that comes with a request.
  request.params = params;
  const actor = await admitRequest(request, endpoint.scope, farm);
  return endpoint.handle(callOf(await farm(), http, params, actor ?? 'api', closing));
}
