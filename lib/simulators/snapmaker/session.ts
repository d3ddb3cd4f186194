import type { Socket } from 'node:net';
import type { Delivery } from '../delivery';
import { ANSWER, encodeFrame, type Frame, FrameReader, PEER, REQUEST } from './frame';

/** A machine-side request is sent this often, this far apart, until it is answered (protocol notes, sections 2 and 4.5). */
const SENDS = 3;
const RESEND_MS = 2000;
/** The screen does not notice a plain FIN; its TCP stack gives the connection up after this long. */
const HALF_OPEN_MS = 30_000;

interface Pending {
  answered(frame: Frame): void;
  abandon(): void;
}

/** One TCP connection, and the frames over it. */
export class Session {
  readonly #reader = new FrameReader();
  readonly #pending = new Map<string, Pending>();
  #halfOpen: NodeJS.Timeout | undefined;
  /** Set by the hello. */
  authenticated = false;

  constructor(
    readonly socket: Socket,
    private readonly delivery: Delivery,
    handlers: { frame(session: Session, frame: Frame): void; closed(session: Session): void },
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      for (const frame of this.#reader.push(chunk)) {
        if (frame.attribute === ANSWER && this.#answered(frame)) continue;
        handlers.frame(this, frame);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.once('end', () => {
      this.#halfOpen = setTimeout(() => socket.destroy(), HALF_OPEN_MS);
    });
    socket.once('close', () => {
      clearTimeout(this.#halfOpen);
      for (const { abandon } of this.#pending.values()) abandon();
      handlers.closed(this);
    });
  }

  get open(): boolean {
    return !this.socket.destroyed && this.socket.writable;
  }

  /** Answers a request with its own sequence. */
  answer(request: Frame, payload: Buffer): void {
    this.#write({
      version: 1,
      receiver: request.sender,
      sender: request.receiver,
      attribute: ANSWER,
      sequence: request.sequence,
      commandSet: request.commandSet,
      commandId: request.commandId,
      payload,
    });
  }

  /** Sends a frame without a request that needs no answer. */
  tell(sender: number, attribute: number, sequence: number, command: number, payload: Buffer): void {
    this.#write({
      version: 1,
      receiver: PEER.client,
      sender,
      attribute,
      sequence,
      commandSet: command >>> 8,
      commandId: command & 0xff,
      payload,
    });
  }

  /**
   * Sends a request of the machine until it is answered, at most three times. Resolves with the answer, or with
   * undefined when it was given up.
   */
  ask(
    sender: number,
    sequence: number,
    command: number,
    payload: Buffer,
    accepts: (answer: Frame) => boolean = () => true,
  ): Promise<Frame | undefined> {
    const key = `${sender}/${command}/${sequence}`;
    return new Promise((resolve) => {
      let sends = 0;
      const send = (): void => {
        if (sends >= SENDS || !this.open) {
          this.#pending.delete(key);
          resolve(undefined);
          return;
        }
        sends += 1;
        this.tell(sender, REQUEST, sequence, command, payload);
        const timer = setTimeout(send, RESEND_MS);
        this.#pending.set(key, {
          abandon: () => {
            clearTimeout(timer);
            this.#pending.delete(key);
            resolve(undefined);
          },
          answered: (frame) => {
            if (!accepts(frame)) return;
            clearTimeout(timer);
            this.#pending.delete(key);
            resolve(frame);
          },
        });
      };
      send();
    });
  }

  /** A byte that is no frame; the screen probes with it whether the client is still there. */
  stray(byte: number): void {
    if (this.open) this.socket.write(Buffer.from([byte]));
  }

  /** Whether the answer belongs to a request of ours. */
  #answered(frame: Frame): boolean {
    const key = `${frame.receiver}/${(frame.commandSet << 8) | frame.commandId}/${frame.sequence}`;
    const pending = this.#pending.get(key);
    pending?.answered(frame);
    return pending !== undefined;
  }

  #write(frame: Frame): void {
    this.delivery.pass(() => {
      if (this.open) this.socket.write(encodeFrame(frame));
    });
  }
}
