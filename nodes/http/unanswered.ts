import type { Response as ExpressResponse, NextFunction, Request } from 'express';
import type { Answer, HttpRequest } from '../../lib/api/call';
import { problemHeaders, problemOf } from '../../lib/api/problem';
import { serve } from '../../lib/api/serve';
import type { Farm } from '../../lib/farm/farm';
import { asError, MalformedInputError, NotFoundError, PlatewiseError } from '../../lib/model/errors';

/** Answers with what went wrong. */
export function sendProblem(response: ExpressResponse, thrown: unknown): void {
  const problem = problemOf(thrown);
  response.status(problem.status).set(problemHeaders(thrown, problem)).send(JSON.stringify(problem));
}

/** The farm that answers what no flow routes. */
interface Answering {
  farm(): Promise<Farm>;
  /** Ends streams when the farm closes. */
  closing: AbortSignal;
}

/**
 * Answers a request below the API that no flow routes, by the table of endpoints: so an upgrade brings its endpoints to flows that
 * were imported before. While flows are started, at first or after a deployment, nothing is answered here that a flow may route.
 * @param started whether all flows run, so that every endpoint that a flow routes is there
 * @param answering the farm; undefined: there is none
 */
export function answerUnrouted(
  started: () => boolean,
  answering: () => Answering | undefined,
): (request: Request, response: ExpressResponse) => void {
  return (request, response) => {
    const refuse = (thrown: unknown): void => {
      if (!response.headersSent) sendProblem(response, thrown);
      else response.end();
    };
    if (!started()) return refuse(flowsStart());
    const one = answering();
    const { pathname } = new URL(request.originalUrl, 'http://farm');
    if (!one) return refuse(new NotFoundError('endpoint', `${request.method} ${pathname}`.slice(0, 200)));
    serve(() => one.farm(), { request: request as unknown as HttpRequest, response }, request.path, one.closing).then(
      (answer) => answer && send(response, answer),
      refuse,
    );
  };
}

function send(response: ExpressResponse, { payload, status, headers }: Answer): void {
  response.status(status).set(headers);
  if (status === 304) response.end();
  else if (typeof payload === 'object' && !Buffer.isBuffer(payload)) response.json(payload);
  else response.send(payload);
}

const flowsStart = (): PlatewiseError =>
  new PlatewiseError('The flows of this Node-RED are being started.', {
    code: 'farm_not_open',
    retryable: true,
    remedy: 'Try again in some seconds.',
  });

/**
 * What a parser of the server could not read is answered like any other mistake of a client; anything else that was thrown on the
 * way is not shown to it.
 */
export function answerFailed(error: unknown, _request: Request, response: ExpressResponse, next: NextFunction): void {
  if (response.headersSent) {
    next(error);
    return;
  }
  const { type, status } = error as { type?: unknown; status?: unknown };
  const unreadable =
    /^(entity|encoding|charset|request|stream)\./.test(String(type)) || status === 400 || status === 415;
  const remedy = type === 'entity.too.large' ? 'Send less JSON.' : 'Send valid JSON.';
  sendProblem(response, unreadable ? unreadableBody(remedy) : asError(error));
}

/** The error for a body that is none. */
export function unreadableBody(remedy: string): MalformedInputError {
  return new MalformedInputError('The body could not be read.', [{ field: '(body)', value: null, remedy }]);
}
