import type { Call } from '../lib/api/call';
import { callOf } from '../lib/api/requests';
import type { Farm } from '../lib/farm/farm';
import { actorOf, bodyOf, type FlowMessage, responseOf } from './http/request';

/** A signal that never aborts. */
const endless = new AbortController().signal;

/** The payload of a wire as an object; empty if it is not an object. */
export function payloadOf({ payload }: FlowMessage): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
}

/** A call from a message: of its request, or of the payload that came over a wire. */
export function callOfMessage(
  farm: Farm,
  message: FlowMessage,
  params: Readonly<Record<string, string>>,
  closing: AbortSignal = endless,
): Call {
  const { req } = message;
  const actor = actorOf(message);
  if (req) return callOf(farm, { request: req, response: responseOf(message) }, params, actor, closing);
  return {
    farm,
    params,
    query: payloadOf(message),
    body: () => bodyOf(message),
    actor,
    client: actor,
    overHttp: false,
    header: () => undefined,
    closing,
  };
}
