import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Reads a file from an offset to its end in chunks of `chunkBytes`, the last one shorter. The buffer is reused:
 * a receiver that keeps bytes must copy them. Synchronous, for use in worker threads.
 */
export function readChunks(path: string, offset: number, chunkBytes: number, receive: (chunk: Buffer) => void): void {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let position = offset;
    for (;;) {
      let filled = 0;
      while (filled < chunkBytes) {
        const count = readSync(file, buffer, filled, chunkBytes - filled, position);
        if (count === 0) break;
        filled += count;
        position += count;
      }
      if (filled > 0) receive(buffer.subarray(0, filled));
      if (filled < chunkBytes) return;
    }
  } finally {
    closeSync(file);
  }
}

/** The size of a file in bytes and up to `headBytes` from its start. */
export function readHead(path: string, headBytes: number): { size: number; head: Buffer } {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const head = Buffer.alloc(Math.min(size, headBytes));
    const count = readSync(file, head, 0, head.length, 0);
    return { size, head: head.subarray(0, count) };
  } finally {
    closeSync(file);
  }
}
