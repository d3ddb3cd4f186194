import type { ServerResponse } from 'node:http';
import type { FlowMessage } from './request';

/** A request as Express has routed it. */
interface RoutedRequest {
  method?: string;
  route?: { path?: unknown };
}

/** A request that was answered. `route` holds the names of parameters in the place of their values. */
export interface AnsweredRequest {
  method: string;
  route: string;
  status: number;
  seconds: number;
}

/**
 * Measures how long a request takes, from now to the end of its answer. A stream has no duration that would mean anything.
 * @param routeOf names the route where the path of the `http in` node does not; what it throws is no route
 * @param told once, when the answer is out
 */
export function timeRequest(
  message: FlowMessage,
  routeOf: ((message: FlowMessage) => string) | undefined,
  told: (request: AnsweredRequest) => void,
): void {
  const response = (message['res'] as { _res?: ServerResponse } | undefined)?._res;
  const { method = '', route } = message.req as RoutedRequest;
  const path = route?.path;
  if (!response || typeof path !== 'string') return;
  const begun = performance.now();
  response.once('finish', () => {
    if (String(response.getHeader('content-type')).startsWith('text/event-stream')) return;
    const seconds = (performance.now() - begun) / 1000;
    told({ method, route: namedRoute(message, routeOf, path), status: response.statusCode, seconds });
  });
}

function namedRoute(
  message: FlowMessage,
  routeOf: ((message: FlowMessage) => string) | undefined,
  path: string,
): string {
  try {
    return routeOf?.(message) ?? path;
  } catch {
    return path;
  }
}
