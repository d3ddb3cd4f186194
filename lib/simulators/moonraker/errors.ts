import { STATUS_CODES } from 'node:http';
import type { Profile } from './profiles';

/** The origin of an error, which decides how the two vintages word it (protocol notes, section 2, "Error bodies"). */
export type ErrorOrigin = 'klipper' | 'moonraker' | 'upload';

/** A request that is answered with an error; `code` is an HTTP status. */
export class MoonrakerError extends Error {
  override readonly name = 'MoonrakerError';

  constructor(
    readonly code: number,
    message: string,
    readonly origin: ErrorOrigin = 'moonraker',
  ) {
    super(message);
  }
}

/** The connection ends instead of an answer. */
export class LostReply extends Error {
  override readonly name = 'LostReply';
}

export function httpErrorBody(profile: Profile, error: MoonrakerError): Record<string, unknown> {
  const reason = STATUS_CODES[error.code] ?? 'Unknown';
  const detail = error.origin === 'klipper' && profile.legacy ? klipperDictionary(error.message) : error.message;
  let message: string;
  if (profile.legacy || error.origin === 'upload') message = reason;
  else message = error.message.includes('\n') ? 'Unknown' : error.message;
  const shown = profile.legacy ? `${reason} (${detail})` : error.message;
  const traceback = `raise tornado.web.HTTPError(\n\ntornado.web.HTTPError: HTTP ${error.code}: ${shown}\n`;
  return { error: { code: error.code, message, traceback } };
}

/** 404 becomes "method not found" and 401 "invalid params"; everything else keeps its HTTP status. */
export function rpcError(profile: Profile, error: MoonrakerError): { code: number; message: string } {
  const code = error.code === 404 ? -32601 : error.code === 401 ? -32602 : error.code;
  const message = error.origin === 'klipper' && profile.legacy ? klipperDictionary(error.message) : error.message;
  return { code, message };
}

function klipperDictionary(message: string): string {
  return `{'error': 'WebRequestError', 'message': ${pythonString(message)}}`;
}

/** A text as Python shows it: in single quotes unless only double quotes avoid escaping. */
function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`);
  return `${quote}${escaped}${quote}`;
}
