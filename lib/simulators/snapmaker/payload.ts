/** Thrown when a payload ends before all its fields. */
export class ShortPayload extends Error {
  override readonly name = 'ShortPayload';
}

/** Reads the fields of a payload in order; integers are little endian. */
export class PayloadReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  u8(): number {
    return this.#take(1).readUInt8(0);
  }

  u16(): number {
    return this.#take(2).readUInt16LE(0);
  }

  u32(): number {
    return this.#take(4).readUInt32LE(0);
  }

  /** u16 length and UTF-8 bytes. */
  string(): string {
    return this.#take(this.u16()).toString('utf8');
  }

  /** u16 length and bytes. */
  block(): Buffer {
    return this.#take(this.u16());
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.bytes.length) throw new ShortPayload('The payload is too short.');
    const part = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** Collects the fields of a payload. */
export class PayloadWriter {
  readonly #parts: Buffer[] = [];

  u8(...values: number[]): this {
    this.#parts.push(Buffer.from(values));
    return this;
  }

  u16(value: number): this {
    const part = Buffer.alloc(2);
    part.writeUInt16LE(value);
    return this.#add(part);
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value >>> 0);
    return this.#add(part);
  }

  /** A number in thousandths, as i32. */
  float(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32LE(Math.round(value * 1000));
    return this.#add(part);
  }

  string(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    return this.u16(bytes.length).#add(bytes);
  }

  raw(bytes: Buffer): this {
    return this.#add(bytes);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #add(part: Buffer): this {
    this.#parts.push(part);
    return this;
  }
}
