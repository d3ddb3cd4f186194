import type { ServerResponse } from 'node:http';
import { type FlowMessage, responseOf } from './request';

/** A request after routing by Express. */
interface RoutedRequest {
  method?: string;
  route?: { path?: unknown };
}

/** A request that was answered. `route` has the names of parameters instead of their values. */
export interface AnsweredRequest {
  method: string;
  route: string;
  status: number;
  seconds: number;
}

/**
 * Measures how long a response takes, from now to its end. The duration of a stream is meaningless and not recorded.
 * @param onFinished called once, when the response is finished, with its status and its duration (s)
 */
export function timeResponse(response: ServerResponse, onFinished: (status: number, seconds: number) => void): void {
  const begun = performance.now();
  response.once('finish', () => {
    if (String(response.getHeader('content-type')).startsWith('text/event-stream')) return;
    onFinished(response.statusCode, (performance.now() - begun) / 1000);
  });
}

/**
 * Measures how long the request of an `http in` node takes; see `timeResponse`.
 * @param routeOf returns the route where the path of the `http in` node does not give it; if it throws, there is no
 * route
 * @param onAnswered called once, when the response is finished
 */
export function timeRequest(
  message: FlowMessage,
  routeOf: ((message: FlowMessage) => string) | undefined,
  onAnswered: (request: AnsweredRequest) => void,
): void {
  const response = responseOf(message);
  const { method = '', route } = message.req as RoutedRequest;
  const path = route?.path;
  if (!response || typeof path !== 'string') return;
  timeResponse(response, (status, seconds) => {
    onAnswered({ method, route: namedRoute(message, routeOf, path), status, seconds });
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
