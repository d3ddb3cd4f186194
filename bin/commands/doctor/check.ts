import { asError } from '../../../lib/model/errors';
/** The finding about one part of the farm. */
export interface Check {
  name: string;
  status: 'ok' | 'warning' | 'failed';
  /** The finding as text; never contains a secret. */
  detail: string;
  /** The remedy; null if none is needed. */
  remedy: string | null;
}

export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail, remedy: null });
export const warning = (name: string, detail: string, remedy: string): Check => ({
  name,
  status: 'warning',
  detail,
  remedy,
});
export const failed = (name: string, detail: string, remedy: string): Check => ({
  name,
  status: 'failed',
  detail,
  remedy,
});

/** An address without its password. */
export function masked(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    return parsed.toString();
  } catch {
    return 'an address that cannot be read';
  }
}

/** Returns the text of an error, without the address that it may contain. */
export function words(error: unknown, secret = ''): string {
  const text = asError(error).message;
  return secret === '' ? text : text.replaceAll(secret, '***');
}
