import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Client } from 'basic-ftp';
import * as fc from 'fast-check';
import { type FtpsAddress, type FtpWiring, uploadByFtps } from '../../lib/makes/bambu/ftps-upload';
import { PlatewiseError } from '../../lib/model/errors';
import { type FuzzTarget, promise } from './target';

const replyMs = 250;
const workers = 256;
const content = Buffer.alloc(3000, 'g');
const fileName = 'a.gcode.3mf';

/** The fault at one reply of the server, counted over the whole upload. */
type Fault =
  | { kind: 'code'; code: number }
  | { kind: 'garbage'; text: string }
  | { kind: 'silence' }
  | { kind: 'twice' }
  | { kind: 'close' }
  | { kind: 'multiline' }
  | { kind: 'size'; size: number }
  | { kind: 'pieces' };

interface Dialogue {
  faults: Map<number, Fault>;
  /** The share of the file that reaches the storage. */
  stored: number;
  /** Whether the final reply precedes the data. */
  early: boolean;
}

/** One end of a connection that exists in memory only, with the interface of a socket. */
class Wire extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly remoteFamily = 'IPv4';
  readonly remotePort = 1;
  readonly localPort = Math.random();
  bytesWritten = 0;
  bytesRead = 0;
  #timer: NodeJS.Timeout | undefined;
  #after = 0;

  constructor(
    private readonly received: (bytes: Buffer) => void,
    private readonly ended: () => void = () => {},
  ) {
    super({ allowHalfOpen: false });
    this.on('error', () => {});
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytesWritten += chunk.length;
    this.#restart();
    this.received(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.ended();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  say(text: string): void {
    if (this.destroyed) return;
    this.#restart();
    this.push(Buffer.from(text));
  }

  setTimeout(ms: number, listener?: () => void): this {
    this.#after = ms;
    if (listener !== undefined) this.once('timeout', listener);
    this.#restart();
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  #restart(): void {
    clearTimeout(this.#timer);
    if (this.#after > 0 && !this.destroyed) this.#timer = setTimeout(() => this.emit('timeout'), this.#after);
  }
}

/** A server that knows what it really stored, whatever it replies. */
class Server {
  storedBytes: number | undefined;
  /** Whether it replied with a wrong size. */
  lied = false;
  #replies = 0;

  constructor(private readonly dialogue: Dialogue) {}

  wiring(): FtpWiring {
    let confirm: (() => void) | undefined;
    const answer = (control: Wire, command: string): void => {
      const [verb = ''] = command.split(' ');
      if (verb === 'STOR') {
        this.storedBytes = 0;
        this.#reply(control, '150 Ok to send data.');
        const done = (): void => this.#reply(control, '226 Transfer complete.');
        if (this.dialogue.early) done();
        else confirm = done;
        return;
      }
      this.#reply(control, this.#answerTo(verb));
    };
    return {
      control: (client: Client) => {
        let text = '';
        const control = new Wire((bytes) => {
          text += bytes.toString('latin1');
          for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
            const line = text.slice(0, end);
            text = text.slice(end + 2);
            setImmediate(() => answer(control, line));
          }
        });
        client.ftp.socket = control as unknown as Socket;
        setImmediate(() => this.#reply(control, '220 ready'));
        return client.ftp.request('').then(() => {});
      },
      data: async (ftp) => {
        const reply = await ftp.request('EPSV');
        ftp.dataSocket = new Wire(
          (bytes) => {
            this.storedBytes = Math.min(this.dialogue.stored, (this.storedBytes ?? 0) + bytes.length);
          },
          () => confirm?.(),
        ) as unknown as Socket;
        return reply;
      },
    };
  }

  #answerTo(verb: string): string {
    switch (verb) {
      case 'USER':
        return '331 password';
      case 'PASS':
        return '230 in';
      case 'DELE':
        return this.storedBytes === undefined ? '550 none' : '250 gone';
      case 'SIZE':
        return this.storedBytes === undefined ? '550 none' : `213 ${this.storedBytes}`;
      case 'EPSV':
        return '229 Entering Extended Passive Mode (|||1|)';
      case 'QUIT':
        return '221 bye';
      default:
        return '200 ok';
    }
  }

  #reply(control: Wire, honest: string): void {
    const fault = this.dialogue.faults.get(this.#replies++);
    switch (fault?.kind) {
      case undefined:
        control.say(`${honest}\r\n`);
        break;
      case 'code':
        control.say(`${fault.code}${honest.slice(3)}\r\n`);
        break;
      case 'garbage':
        control.say(`${fault.text}\r\n`);
        this.lied ||= /\d/.test(fault.text);
        break;
      case 'silence':
        break;
      case 'twice':
        control.say(`${honest}\r\n${honest}\r\n`);
        break;
      case 'close':
        control.destroy();
        break;
      case 'multiline':
        control.say(`${honest.slice(0, 3)}-first\r\n more\r\n${honest}\r\n`);
        break;
      case 'size':
        control.say(`213 ${fault.size}\r\n`);
        this.lied = true;
        break;
      case 'pieces':
        for (const letter of `${honest}\r\n`) control.say(letter);
    }
  }
}

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('code' as const), code: fc.constantFrom(120, 150, 200, 226, 331, 421, 426, 451, 522) }),
  fc.record({ kind: fc.constant('code' as const), code: fc.constantFrom(530, 550, 552, 553, 999) }),
  fc.record({ kind: fc.constant('garbage' as const), text: fc.string({ maxLength: 30 }) }),
  fc.record({ kind: fc.constantFrom('silence', 'twice', 'close', 'multiline', 'pieces') }),
  fc.record({ kind: fc.constant('size' as const), size: fc.constantFrom(0, 1, content.length, content.length + 1) }),
);

/** Whole uploads to a server whose replies are wrong, missing, duplicated, truncated, or too early. */
export const ftp: FuzzTarget = {
  name: 'ftp',
  promise:
    'every upload ends, with an error of ours or with a complete file on the server, unless the server itself lied ' +
    'about its size',
  async run(cases, seed) {
    const folder = mkdtempSync(join(tmpdir(), 'platewise-fuzz-'));
    const path = join(folder, fileName);
    writeFileSync(path, content);
    let stored = 0;
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => {
      unhandled.push(reason);
    };
    process.on('unhandledRejection', note);
    const once = async (dialogue: Dialogue): Promise<void> => {
      const server = new Server(dialogue);
      const address: FtpsAddress = {
        ...{ host: 'nowhere', port: 1, accessCode: '12345678', trust: { serial: 'S' }, replyMs },
        wiring: server.wiring(),
      };
      const parts: number[] = [];
      try {
        await uploadByFtps(address, {
          ...{ path, size: content.length, fileName, signal: new AbortController().signal },
          progress: (part) => parts.push(part),
        });
      } catch (error) {
        promise(error instanceof PlatewiseError, () => `not an error of ours: ${String(error)}`);
        promise(!String(error).includes('12345678'), () => 'the access code is revealed');
        return;
      }
      promise(parts.at(-1) === 1, () => 'an upload that succeeded did not report it');
      if (server.lied) return;
      stored++;
      promise(server.storedBytes === content.length, () => `it stored ${server.storedBytes} of ${content.length}`);
    };
    const dialogue = fc
      .record({
        faults: fc.array(fc.tuple(fc.nat(24), fault), { maxLength: 3 }),
        stored: fc.oneof(
          { weight: 3, arbitrary: fc.constant(content.length) },
          { weight: 1, arbitrary: fc.nat(content.length) },
        ),
        early: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      })
      .map(({ faults, ...rest }) => ({ ...rest, faults: new Map(faults) }));
    try {
      // Most of the time is spent waiting for replies that never come, so many uploads run concurrently.
      await Promise.all(
        Array.from({ length: workers }, (_, worker) => {
          const share = Math.floor(cases / workers) + (worker < cases % workers ? 1 : 0);
          const property = fc.asyncProperty(dialogue, once);
          return fc.assert(property, { numRuns: share, seed: seed + worker, endOnFailure: true });
        }),
      );
      promise(unhandled.length === 0, () => `an unhandled rejection: ${String(unhandled[0])}`);
    } finally {
      process.off('unhandledRejection', note);
      rmSync(folder, { recursive: true, force: true });
    }
    return stored;
  },
};
