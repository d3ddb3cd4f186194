/** One field of an input that was not accepted, and its remedy. */
export interface FieldError {
  field: string;
  value: unknown;
  remedy: string;
}

/**
 * The base class of every error that Platewise raises on purpose.
 *
 * `code` is stable and may be matched by programs; `retryable` states whether a retry can help;
 * `remedy` is an instruction for the operator.
 */
export class PlatewiseError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly remedy: string;

  constructor(message: string, options: { code: string; remedy: string; retryable?: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.remedy = options.remedy;
    this.retryable = options.retryable ?? false;
  }
}

/** The shape of an input is invalid (HTTP 400). */
export class MalformedInputError extends PlatewiseError {
  constructor(
    message: string,
    readonly errors: FieldError[],
  ) {
    super(message, { code: 'malformed_input', remedy: errors[0]?.remedy ?? 'Correct the request and send it again.' });
  }
}

/** The shape is valid but the content cannot be accepted (HTTP 422). */
export class UnacceptableInputError extends PlatewiseError {
  constructor(
    message: string,
    readonly errors: FieldError[],
    code = 'unacceptable_input',
  ) {
    super(message, { code, remedy: errors[0]?.remedy ?? 'Correct the request and send it again.' });
  }
}

/** Nothing has the given id (HTTP 404). */
export class NotFoundError extends PlatewiseError {
  constructor(kind: string, id: string, remedy = `Use the id of an existing ${kind}.`) {
    super(`There is no ${kind} "${id}".`, { code: 'not_found', remedy });
  }
}

/** The caller is unknown (HTTP 401). */
export class UnauthorizedError extends PlatewiseError {
  constructor(
    message: string,
    remedy = 'Send a key in the header "Authorization: Bearer …"; "platewise keys create" makes one.',
  ) {
    super(message, { code: 'unauthorized', remedy });
  }
}

/** The caller's key does not allow this (HTTP 403). */
export class ForbiddenError extends PlatewiseError {
  constructor(held: string, needed: string) {
    super(`The key has the scope ${held}; this needs ${needed}.`, {
      code: 'forbidden',
      remedy: `Use a key with the scope ${needed}.`,
    });
  }
}

/** A page of another site has sent the request (HTTP 403). */
export class ForeignSourceError extends PlatewiseError {
  readonly errors: FieldError[];

  constructor(field: string, value: string) {
    const remedy =
      'Send it from a page of the farm itself, or from a program, which sends no such header. Behind a proxy pass Host on as it came, or name the farm in PLATEWISE_HOSTS.';
    super('A page of another site may not change anything here.', { code: 'foreign_source', remedy });
    this.errors = [{ field, value, remedy }];
  }
}

/** The request names a host that is not known as this machine (HTTP 403). */
export class UnknownHostError extends PlatewiseError {
  readonly errors: FieldError[];

  constructor(host: string) {
    const remedy =
      'Use localhost, an IP address or the host name of the machine; name others in the environment: PLATEWISE_HOSTS=farm.example.org.';
    super('This machine is not known by that name.', { code: 'unknown_host', remedy });
    this.errors = [{ field: 'Host', value: host, remedy }];
  }
}

/** The current state does not allow the change (HTTP 409). */
export class ConflictError extends PlatewiseError {
  constructor(message: string, remedy: string, code = 'conflict') {
    super(message, { code, remedy });
  }
}

/** A change was based on an outdated version (HTTP 412). */
export class StaleVersionError extends PlatewiseError {
  readonly errors: FieldError[];

  constructor(what: string) {
    const remedy = 'Look at it again, and send the change with its new ETag.';
    super(`${what} has changed since you looked at it.`, { code: 'stale_version', remedy });
    this.errors = [{ field: 'If-Match', value: null, remedy }];
  }
}

/** A client sends too many requests (HTTP 429). */
export class TooManyRequestsError extends PlatewiseError {
  /** @param retryAfterSeconds seconds until the next attempt is allowed */
  constructor(
    most: string,
    readonly retryAfterSeconds: number,
  ) {
    super(`No more than ${most} are accepted from one client.`, {
      code: 'too_many_requests',
      retryable: true,
      remedy: `Try again in ${retryAfterSeconds} s.`,
    });
  }
}

/** Converts any thrown value to an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
