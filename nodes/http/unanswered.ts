import type { Response as ExpressResponse, NextFunction, Request } from 'express';
import type { Answer, HttpRequest } from '../../lib/api/call';
import { problemHeaders, problemOf } from '../../lib/api/problem';
import { apiRoot, endpointFor, routeName, serve } from '../../lib/api/serve';
import type { Farm } from '../../lib/farm/farm';
import { asError, MalformedInputError, NotFoundError, PlatewiseError } from '../../lib/model/errors';
import { type AnsweredRequest, timeResponse } from './request-clock';

/** Answers with the error. */
export function sendProblem(response: ExpressResponse, thrown: unknown): void {
  const problem = problemOf(thrown);
  response.status(problem.status).set(problemHeaders(thrown, problem)).send(JSON.stringify(problem));
}

/** The farm that answers requests that no flow routes. */
export interface Answering {
  farm(): Promise<Farm>;
  /** Ends streams when the farm closes. */
  closing: AbortSignal;
  /** Receives each answered request, streams excepted. */
  answered(request: AnsweredRequest, details: { id: string | null; actor: string }): void;
  /** Receives each internal error, which the client is not shown. */
  failed(error: Error): void;
}

/**
 * Answers a request below the API that no flow routes, by the table of endpoints, so that an upgrade adds its endpoints
 * to flows that were imported earlier. While flows are starting, at first or after a deployment, requests that a flow
 * may route are not answered here.
 * @param started whether all flows run, so that every route of a flow is registered
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
    timeResponse(response, (status, seconds) => {
      const { method, params } = request;
      one.answered(
        { method, route: routeOf(method, request.path), status, seconds },
        {
          id: String(params['id'] ?? '') || null,
          actor: (request as unknown as HttpRequest).actor ?? 'api',
        },
      );
    });
    serve(() => one.farm(), { request: request as unknown as HttpRequest, response }, request.path, one.closing)
      .then((answer) => {
        if (answer && !response.headersSent) send(response, answer);
      })
      .catch((thrown: unknown) => {
        if (problemOf(thrown).status >= 500) one.failed(asError(thrown));
        refuse(thrown);
      })
      // An error here would end Node-RED.
      .catch(() => response.destroy());
  };
}

/** An endpoint as metrics name it, with the names of parameters in the place of their values. */
function routeOf(method: string, path: string): string {
  try {
    return routeName(apiRoot, endpointFor(method, path).endpoint);
  } catch {
    return `${apiRoot}/*`;
  }
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
 * A request that a parser of the server rejects is answered like any other error of a client; other errors are not
 * shown to the client.
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

/** The error for a malformed body. */
export function unreadableBody(remedy: string): MalformedInputError {
  return new MalformedInputError('The body could not be read.', [{ field: '(body)', value: null, remedy }]);
}
