import * as zlib from 'node:zlib';

/** The checksum of ZIP members (polynomial 0xedb88320), continued from a previous value; starts with 0. */
export const crc32: (bytes: Uint8Array, before: number) => number =
  // Node.js has it since 20.15 and 22.2.
  (zlib as { crc32?: typeof zlib.crc32 }).crc32 ?? crc32ByTable;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The same for a Node.js without it. */
export function crc32ByTable(bytes: Uint8Array, before: number): number {
  let value = ~before;
  for (const byte of bytes) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] as number);
  return ~value >>> 0;
}
