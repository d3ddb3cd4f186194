import {
  asError,
  ConflictError,
  type FieldError,
  ForbiddenError,
  ForeignSourceError,
  MalformedInputError,
  NotFoundError,
  PlatewiseError,
  StaleVersionError,
  TooManyRequestsError,
  UnacceptableInputError,
  UnauthorizedError,
  UnknownHostError,
} from '../model/errors';
import { BodiesInFlightError } from './body-budget';

/** An error as problem details (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors: FieldError[];
}

const titles: Record<number, string> = {
  400: 'The request is malformed',
  401: 'A key is required',
  403: 'Not allowed',
  404: 'Not found',
  409: 'The current state does not allow this',
  412: 'The resource has changed in the meantime',
  413: 'The file is too large',
  429: 'Too many requests',
  422: 'The request cannot be accepted',
  500: 'Internal error',
  503: 'A part of the farm is unreachable',
  507: 'The storage is full',
};

const isRefusedSource = (error: unknown): error is ForeignSourceError | UnknownHostError =>
  error instanceof ForeignSourceError || error instanceof UnknownHostError;

function statusOf(error: PlatewiseError): number {
  if (error.code === 'file_too_large') return 413;
  if (error.code === 'storage_full') return 507;
  if (error instanceof MalformedInputError) return 400;
  if (error instanceof NotFoundError) return 404;
  if (error instanceof UnauthorizedError) return 401;
  if (error instanceof ForbiddenError || isRefusedSource(error)) return 403;
  if (error instanceof ConflictError) return 409;
  if (error instanceof StaleVersionError) return 412;
  if (error instanceof TooManyRequestsError) return 429;
  if (error instanceof UnacceptableInputError) return 422;
  return error.retryable ? 503 : 422;
}

const longestEcho = 200;
const longestDetail = 2000;

/** Echoes the client's input: unchanged if it is short. */
function echo(value: unknown): unknown {
  if (typeof value === 'string') return value.length > longestEcho ? `${value.slice(0, longestEcho)}…` : value;
  if (typeof value !== 'object' || value === null) return value;
  try {
    return JSON.stringify(value).length > longestEcho ? '(too long to repeat)' : value;
  } catch {
    return '(too deep to repeat)';
  }
}

/** The response headers of an error and its problem. */
export function problemHeaders(thrown: unknown, problem: Problem): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(problem.status === 401 && { 'www-authenticate': 'Bearer realm="Platewise"' }),
    ...((thrown instanceof TooManyRequestsError || thrown instanceof BodiesInFlightError) && {
      'retry-after': String(thrown.retryAfterSeconds),
    }),
  };
}

/** The message that a client sees. Details of an unreachable service (addresses, sockets) go to the log only. */
function messageOf(error: PlatewiseError, status: number): string {
  const beneath = status === 503 && error.cause instanceof Error ? error.cause.message : '';
  return beneath === '' ? error.message : error.message.replaceAll(beneath, 'see the log of Node-RED.');
}

/** Describes an error to an HTTP client; the details of an unexpected error stay hidden. */
export function problemOf(thrown: unknown): Problem {
  const error = asError(thrown);
  const known = error instanceof PlatewiseError;
  const status = known ? statusOf(error) : 500;
  const namesFields =
    error instanceof MalformedInputError ||
    error instanceof UnacceptableInputError ||
    error instanceof StaleVersionError ||
    isRefusedSource(error);
  const errors = namesFields ? error.errors : [];
  return {
    type: `urn:platewise:problem:${known ? error.code : 'internal'}`,
    title: titles[status] ?? 'Error',
    status,
    detail: known
      ? `${messageOf(error, status)} ${error.remedy}`.trim().slice(0, longestDetail)
      : 'See the log of Node-RED.',
    code: known ? error.code : 'internal',
    errors: errors.map(({ field, value, remedy }) => ({ field: String(echo(field)), value: echo(value), remedy })),
  };
}
