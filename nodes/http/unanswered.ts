import type { NextFunction, Request, Response } from 'express';
import { asError, MalformedInputError, NotFoundError, PlatewiseError } from '../../lib/model/errors';
import { problemHeaders, problemOf } from './problem';

/** Answers with what went wrong. */
export function sendProblem(response: Response, thrown: unknown): void {
  const problem = problemOf(thrown);
  response.status(problem.status).set(problemHeaders(thrown, problem)).send(JSON.stringify(problem));
}

/**
 * Answers a request below the API that nothing was at: there is no such endpoint, or none yet.
 * @param started whether all flows run, so that every endpoint is there
 */
export function answerUnmatched(started: () => boolean): (request: Request, response: Response) => void {
  return (request, response) => {
    const { pathname } = new URL(request.originalUrl, 'http://farm');
    const endpoint = `${request.method} ${pathname}`.slice(0, 200);
    sendProblem(response, started() ? new NotFoundError('endpoint', endpoint) : flowsStart());
  };
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
export function answerFailed(error: unknown, _request: Request, response: Response, next: NextFunction): void {
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
