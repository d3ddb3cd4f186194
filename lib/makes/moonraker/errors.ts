import { isObject, numberOf, textOf } from '../values';

/** The printer answered a request with an error. */
export class MoonrakerError extends Error {
  constructor(
    message: string,
    /** The JSON-RPC error code, or the HTTP status. */
    readonly status: number,
  ) {
    super(message);
  }

  /** Not logged in, or wrong credentials. */
  get unauthorized(): boolean {
    return this.status === 401 || (this.status === -32602 && /unauthorized/i.test(this.message));
  }

  /** The requested object does not exist. JSON-RPC uses the same code for unknown methods. */
  get notFound(): boolean {
    return this.status === 404 || this.status === -32601;
  }

  /** This version does not support the request, so repeating it is useless. A 400 is no such sign: a Klipper that is down answers it too. */
  get unsupported(): boolean {
    return this.notFound || this.status === -32602;
  }
}

/**
 * The text inside an error message. Old versions wrap it in something that looks like a Python dictionary:
 * `{'error': 'WebRequestError', 'message': 'SD busy'}`.
 */
export function errorMessage(raw: string): string {
  const wrapped = /'message':\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/.exec(raw);
  const text = wrapped?.[1] ?? wrapped?.[2];
  return (text ?? raw)
    .replace(/\\n/g, '\n')
    .replace(/\\(['"\\])/g, '$1')
    .trim();
}

/** Reads the `error` of a JSON-RPC answer. */
export function rpcError(error: unknown): MoonrakerError {
  const fields = isObject(error) ? error : {};
  return new MoonrakerError(errorMessage(textOf(fields.message) ?? 'unknown error'), numberOf(fields.code) ?? 0);
}

/** Reads the body of a failed HTTP request; proxies answer in HTML. */
export function httpError(status: number, body: string): MoonrakerError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return new MoonrakerError(`HTTP ${status}`, status);
  }
  const error = isObject(parsed) && isObject(parsed.error) ? parsed.error : {};
  const inTraceback = /'message':/.test(textOf(error.traceback) ?? '')
    ? errorMessage(textOf(error.traceback) ?? '')
    : '';
  const text = inTraceback || errorMessage(textOf(error.message) ?? '');
  return new MoonrakerError(text === '' ? `HTTP ${status}` : `${text} (HTTP ${status})`, status);
}
