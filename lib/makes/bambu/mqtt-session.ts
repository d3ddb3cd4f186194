import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type ErrorWithReasonCode, MqttClient } from 'mqtt';
import { asError } from '../../model/errors';
import { PrinterRefusedError, PrinterUnavailableError } from '../driver';
import { Session } from '../session';
import type { JsonObject } from '../values';
import { Deferred, within } from '../waiting';
import { parseReport } from './report-merge';
import { connectTls, type PrinterTrust } from './tls';

export interface MqttAddress {
  host: string;
  port: number;
  accessCode: string;
  trust: PrinterTrust;
  /** How long the TLS connection and after it the login may take (ms). */
  timeoutMs: number;
}

/** The events of a session. */
export interface MqttListener {
  status(message: { full: boolean; fields: JsonObject }): void;
  answer(answer: PrinterAnswer): void;
}

export interface PrinterAnswer {
  section: string;
  command: string;
  sequenceId: string;
  fields: JsonObject;
  /** Whether the message answers a command of this session. */
  own: boolean;
}

const keepaliveSeconds = 30;
const wrongCredentialCodes = [4, 5];
const firstSequenceId = 20_000;
const lastSequenceId = 29_999;

/**
 * One MQTT connection. It is made for one socket and never reconnects: a new connection is a new session with a new
 * client, so no message that was queued for an old one can ever be sent on a new one.
 */
export class MqttSession extends Session {
  readonly #client: MqttClient;
  readonly #socket: TLSSocket;
  readonly #requestTopic: string;
  readonly #pending = new Map<string, Deferred<PrinterAnswer>>();
  #sequence = firstSequenceId + Math.floor(Math.random() * 5000);

  private constructor(
    client: MqttClient,
    socket: TLSSocket,
    readonly serial: string,
    private readonly listener: MqttListener,
  ) {
    super();
    this.#client = client;
    this.#socket = socket;
    this.#requestTopic = `device/${serial}/request`;
  }

  static async open(address: MqttAddress, listener: MqttListener, signal: AbortSignal): Promise<MqttSession> {
    const { serial } = address.trust;
    const socket = await connectTls(address, signal);
    const client = new MqttClient(() => socket, {
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: `platewise-${randomUUID().slice(0, 13)}`,
      username: 'bblp',
      password: address.accessCode,
      clean: true,
      keepalive: keepaliveSeconds,
      reconnectPeriod: 0,
      connectTimeout: address.timeoutMs,
      queueQoSZero: false,
      resubscribe: false,
    });
    const session = new MqttSession(client, socket, serial, listener);
    const ready = new Deferred<void>();
    const abort = (): void => ready.reject(new PrinterUnavailableError('The connection attempt was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    const forget = session.onEnd((reason) => ready.reject(reason));
    session.#listen();
    client.once('connect', () => {
      client.subscribe(`device/${serial}/report`, { qos: 0 }, (error, granted) => {
        if (error !== null && error !== undefined) ready.reject(error);
        else if (granted?.some((grant) => grant.qos === 128)) {
          ready.reject(new PrinterUnavailableError('The printer refused the subscription to its reports.'));
        } else ready.resolve();
      });
    });
    try {
      await within(
        ready.promise,
        address.timeoutMs,
        () => new PrinterUnavailableError('The printer did not answer the login.'),
      );
      return session;
    } catch (error) {
      session.destroy(asError(error));
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      forget();
    }
  }

  get writable(): boolean {
    return (
      this.reason === undefined &&
      this.#client.connected &&
      !this.#client.disconnecting &&
      this.#socket.writable &&
      this.#socket.writableLength === 0
    );
  }

  nextSequenceId(): string {
    this.#sequence = this.#sequence >= lastSequenceId ? firstSequenceId : this.#sequence + 1;
    return String(this.#sequence);
  }

  /**
   * Writes a command to the socket before it returns; throws if it was not written. It does not wait for the broker's
   * receipt, which confirms nothing and is sometimes lost.
   */
  publish(payload: object): void {
    let written = false;
    const note = (packet: { cmd: string }): void => {
      if (packet.cmd === 'publish') written = true;
    };
    this.#client.on('packetsend', note);
    try {
      this.#client.publish(this.#requestTopic, JSON.stringify(payload), { qos: 1 }, () => {});
      // The client collects a packet's parts until the next tick; they must leave now.
      while (this.#socket.writableCorked > 0) this.#socket.uncork();
    } finally {
      this.#client.off('packetsend', note);
    }
    if (!written) throw new PrinterUnavailableError('The command could not be written.');
  }

  /** Requests a report. A request that cannot be written now is dropped: the silence that follows ends the session. */
  request(payload: object): void {
    try {
      this.publish(payload);
    } catch (error) {
      if (!(error instanceof PrinterUnavailableError)) throw error;
    }
  }

  /** Returns the printer's answer to the command with this id. Call it before the command is published. */
  answerTo(command: string, sequenceId: string): { promise: Promise<PrinterAnswer>; forget: () => void } {
    const deferred = new Deferred<PrinterAnswer>();
    const key = `${command} ${sequenceId}`;
    this.#pending.set(key, deferred);
    return { promise: deferred.promise, forget: () => this.#pending.delete(key) };
  }

  async close(): Promise<void> {
    if (this.reason !== undefined) return;
    const farewell = new Deferred<void>();
    // A clean disconnect would wait for receipts that printers sometimes never send.
    for (const id of Object.keys(this.#client.outgoing)) this.#client.removeOutgoingMessage(Number(id));
    this.#client.end(false, {}, () => farewell.resolve());
    await within(farewell.promise, 1000, () => new Error('late')).catch(() => {});
    this.destroy(new PrinterUnavailableError('The connection was closed.'));
  }

  protected release(): void {
    this.#socket.destroy();
    this.#client.end(true);
    for (const pending of this.#pending.values()) {
      pending.reject(new PrinterUnavailableError('The connection ended before the printer answered.'));
    }
    this.#pending.clear();
  }

  #listen(): void {
    this.#client.on('error', (error: Error | ErrorWithReasonCode) => this.destroy(this.#explain(error)));
    this.#client.on('close', () => this.destroy(new PrinterUnavailableError('The printer closed the connection.')));
    this.#socket.on('error', (error) =>
      this.destroy(new PrinterUnavailableError(`Connection: ${error.message}`, error)),
    );
    this.#client.on('message', (_topic, payload) => {
      if (this.reason === undefined) this.guard(() => this.#receive(payload));
    });
  }

  #receive(payload: Uint8Array): void {
    for (const message of parseReport(payload)) {
      if (message.kind === 'status') this.listener.status(message);
      else if (message.kind === 'answer') {
        // Other clients count in the same window, so the command's name must fit as well.
        const key = `${message.command} ${message.sequenceId}`;
        const pending = this.#pending.get(key);
        const answer = { ...message, own: pending !== undefined };
        this.#pending.delete(key);
        pending?.resolve(answer);
        this.listener.answer(answer);
      }
    }
  }

  #explain(error: Error | ErrorWithReasonCode): Error {
    if ('code' in error && typeof error.code === 'number' && wrongCredentialCodes.includes(error.code)) {
      return new PrinterRefusedError(
        'The printer does not accept the access code.',
        "Enter the access code that the printer's screen shows now; it changes with LAN-only and Developer Mode.",
      );
    }
    return new PrinterUnavailableError(`MQTT: ${error.message}`, error);
  }
}
