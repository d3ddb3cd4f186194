/** Who sends and receives (protocol notes, section 2). */
export const PEER = { client: 0, controller: 1, screen: 2 } as const;

export const REQUEST = 0;
export const ANSWER = 1;

export interface Frame {
  /** 1; very old software sent 2. */
  version: number;
  receiver: number;
  sender: number;
  /** 0 request, 1 answer. */
  attribute: number;
  sequence: number;
  commandSet: number;
  commandId: number;
  payload: Buffer;
}

const START = 0xaa;
const SECOND = 0x55;
const HEADER = 7;
/** sender, attribute, sequence, set, id and the checksum: what the length field counts besides the payload. */
const COUNTED = 8;

/** CRC-8 of a frame's first six bytes: polynomial 0x07, start 0, not reflected. */
export function crc8(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80) === 0 ? (crc << 1) & 0xff : ((crc << 1) ^ 0x07) & 0xff;
  }
  return crc;
}

/** Big-endian words added up, an odd last byte unchanged, carries folded, inverted. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1] ?? 0;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function encodeFrame(frame: Frame): Buffer {
  const bytes = Buffer.alloc(HEADER + COUNTED + frame.payload.length);
  bytes.writeUInt8(START, 0);
  bytes.writeUInt8(SECOND, 1);
  bytes.writeUInt16LE(frame.payload.length + COUNTED, 2);
  bytes.writeUInt8(frame.version, 4);
  bytes.writeUInt8(frame.receiver, 5);
  bytes.writeUInt8(crc8(bytes.subarray(0, 6)), 6);
  bytes.writeUInt8(frame.sender, 7);
  bytes.writeUInt8(frame.attribute, 8);
  bytes.writeUInt16LE(frame.sequence, 9);
  bytes.writeUInt8(frame.commandSet, 11);
  bytes.writeUInt8(frame.commandId, 12);
  frame.payload.copy(bytes, 13);
  bytes.writeUInt16LE(checksum(bytes.subarray(HEADER, bytes.length - 2)), bytes.length - 2);
  return bytes;
}

/** Finds frames in a stream: they come in pieces, glued together and with stray bytes between them. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const start = this.#buffer.indexOf(START, at);
      if (start < 0) {
        at = this.#buffer.length;
        break;
      }
      at = start;
      if (this.#buffer.length - at < HEADER) break;
      const head = this.#buffer.subarray(at, at + HEADER);
      if (head[1] !== SECOND || crc8(head.subarray(0, 6)) !== head[6]) {
        at += 1;
        continue;
      }
      const total = head.readUInt16LE(2) + HEADER;
      if (total < HEADER + COUNTED) {
        at += 1;
        continue;
      }
      if (this.#buffer.length - at < total) break;
      const bytes = this.#buffer.subarray(at, at + total);
      if (checksum(bytes.subarray(HEADER, total - 2)) === bytes.readUInt16LE(total - 2)) {
        frames.push(parse(bytes));
        at += total;
      } else {
        at += 1;
      }
    }
    this.#buffer = Buffer.from(this.#buffer.subarray(at));
    return frames;
  }
}

function parse(bytes: Buffer): Frame {
  return {
    version: bytes.readUInt8(4),
    receiver: bytes.readUInt8(5),
    sender: bytes.readUInt8(7),
    attribute: bytes.readUInt8(8),
    sequence: bytes.readUInt16LE(9),
    commandSet: bytes.readUInt8(11),
    commandId: bytes.readUInt8(12),
    payload: Buffer.from(bytes.subarray(13, bytes.length - 2)),
  };
}
