import type { Node, NodeMessage } from 'node-red';
import type { Answer } from '../lib/api/call';
import { problemHeaders, problemOf } from '../lib/api/problem';
import { admitRequest } from '../lib/api/requests';
import type { Farm } from '../lib/farm/farm';
import { authorise } from '../lib/farm/keys';
import { asError, UnauthorizedError } from '../lib/model/errors';
import { oneLine } from '../lib/model/one-line';
import type { Scope } from '../lib/model/scope';
import type { FarmAccess } from './farm-user';
import { actorOf, type FlowMessage, isFromScreen } from './http/request';
import { type AnsweredRequest, timeRequest } from './http/request-clock';
import { recordRequest } from './http/request-log';

/** The access rules for requests to a node. Messages without a request are the flow's own responsibility. */
export interface Guard {
  access: FarmAccess;
  /** The scope that a request needs; null: none. A function may throw if the request has no endpoint. */
  scope: Scope | null | ((message: FlowMessage) => Scope | null);
  /**
   * The route of a request for the metrics, where the path of its `http in` node does not name it. Throws if there is
   * none.
   */
  route?(message: FlowMessage): string;
  /** Whether every message over a wire needs a key as well. */
  keyNeeded?: boolean;
}

const scopeOf = ({ scope }: Guard, message: FlowMessage): Scope | null =>
  typeof scope === 'function' ? scope(message) : scope;

/** The result of a node's work. */
export interface Outcome {
  payload: unknown;
  /** The status of the response to a request; 200 by default. */
  statusCode?: number;
  /** The headers of the response to a request. */
  headers?: Record<string, string>;
}

/**
 * Checks that a request may do this, and that its texts can be stored. The name of its key becomes the actor in the
 * history.
 */
async function admit(message: FlowMessage, guard: Guard): Promise<void> {
  const { access } = guard;
  if (isFromScreen(message)) {
    // The browser controls every other field of the message.
    delete message.req;
    delete message['actor'];
  }
  if (!message.req) return admitFromWire(message, guard);
  const actor = await admitRequest(message.req, scopeOf(guard, message), () => access.farm());
  if (actor !== null) message['actor'] = actor;
}

/**
 * Checks the key of an order from a dashboard, or over a wire that needs a key, and removes the key from the message.
 */
async function admitFromWire(message: FlowMessage, guard: Guard): Promise<void> {
  const { access, keyNeeded } = guard;
  const scope = scopeOf(guard, message);
  const fromScreen = isFromScreen(message);
  const { authorization } = message;
  if (fromScreen || keyNeeded) delete message['authorization'];
  if (fromScreen) message['actor'] = 'dashboard';
  if (scope === null || scope === 'read' || !(fromScreen || keyNeeded)) return;
  const { database } = await access.farm();
  const given = typeof authorization === 'string' ? authorization : undefined;
  const name = await authorise(database, given, scope).catch((refused: unknown) => {
    if (!(refused instanceof UnauthorizedError)) throw refused;
    throw new UnauthorizedError(
      'The farm is locked, and the order brings no key that is in use: press “Key” at the top of the page and paste one.',
      'A flow sends the key in msg.authorization, as "Bearer …".',
    );
  });
  if (name !== null) message['actor'] = `${fromScreen ? 'dashboard' : 'flow'}:${name}`;
}

/** Turns the response of an endpoint into a message of the flow. */
export const outcomeOf = (answer: Answer | undefined): Outcome | undefined =>
  answer && { payload: answer.payload, statusCode: answer.status, headers: answer.headers };

/** Returns an error that is safe for Node-RED's log: it may contain names that clients have chosen. */
function forLog(thrown: unknown): Error {
  const error = asError(thrown);
  error.message = oneLine(error.message);
  return error;
}

/** Records an answered request of a message. */
function record(farm: Farm | undefined, message: FlowMessage, request: AnsweredRequest): void {
  recordRequest(farm, request, { id: message.req?.params['id'] ?? null, actor: actorOf(message) });
}

/**
 * Handles the input of every node. The return value of the work becomes the payload; an error becomes
 * problem details for an HTTP client (`http response` sends them), or goes to the Catch nodes of the flow.
 *
 * @param guard checked before any work is done for a request
 * @param work returns undefined to send no message
 */
export function onInput(node: Node, guard: Guard, work: (message: FlowMessage) => Promise<Outcome | undefined>): void {
  node.on('input', (message, send, done) => {
    const flowMessage = message as FlowMessage;
    const asked = guard.access.openFarm();
    if (flowMessage.req && !isFromScreen(flowMessage))
      timeRequest(flowMessage, guard.route, (request) => record(guard.access.openFarm(), flowMessage, request));
    admit(flowMessage, guard)
      .then(() => work(flowMessage))
      .then(
        (result) => {
          if (result) {
            flowMessage.payload = result.payload;
            if (flowMessage.req) {
              flowMessage.statusCode = result.statusCode ?? 200;
              if (result.headers && Object.keys(result.headers).length > 0) flowMessage.headers = result.headers;
            }
            send(flowMessage as NodeMessage);
          }
          done();
        },
        (thrown: unknown) => {
          // A redeploy closes the farm during the request; no caller waits for that answer any more.
          const closed = asked !== undefined && guard.access.openFarm() !== asked;
          if (!flowMessage.req) return closed ? done() : done(forLog(thrown));
          const problem = problemOf(thrown);
          flowMessage.payload = problem;
          flowMessage.statusCode = problem.status;
          flowMessage.headers = problemHeaders(thrown, problem);
          send(flowMessage as NodeMessage);
          // The client gets its own errors; only errors on our side are reported in the flow.
          if (problem.status >= 500 && !closed) done(forLog(thrown));
          else done();
        },
      );
  });
}
