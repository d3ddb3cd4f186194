import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { isSameJob } from '../../../lib/makes/driver';
import { createSnapmakerDriver } from '../../../lib/makes/snapmaker/driver';
import type { MachineIdentity, ToldIdentity } from '../../../lib/model/machine-identity';
import { encodeFrame, type Frame, FrameReader } from '../../../lib/simulators/snapmaker/frame';
import {
  capabilities,
  connectionWhere,
  gcodeLasting,
  orderFor,
  permit,
  reportWhere,
  temporaryDirectory,
} from '../fixtures';

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length & 0xff, bytes.length >>> 8]), bytes]);
};

/**
 * An unfamiliar machine: greets, pushes its state, pulls a file and prints it. It pushes only the state,
 * in two bytes; it rejects everything else, or leaves it unanswered.
 */
class SparseMachine {
  received = '';
  started = '';
  status = 0;
  /** Its answer to the query for its model and its board's number; undefined: it does not answer. */
  info: Buffer | undefined = Buffer.from([9]);
  readonly #server: Server;
  #socket: Socket | undefined;
  #sequence = 900;
  #file = { name: '', md5: '', chunks: 0 };
  #pushing: NodeJS.Timeout | undefined;

  constructor() {
    this.#server = createServer((socket) => {
      this.#socket = socket;
      const reader = new FrameReader();
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        for (const frame of reader.push(bytes)) this.#take(frame);
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    clearInterval(this.#pushing);
    this.#socket?.destroy();
    this.#server.close();
  }

  /** The print is over: the state, then the reason. */
  finish(): void {
    this.status = 5;
    setTimeout(() => {
      this.status = 0;
      this.#push();
      this.#send(1, 0, this.#sequence++, 0xac01, Buffer.from([0]));
    }, 700);
  }

  #take(frame: Frame): void {
    const command = (frame.commandSet << 8) | frame.commandId;
    const answer = (payload: Buffer): void => this.#send(frame.receiver, 1, frame.sequence, command, payload);
    if (frame.attribute === 1) {
      if (command === 0xb001) this.#chunk(frame.payload);
      return;
    }
    switch (command) {
      case 0x0105:
        answer(Buffer.from([0, 0, 0]));
        break;
      case 0x0100: {
        const isState = frame.payload.readUInt16BE(0) === 0x01a0;
        answer(Buffer.from([isState ? 0 : 9]));
        if (isState) this.#pushing = setInterval(() => this.#push(), frame.payload.readUInt16LE(2));
        break;
      }
      case 0x0120:
        // One tool head with two nozzles, ready.
        answer(Buffer.from([0, 1, 8, 13, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0]));
        break;
      case 0x0121:
        if (this.info !== undefined) answer(this.info);
        break;
      case 0x0106:
        answer(Buffer.from([0]));
        break;
      case 0xac00: {
        const { name, md5 } = this.started === '' ? { name: '\0'.repeat(128), md5: '\0'.repeat(32) } : this.#file;
        this.#send(1, 0, this.#sequence++, 0xac00, Buffer.concat([text(md5), text(name)]));
        break;
      }
      case 0xb000: {
        const length = frame.payload.readUInt16LE(0);
        const name = frame.payload.toString('utf8', 2, 2 + length);
        this.#file = {
          name,
          chunks: frame.payload.readUInt16LE(6 + length),
          md5: frame.payload.toString('utf8', 10 + length),
        };
        answer(Buffer.from([0]));
        this.#askChunk(0);
        break;
      }
      case 0xb008:
        this.started = frame.payload.toString('utf8', 3, 3 + frame.payload.readUInt16LE(1));
        // It homes first, and answers long after that.
        this.status = 1;
        setTimeout(() => {
          this.status = 2;
        }, 800);
    }
  }

  #askChunk(index: number): void {
    const payload = Buffer.concat([text(this.#file.md5), Buffer.from([index & 0xff, index >>> 8])]);
    this.#send(2, 0, this.#sequence++, 0xb001, payload);
  }

  #chunk(payload: Buffer): void {
    const at = 1 + 2 + 32;
    const index = payload.readUInt16LE(at);
    this.received += payload.toString('utf8', at + 4, at + 4 + payload.readUInt16LE(at + 2));
    if (index + 1 < this.#file.chunks) this.#askChunk(index + 1);
    else this.#send(2, 0, this.#sequence++, 0xb002, Buffer.from([0]));
  }

  #push(): void {
    this.#send(1, 1, this.#sequence++, 0x01a0, Buffer.from([0, this.status]));
  }

  #send(sender: number, attribute: number, sequence: number, command: number, payload: Buffer): void {
    const [commandSet, commandId] = [command >>> 8, command & 0xff];
    const frame = { version: 1, receiver: 0, sender, attribute, sequence, commandSet, commandId, payload };
    if (this.#socket?.writable) this.#socket.write(encodeFrame(frame));
  }
}

describe('A machine behind SACP that supports only what printing requires', () => {
  it('prints, and is observed to the end', async () => {
    const machine = new SparseMachine();
    const directory = await temporaryDirectory();
    const driver = createSnapmakerDriver({
      ...{ host: '127.0.0.1', capabilities, timeScale: 1, log: () => {}, token: 'ours', port: await machine.listen() },
      timing: { pushPeriodMs: 500, answerMs: 800 },
    });
    try {
      driver.open();
      await connectionWhere(driver, 'connected');
      const content = gcodeLasting(60);
      const wanted = await orderFor(directory.path, content, { extension: '.gcode', slots: [] });
      deepStrictEqual(await driver.preflight(wanted), []);
      await driver.upload(wanted, { signal: new AbortController().signal, progress: () => {} });
      strictEqual(machine.received, content);
      ok(isSameJob(wanted.identity, (await driver.start(wanted, permit())).job));
      strictEqual(machine.started, wanted.identity.fileName);
      await reportWhere(driver, (report) => report.state === 'printing');
      machine.finish();
      strictEqual((await reportWhere(driver, (report) => report.ending !== null)).ending, 'finished');
    } finally {
      await driver.close();
      machine.close();
      await directory.remove();
    }
  });

  const machines: [what: string, info: Buffer, ids: MachineIdentity][] = [
    ['the number of its board', Buffer.from([0, 3, 1, 0xef, 0xcd, 0xab, 0x12, 0, 0]), { board: '12abcdef' }],
    ['that it has none', Buffer.from([0, 3, 1, 0, 0, 0, 0, 0, 0]), {}],
    ['that it does not know the query', Buffer.from([9]), {}],
  ];
  for (const [what, info, ids] of machines) {
    it(`is checked only once it has answered: ${what}`, async () => {
      const machine = new SparseMachine();
      machine.info = undefined;
      const told: ToldIdentity[] = [];
      const driver = createSnapmakerDriver({
        ...{
          host: '127.0.0.1',
          capabilities,
          timeScale: 1,
          log: () => {},
          token: 'ours',
          port: await machine.listen(),
        },
        timing: { pushPeriodMs: 500, answerMs: 800, firstPauseMs: 1 },
      });
      driver.admit(async (identity) => {
        told.push(identity);
      });
      try {
        driver.open();
        await connectionWhere(driver, 'disconnected', 15_000, ({ reason }) =>
          /did not answer 01.21/.test(reason?.message ?? ''),
        );
        machine.info = info;
        await connectionWhere(driver, 'connected');
        deepStrictEqual(told, [{ ids, complete: true }]);
      } finally {
        await driver.close();
        machine.close();
      }
    });
  }
});
