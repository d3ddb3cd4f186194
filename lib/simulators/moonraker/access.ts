import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { MoonrakerError } from './errors';

const ONESHOT_LIFE_MS = 5000;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The clients that may connect: all, or those with the API key or a one-shot token (protocol notes, section 2, "Auth"). */
export class Access {
  readonly #tokens = new Map<string, NodeJS.Timeout>();

  constructor(private readonly apiKey: string | undefined) {}

  get trusted(): boolean {
    return this.apiKey === undefined;
  }

  isKey(key: unknown): boolean {
    return this.apiKey === undefined || key === this.apiKey;
  }

  /** A text that opens the door once within five seconds. */
  oneshotToken(): string {
    const token = Array.from(randomBytes(32), (byte) => BASE32[byte % 32]).join('');
    this.#tokens.set(token, setTimeout(() => this.#tokens.delete(token), ONESHOT_LIFE_MS).unref());
    return token;
  }

  /** Whether the request carries a key or a token that is good; a token is used up by it. */
  admits(request: IncomingMessage, query: URLSearchParams): boolean {
    const token = query.get('token');
    const tokenTimer = token === null ? undefined : this.#tokens.get(token);
    if (token !== null && tokenTimer !== undefined) {
      clearTimeout(tokenTimer);
      this.#tokens.delete(token);
      return true;
    }
    return this.isKey(request.headers['x-api-key']);
  }

  /** @throws MoonrakerError 401 */
  require(request: IncomingMessage, query: URLSearchParams): void {
    if (!this.admits(request, query)) throw new MoonrakerError(401, 'Unauthorized');
  }
}
