import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { asError, PlatewiseError } from '../../model/errors';
import { PrinterRefusedError, PrinterUnavailableError } from '../driver';
import { Session } from '../session';
import { Deferred, pause, within } from '../waiting';
import { type Command, commandKey, commands, helloPayload } from './commands';
import { encodeFrame, type Frame, peers } from './frame';
import { FrameParser } from './parser';

export interface SessionOptions {
  host: string;
  port: number;
  token: string;
  clientName: string;
  /** How long establishing the connection may take, and how long an answer (ms). */
  connectMs: number;
  answerMs: number;
  /** How long the greeting may stay unanswered (ms), and how long while the dialog is on the touchscreen. */
  helloMs: number;
  approvalMs: number;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
}

/** The screen is not ready for a greeting immediately. */
const settleMs = 200;
const remembered = 64;

const helloResults: Readonly<Record<number, { message: string; remedy: string }>> = {
  6: {
    message: 'The printer did not understand the greeting.',
    remedy: 'Check that the printer is a Snapmaker Artisan.',
  },
  200: {
    message: 'The connection was refused at the touchscreen.',
    remedy: 'Connect again and tap Allow on the touchscreen.',
  },
  201: {
    message: 'Remote connections are switched off in the printer.',
    remedy: "Switch them on in the printer's settings.",
  },
};

/** The machine ended the session because an operator tapped Disconnect. */
export class DisconnectedAtScreenError extends PrinterUnavailableError {}

/** One SACP connection, greeted and accepted. */
export class SacpSession extends Session {
  readonly #socket: Socket;
  readonly #parser = new FrameParser();
  readonly #pending = new Map<string, Deferred<Frame>>();
  readonly #recent: string[] = [];
  #sequence = 0;
  /** Receives every frame that is not an answer to a request: pushes and requests of the machine. */
  onFrame: (frame: Frame) => void = () => {};
  /** Called when a dialog is seen on the touchscreen during the greeting. */
  #onDialog: () => void = () => {};

  private constructor(
    socket: Socket,
    readonly answerMs: number,
  ) {
    super();
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.guard(() => this.#receive(bytes)));
    socket.on('error', (error) => this.destroy(new PrinterUnavailableError(`Connection: ${error.message}`, error)));
    socket.on('close', () => this.destroy(new PrinterUnavailableError('The printer closed the connection.')));
  }

  static async open(options: SessionOptions, signal: AbortSignal): Promise<SacpSession> {
    const socket = connect({ host: options.host, port: options.port });
    const session = new SacpSession(socket, options.answerMs);
    const abort = (): void => session.destroy(new PrinterUnavailableError('The connection attempt was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      await session.#connected(socket, options);
      await pause(settleMs, signal);
      await session.#greet(options);
      return session;
    } catch (error) {
      session.destroy(asError(error));
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get writable(): boolean {
    return this.reason === undefined && this.#socket.writable && this.#socket.writableLength === 0;
  }

  /** Writes a request before it returns; the promise is for the answer with the same sequence. */
  request(
    receiver: number,
    command: Command,
    payload: Buffer = Buffer.alloc(0),
    timeoutMs = this.answerMs,
  ): Promise<Frame> {
    if (this.reason !== undefined) return Promise.reject(this.reason);
    const sequence = this.send(receiver, command, payload);
    const key = answerKey(receiver, command, sequence);
    const deferred = new Deferred<Frame>();
    this.#pending.set(key, deferred);
    return within(deferred.promise, timeoutMs, () => {
      this.#pending.delete(key);
      return new PrinterUnavailableError(`The printer did not answer ${commandKey(command)}.`);
    });
  }

  /** Writes a request whose answer does not carry its sequence, or is not needed. */
  send(receiver: number, command: Command, payload: Buffer = Buffer.alloc(0)): number {
    this.#sequence = this.#sequence >= 65_534 ? 1 : this.#sequence + 1;
    const sequence = this.#sequence;
    this.#write({
      receiver,
      sender: peers.client,
      attribute: 0,
      sequence,
      commandSet: command.set,
      commandId: command.id,
      payload,
    });
    return sequence;
  }

  /** Answers a request of the machine. */
  answer(request: Frame, payload: Buffer): void {
    if (this.reason !== undefined) return;
    this.#write({ ...request, version: 1, receiver: request.sender, sender: peers.client, attribute: 1, payload });
  }

  async close(): Promise<void> {
    if (this.reason !== undefined) return;
    // Without a disconnect message the screen treats the slot as occupied until one of its writes fails.
    await this.request(peers.screen, commands.farewell, undefined, 1000).catch(() => {});
    this.destroy(new PrinterUnavailableError('The connection was closed.'));
  }

  protected release(): void {
    this.#socket.destroy();
    for (const pending of this.#pending.values()) {
      pending.reject(this.reason ?? new PrinterUnavailableError('The connection ended.'));
    }
    this.#pending.clear();
  }

  async #connected(socket: Socket, options: SessionOptions): Promise<void> {
    const established = new Deferred<void>();
    const forget = this.onEnd((reason) => established.reject(reason));
    socket.once('connect', () => established.resolve());
    try {
      await within(
        established.promise,
        options.connectMs,
        () => new PrinterUnavailableError(`${options.host}:${options.port} did not answer.`),
      );
    } finally {
      forget();
    }
  }

  async #greet(options: SessionOptions): Promise<void> {
    const answered = this.request(
      peers.screen,
      commands.hello,
      helloPayload(hostname().slice(0, 32), options.clientName, options.token),
      options.approvalMs,
    );
    const silent = new Deferred<never>();
    const timer = setTimeout(
      () =>
        silent.reject(
          new PrinterUnavailableError(
            'The printer is busy with another client, or with a dialog that nobody answered.',
          ),
        ),
      options.helloMs,
    );
    this.#onDialog = () => {
      clearTimeout(timer);
      options.log('warn', 'Somebody must tap Allow on the touchscreen of the printer.');
    };
    try {
      const answer = await Promise.race([answered, silent.promise]);
      const result = answer.payload[0] ?? 0;
      if (result === 0) return;
      const known = helloResults[result];
      throw new PrinterRefusedError(
        known?.message ?? `The printer refused the connection (${result}).`,
        known?.remedy ?? 'Look at the touchscreen of the printer.',
      );
    } catch (error) {
      throw error instanceof PlatewiseError ? error : new PrinterUnavailableError(`Greeting: ${String(error)}`);
    } finally {
      clearTimeout(timer);
      answered.catch(() => {});
      this.#onDialog = () => {};
    }
  }

  #write(frame: Frame): void {
    this.#socket.write(encodeFrame(frame));
  }

  #receive(bytes: Buffer): void {
    const frames = this.#parser.push(bytes);
    if (this.#parser.dialogShown) {
      this.#parser.dialogShown = false;
      this.#onDialog();
      this.#onDialog = () => {};
    }
    for (const frame of frames) {
      if (this.reason !== undefined) return;
      this.#route(frame);
    }
  }

  #route(frame: Frame): void {
    const command = { set: frame.commandSet, id: frame.commandId };
    const isFileInfo = commandKey(command) === commandKey(commands.fileInfo);
    // Pushes have their own sequence numbers, which may equal ours.
    const isPush = frame.commandId >= 0xa0;
    if (frame.attribute === 1 && !isPush && !isFileInfo) {
      const key = answerKey(frame.sender, command, frame.sequence);
      this.#pending.get(key)?.resolve(frame);
      this.#pending.delete(key);
      return;
    }
    if (frame.attribute === 0 && !isFileInfo && this.#handled(frame, command)) return;
    this.onFrame(frame);
  }

  /** Acknowledges requests and notices of the machine; true if no handler needs the frame. */
  #handled(frame: Frame, command: Command): boolean {
    const key = commandKey(command);
    // The upload itself answers a request for a chunk.
    if (key === commandKey(commands.uploadChunk)) return false;
    this.answer(frame, Buffer.from([0]));
    if (key === commandKey(commands.farewell)) {
      this.destroy(new DisconnectedAtScreenError('Somebody tapped Disconnect on the touchscreen.'));
      return true;
    }
    return this.#isRepeated(frame, key);
  }

  /** Notices are repeated until the acknowledgement arrives. */
  #isRepeated(frame: Frame, key: string): boolean {
    const mark = `${frame.sender} ${key} ${frame.sequence}`;
    if (this.#recent.includes(mark)) return true;
    this.#recent.push(mark);
    if (this.#recent.length > remembered) this.#recent.shift();
    return false;
  }
}

function answerKey(peer: number, command: Command, sequence: number): string {
  return `${peer} ${commandKey(command)} ${sequence}`;
}
