import { endpoints } from '../../lib/api/endpoints';
import { Router } from '../../lib/api/router';
import type { Scope } from '../../lib/model/scope';

const router = new Router(endpoints);

/**
 * What a request that brings a body needs at least, by its method and its path below the API: it is asked for before the body is read.
 * What answers asks for exactly what it needs; what a flow has added to the API is open to every key here.
 */
export function leastScope(method: string, path: string): Scope {
  return router.match(method, path)?.endpoint.scope ?? 'read';
}
