import { endpoints } from '../../lib/api/endpoints';
import { Router } from '../../lib/api/router';
import type { Scope } from '../../lib/model/scope';

const router = new Router(endpoints);

/**
 * Returns the least scope that a request with a body needs, by its method and its path below the API. It is checked
 * before the body is read; the handler then checks the exact scope. Routes that a flow has added to the API are open to
 * every key here.
 */
export function leastScope(method: string, path: string): Scope {
  return router.match(method, path)?.endpoint.scope ?? 'read';
}
