/** The sender or receiver of a frame. */
export const peers = { client: 0, controller: 1, screen: 2 } as const;

/** One SACP frame without its framing. */
export interface Frame {
  /** 1; very old firmware sends 2. */
  version?: number;
  receiver: number;
  sender: number;
  /** 0: request, 1: answer; a push is an answer without a request. */
  attribute: 0 | 1;
  sequence: number;
  commandSet: number;
  commandId: number;
  payload: Buffer;
}

const headerLength = 13;
const checksumLength = 2;
/** From the frame's start to where the length field begins to count. */
const uncounted = 7;
export const shortestFrame = headerLength + checksumLength;

/** CRC-8 with polynomial 0x07 over the first six bytes. */
export function crc8(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  return crc;
}

/**
 * The sum over sender to payload: big-endian words, folded and inverted. Unlike in RFC 1071, a last odd byte is added
 * unchanged.
 */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  const even = bytes.length & ~1;
  // This runs over every byte of an upload.
  for (let index = 0; index < even; index += 2) sum += (bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0);
  if (even < bytes.length) sum += bytes[even] ?? 0;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export function encodeFrame(frame: Frame): Buffer {
  // Every byte of it is written below.
  const bytes = Buffer.allocUnsafe(headerLength + frame.payload.length + checksumLength);
  bytes.writeUInt16BE(0xaa55, 0);
  bytes.writeUInt16LE(bytes.length - uncounted, 2);
  bytes.writeUInt8(frame.version ?? 1, 4);
  bytes.writeUInt8(frame.receiver, 5);
  bytes.writeUInt8(crc8(bytes.subarray(0, 6)), 6);
  bytes.writeUInt8(frame.sender, 7);
  bytes.writeUInt8(frame.attribute, 8);
  bytes.writeUInt16LE(frame.sequence, 9);
  bytes.writeUInt8(frame.commandSet, 11);
  bytes.writeUInt8(frame.commandId, 12);
  frame.payload.copy(bytes, headerLength);
  bytes.writeUInt16LE(checksum(bytes.subarray(7, bytes.length - checksumLength)), bytes.length - checksumLength);
  return bytes;
}

/** Reads one complete frame; undefined if its checksums are wrong. */
export function decodeFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < shortestFrame || bytes.readUInt16BE(0) !== 0xaa55) return undefined;
  const length = bytes.readUInt16LE(2) + uncounted;
  if (length !== bytes.length || crc8(bytes.subarray(0, 6)) !== bytes.readUInt8(6)) return undefined;
  if (checksum(bytes.subarray(7, length - checksumLength)) !== bytes.readUInt16LE(length - checksumLength))
    return undefined;
  return {
    version: bytes.readUInt8(4),
    receiver: bytes.readUInt8(5),
    sender: bytes.readUInt8(7),
    attribute: bytes.readUInt8(8) === 0 ? 0 : 1,
    sequence: bytes.readUInt16LE(9),
    commandSet: bytes.readUInt8(11),
    commandId: bytes.readUInt8(12),
    payload: Buffer.from(bytes.subarray(headerLength, length - checksumLength)),
  };
}
