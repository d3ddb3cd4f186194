import { WebSocket } from 'ws';
import { asError } from '../../model/errors';
import { PrinterRefusedError, PrinterUnavailableError } from '../driver';
import { Session } from '../session';
import { isObject, type JsonObject, listOf, numberOf, textOf } from '../values';
import { Deferred, within } from '../waiting';
import { MoonrakerError, rpcError } from './errors';
import { type HttpAddress, httpGet } from './http';
import { certificateRefusal } from './trust';

/** A list of thousands of files is a few megabytes. */
const largestMessage = 32 * 1024 * 1024;
const pingIntervalMs = 10_000;
const silenceLimitMs = 30_000;

const keyRemedy =
  "Give the printer's API key (Fluidd or Mainsail: Settings, Authorization), or let it trust this host.";

/** One websocket to Moonraker with JSON-RPC on it. Never reconnects. */
export class RpcSocket extends Session {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Deferred<unknown>>();
  readonly #ping: NodeJS.Timeout;
  #lastHeard = performance.now();
  #nextId = 1;

  private constructor(
    socket: WebSocket,
    private readonly notify: (method: string, params: unknown[]) => void,
  ) {
    super();
    this.#socket = socket;
    this.#ping = setInterval(() => this.#checkAlive(), pingIntervalMs);
    socket.on('message', (data) => this.guard(() => this.#receive(data.toString())));
    socket.on('pong', () => {
      this.#lastHeard = performance.now();
    });
    socket.on('close', () => this.destroy(new PrinterUnavailableError('The printer closed the connection.')));
    socket.on('error', (error) => this.destroy(new PrinterUnavailableError(`Connection: ${error.message}`, error)));
  }

  static async open(
    address: HttpAddress,
    notify: (method: string, params: unknown[]) => void,
    signal: AbortSignal,
  ): Promise<RpcSocket> {
    const token = await oneShotToken(address, signal);
    const query = token === undefined ? '' : `?token=${encodeURIComponent(token)}`;
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const socket = new WebSocket(
      `${address.tls ? 'wss' : 'ws'}://${host}:${address.port}${address.prefix ?? ''}/websocket${query}`,
      {
        ...(address.agent && { agent: address.agent }),
        perMessageDeflate: false,
        maxPayload: largestMessage,
        handshakeTimeout: address.timeoutMs,
        headers: address.apiKey === undefined ? {} : { 'X-Api-Key': address.apiKey },
      },
    );
    const opened = new Deferred<void>();
    const abort = (): void => opened.reject(new PrinterUnavailableError('The connection attempt was given up.'));
    const fail = (error: Error): void =>
      opened.reject(
        certificateRefusal(error) ?? new PrinterUnavailableError(`No connection to Moonraker: ${error.message}`, error),
      );
    socket.once('open', () => opened.resolve());
    socket.on('error', fail);
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      opened.reject(refusalOfStatus(response.statusCode ?? 0));
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      await opened.promise;
      return new RpcSocket(socket, notify);
    } catch (error) {
      socket.terminate();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get writable(): boolean {
    return this.reason === undefined && this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount === 0;
  }

  /**
   * Writes a request before it returns. Without a time limit it waits for the answer as long as the connection lasts.
   */
  call(method: string, params?: JsonObject, timeoutMs?: number): Promise<unknown> {
    if (this.reason !== undefined) return Promise.reject(this.reason);
    const id = this.#nextId++;
    const deferred = new Deferred<unknown>();
    this.#pending.set(id, deferred);
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }), id }));
    if (timeoutMs === undefined) return deferred.promise;
    return within(deferred.promise, timeoutMs, () => {
      this.#pending.delete(id);
      return new PrinterUnavailableError(`The printer did not answer ${method}.`);
    });
  }

  async close(): Promise<void> {
    if (this.reason !== undefined) return;
    const closed = new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
    });
    this.#socket.close(1000);
    await within(closed, 1000, () => new Error('late')).catch(() => {});
    this.destroy(new PrinterUnavailableError('The connection was closed.'));
  }

  protected release(): void {
    clearInterval(this.#ping);
    this.#socket.terminate();
    for (const pending of this.#pending.values()) {
      pending.reject(new PrinterUnavailableError('The connection ended before the printer answered.'));
    }
    this.#pending.clear();
  }

  #checkAlive(): void {
    if (performance.now() - this.#lastHeard > silenceLimitMs) {
      this.destroy(new PrinterUnavailableError('The printer went silent.'));
    } else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #receive(text: string): void {
    if (this.reason !== undefined) return;
    this.#lastHeard = performance.now();
    const message = readMessage(text);
    if (message?.kind === 'notification') this.notify(message.method, message.params);
    if (message?.kind !== 'answer') return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.error !== undefined) pending?.reject(message.error);
    else pending?.resolve(message.result);
  }
}

/** A message from the websocket. */
export type RpcMessage =
  | { kind: 'notification'; method: string; params: unknown[] }
  | { kind: 'answer'; id: number; result: unknown; error?: MoonrakerError };

/** Reads one text frame; undefined if it is meaningless. */
export function readMessage(text: string): RpcMessage | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(message)) return undefined;
  const id = numberOf(message.id);
  if (id !== undefined) {
    const answer = { kind: 'answer' as const, id, result: message.result };
    return 'error' in message ? { ...answer, error: rpcError(message.error) } : answer;
  }
  const method = textOf(message.method);
  return method === undefined ? undefined : { kind: 'notification', method, params: listOf(message.params) };
}

/** A token that opens one websocket; undefined if the printer has none. */
async function oneShotToken(address: HttpAddress, signal: AbortSignal): Promise<string | undefined> {
  const reply = await httpGet(address, '/access/oneshot_token', signal);
  if (reply.status === 401 || reply.status === 403) throw refusalOfStatus(reply.status);
  if (reply.status !== 200) return undefined;
  try {
    const body: unknown = JSON.parse(reply.body);
    return isObject(body) ? textOf(body.result) : undefined;
  } catch {
    return undefined;
  }
}

function refusalOfStatus(status: number): Error {
  return status === 401 || status === 403
    ? new PrinterRefusedError('Moonraker does not accept our credentials.', keyRemedy)
    : new PrinterUnavailableError(`Moonraker answered HTTP ${status} to the connection.`);
}

/** Turns an error from Moonraker into its meaning for the connection. */
export function asConnectionError(thrown: unknown): Error {
  if (thrown instanceof MoonrakerError && thrown.unauthorized) {
    return new PrinterRefusedError('Moonraker does not accept our credentials.', keyRemedy, thrown);
  }
  return asError(thrown);
}
