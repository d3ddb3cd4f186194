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

/** Who may send a request to a node; what comes over a wire without one is the flow's own business. */
export interface Guard {
  access: FarmAccess;
  /** What a request needs a key for; null: nothing. A function may throw why there is nothing to ask for. */
  scope: Scope | null | ((message: FlowMessage) => Scope | null);
  /** The route of a request for the metrics, where the path of its `http in` node does not name it. Throws if there is none. */
  route?(message: FlowMessage): string;
  /** Whether a message over a wire needs a key as well, wherever it comes from. */
  keyNeeded?: boolean;
}

const scopeOf = ({ scope }: Guard, message: FlowMessage): Scope | null =>
  typeof scope === 'function' ? scope(message) : scope;

/** What the work of a node comes to. */
export interface Outcome {
  payload: unknown;
  /** Of the answer to a request; without it 200. */
  statusCode?: number;
  /** Of the answer to a request. */
  headers?: Record<string, string>;
}

/** Makes sure that a request may do this, and that its texts can be stored; the name of its key is who does it, in the history. */
async function admit(message: FlowMessage, guard: Guard): Promise<void> {
  const { access } = guard;
  if (isFromScreen(message)) {
    // A browser has written all of the message but this.
    delete message.req;
    delete message['actor'];
  }
  if (!message.req) return admitFromWire(message, guard);
  const actor = await admitRequest(message.req, scopeOf(guard, message), () => access.farm());
  if (actor !== null) message['actor'] = actor;
}

/** Makes sure that an order from a screen, or over a wire that needs a key, may be given; the key goes no further. */
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

/** What an endpoint answers, for the flow. */
export const outcomeOf = (answer: Answer | undefined): Outcome | undefined =>
  answer && { payload: answer.payload, statusCode: answer.status, headers: answer.headers };

/** An error as Node-RED's log may show it: it may name what others have named. */
function forLog(thrown: unknown): Error {
  const error = asError(thrown);
  error.message = oneLine(error.message);
  return error;
}

/** Keeps how long a request took; one that was to change something, or failed here, goes into the log for programs too. */
function record(farm: Farm | undefined, message: FlowMessage, request: AnsweredRequest): void {
  farm?.requestDurations.observe(request);
  if (request.method === 'GET' && request.status < 500) return;
  const level = request.status >= 500 ? 'error' : 'info';
  const { id } = message.req?.params ?? {};
  farm?.events.write(level, 'request', { ...request, id: id ?? null, actor: actorOf(message) });
}

/**
 * The one place where the input of every node ends. What the work returns becomes the payload; what it throws becomes
 * problem details for an HTTP client (`http response` sends them), or goes to the Catch nodes of the flow.
 *
 * @param guard asked before anything is done for a request
 * @param work undefined sends nothing
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
          // Who deploys anew closes the farm under what is being asked; nobody waits for that answer any more.
          const closed = asked !== undefined && guard.access.openFarm() !== asked;
          if (!flowMessage.req) return closed ? done() : done(forLog(thrown));
          const problem = problemOf(thrown);
          flowMessage.payload = problem;
          flowMessage.statusCode = problem.status;
          flowMessage.headers = problemHeaders(thrown, problem);
          send(flowMessage as NodeMessage);
          // A client's mistake is the client's to mend; only what is wrong here is reported in the flow.
          if (problem.status >= 500 && !closed) done(forLog(thrown));
          else done();
        },
      );
  });
}
