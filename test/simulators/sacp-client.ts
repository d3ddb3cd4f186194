import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A frame as the test client receives it. */
export interface Seen {
  receiver: number;
  sender: number;
  attribute: number;
  sequence: number;
  command: number;
  payload: Buffer;
}

/** A bare SACP client written for these tests from the sheet; shares nothing with the simulator. */
export class SacpClient {
  readonly seen: Seen[] = [];
  strayBytes = 0;
  closed = false;
  #buffer: Buffer = Buffer.alloc(0);
  #sequence = 0;
  #waiting: { matches(frame: Seen): boolean; resolve(frame: Seen): void }[] = [];
  #upload: { content: Buffer; md5: string } | undefined;
  /** Chunk indices in the order of the requests. */
  readonly chunkRequests: number[] = [];
  /** The number of chunk requests to leave unanswered. */
  ignoreChunks = 0;

  private constructor(readonly socket: Socket) {
    socket.on('data', (data: Buffer) => this.#read(data));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static open(port: number): Promise<SacpClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new SacpClient(socket)));
      socket.once('error', reject);
    });
  }

  send(receiver: number, command: number, payload: Buffer, answer?: Seen): number {
    const sequence = answer?.sequence ?? ++this.#sequence;
    const body = Buffer.concat([
      Buffer.from([0, answer === undefined ? 0 : 1, sequence & 0xff, sequence >>> 8, command >>> 8, command & 0xff]),
      payload,
    ]);
    const head = Buffer.from([0xaa, 0x55, 0, 0, 1, receiver]);
    head.writeUInt16LE(body.length + 2, 2);
    let crc = 0;
    for (const byte of head) for (let bit = 7, c = byte; bit >= 0; bit--) crc = step(crc, (c >> bit) & 1);
    let sum = 0;
    for (let i = 0; i < body.length; i++) {
      const last = i === body.length - 1 && body.length % 2 === 1;
      sum += last || i % 2 === 1 ? (body[i] ?? 0) : (body[i] ?? 0) * 256;
    }
    while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
    const tail = Buffer.alloc(2);
    tail.writeUInt16LE(0xffff - sum);
    this.socket.write(Buffer.concat([head, Buffer.from([crc]), body, tail]));
    return sequence;
  }

  /** Sends a request and resolves with its answer. */
  request(receiver: number, command: number, payload: Buffer = Buffer.alloc(0)): Promise<Seen> {
    const sequence = this.send(receiver, command, payload);
    return this.next((f) => f.attribute === 1 && f.command === command && f.sequence === sequence);
  }

  /** The next matching frame, from now on. */
  next(matches: (frame: Seen) => boolean, milliseconds = 5000): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no such frame: ${matches.toString()}`)), milliseconds);
      const entry = {
        matches,
        resolve: (frame: Seen) => {
          clearTimeout(timer);
          resolve(frame);
        },
      };
      this.#waiting.push(entry);
    });
  }

  push(command: number, first?: (payload: Buffer) => boolean): Promise<Seen> {
    return this.next((f) => f.command === command && (first?.(f.payload) ?? true));
  }

  async hello(token: string): Promise<number> {
    const answer = await this.request(2, 0x0105, strings('test-host', 'test', token));
    return answer.payload[0] ?? -1;
  }

  subscribe(command: number, period = 500): Promise<Seen> {
    return this.request(1, 0x0100, Buffer.from([command >>> 8, command & 0xff, period & 0xff, period >>> 8]));
  }

  /** Offers a file and serves it until the screen reports the result. */
  async upload(name: string, content: Buffer): Promise<{ md5: string; result: number }> {
    const md5 = createHash('md5').update(content).digest('hex');
    this.#upload = { content, md5 };
    const numbers = Buffer.alloc(6);
    numbers.writeUInt32LE(content.length, 0);
    numbers.writeUInt16LE(Math.ceil(content.length / 61440), 4);
    const done = this.next((f) => f.command === 0xb002 && f.attribute === 0, 10_000);
    const taken = await this.request(2, 0xb000, Buffer.concat([strings(name), numbers, strings(md5)]));
    if (taken.payload[0] !== 0) throw new Error('the upload was refused');
    return { md5, result: (await done).payload[0] ?? -1 };
  }

  startPrint(name: string, md5: string): Promise<Seen> {
    return this.request(2, 0xb008, Buffer.concat([Buffer.from([0]), strings(name, md5)]));
  }

  #read(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    while (this.#buffer.length > 0) {
      if (this.#buffer[0] !== 0xaa) {
        this.strayBytes += 1;
        this.#buffer = this.#buffer.subarray(1);
        continue;
      }
      if (this.#buffer.length < 7) return;
      const total = this.#buffer.readUInt16LE(2) + 7;
      if (this.#buffer.length < total) return;
      const bytes = this.#buffer.subarray(0, total);
      this.#buffer = this.#buffer.subarray(total);
      this.#take({
        receiver: bytes.readUInt8(5),
        sender: bytes.readUInt8(7),
        attribute: bytes.readUInt8(8),
        sequence: bytes.readUInt16LE(9),
        command: bytes.readUInt16BE(11),
        payload: Buffer.from(bytes.subarray(13, total - 2)),
      });
    }
  }

  #take(frame: Seen): void {
    this.seen.push(frame);
    if (frame.command === 0xb001 && frame.attribute === 0) this.#serve(frame);
    if (frame.attribute === 0 && frame.command !== 0xb001 && frame.command !== 0xac00) {
      this.send(frame.sender, frame.command, Buffer.from([0]), frame);
    }
    const hit = this.#waiting.filter(({ matches }) => matches(frame));
    this.#waiting = this.#waiting.filter((entry) => !hit.includes(entry));
    for (const entry of hit) entry.resolve(frame);
  }

  #serve(frame: Seen): void {
    const upload = this.#upload;
    if (upload === undefined) return;
    const index = frame.payload.readUInt16LE(34);
    this.chunkRequests.push(index);
    if (this.ignoreChunks > 0) {
      this.ignoreChunks -= 1;
      return;
    }
    const part = upload.content.subarray(index * 61440, (index + 1) * 61440);
    const numbers = Buffer.alloc(4);
    numbers.writeUInt16LE(index, 0);
    numbers.writeUInt16LE(part.length, 2);
    this.send(2, 0xb001, Buffer.concat([Buffer.from([0]), strings(upload.md5), numbers, part]), frame);
  }
}

function step(crc: number, bit: number): number {
  const carry = ((crc >>> 7) & 1) ^ bit;
  return ((crc << 1) & 0xff) ^ (carry === 1 ? 0x07 : 0);
}

export function strings(...texts: string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(2);
      length.writeUInt16LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}
