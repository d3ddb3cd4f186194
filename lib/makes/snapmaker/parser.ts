import { crc8, decodeFrame, type Frame, shortestFrame } from './frame';

const headLength = 7;

/**
 * Cuts a byte stream into frames. The stream has stray bytes: while the machine shows its approval dialog it sends an
 * `a` every second.
 */
export class FrameParser {
  #buffer: Buffer = Buffer.alloc(0);

  /** Whether a stray `a` was seen: the touchscreen shows its approval dialog. */
  dialogShown = false;

  /** How many bytes wait for the rest of their frame. */
  get waiting(): number {
    return this.#buffer.length;
  }

  push(bytes: Buffer): Frame[] {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const frame = this.#next();
      if (frame === undefined) return frames;
      if (frame !== 'skipped') frames.push(frame);
    }
  }

  #next(): Frame | 'skipped' | undefined {
    const start = this.#findStart();
    if (start > 0) this.#drop(start);
    const buffer = this.#buffer;
    if (buffer.length < headLength) return undefined;
    if (crc8(buffer.subarray(0, 6)) !== buffer.readUInt8(6)) {
      this.#drop(1);
      return 'skipped';
    }
    const length = buffer.readUInt16LE(2) + headLength;
    if (length < shortestFrame) {
      this.#drop(1);
      return 'skipped';
    }
    if (buffer.length < length) return undefined;
    const frame = decodeFrame(buffer.subarray(0, length));
    this.#drop(frame === undefined ? 1 : length);
    return frame ?? 'skipped';
  }

  /** Where the next frame may begin; the bytes before it are discarded. */
  #findStart(): number {
    const buffer = this.#buffer;
    for (let index = 0; index < buffer.length; index++) {
      if (buffer[index] === 0xaa && (index + 1 >= buffer.length || buffer[index + 1] === 0x55)) return index;
      if (buffer[index] === 0x61) this.dialogShown = true;
    }
    return buffer.length;
  }

  #drop(count: number): void {
    this.#buffer = this.#buffer.subarray(count);
  }
}
