import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultNumber } from '../faults';
import type { Machine } from '../machine';
import { type Frame, PEER } from './frame';
import { PayloadReader, PayloadWriter } from './payload';
import type { Session } from './session';
import type { SnapmakerState } from './state';

/** Bytes of a chunk by convention. */
export const CHUNK_BYTES = 61_440;
const IN_FLIGHT = 10;
const FIRST_REQUEST_MS = 100;

export interface UploadOrder {
  name: string;
  size: number;
  chunks: number;
  md5: string;
}

/**
 * The screen pulls a file chunk by chunk (sheet, section 4.5). A chunk that stays unanswered three times is given up,
 * and the upload then hangs for ever, as it does on the machine.
 */
export async function pullUpload(
  session: Session,
  order: UploadOrder,
  machine: Machine<SnapmakerState>,
  nextSequence: () => number,
): Promise<void> {
  // Nothing is ever complete about no chunks at all.
  if (order.chunks === 0) return;
  await new Promise((resolve) => setTimeout(resolve, FIRST_REQUEST_MS));
  const parts = new Array<Buffer | undefined>(order.chunks);
  const broken = machine.faults.take('upload_breaks');
  const breakAfter = broken === undefined ? Infinity : faultNumber(broken, 'after_bytes', 1024);
  let received = 0;
  let next = 0;
  const worker = async (): Promise<boolean> => {
    while (next < order.chunks) {
      const index = next;
      next += 1;
      const answer = await session.ask(
        PEER.screen,
        nextSequence(),
        0xb001,
        new PayloadWriter().string(order.md5).u16(index).bytes(),
        (frame) => chunkOf(frame, order.md5, index) !== undefined,
      );
      const chunk = answer === undefined ? undefined : chunkOf(answer, order.md5, index);
      if (chunk === undefined) return false;
      parts[index] = chunk;
      received += chunk.length;
      if (received > breakAfter) {
        session.socket.resetAndDestroy();
        return false;
      }
    }
    return true;
  };
  const workers = await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, order.chunks) }, worker));
  if (workers.includes(false)) return;
  const content = Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0)));
  // Only the length is compared; the md5 is never verified.
  const unstorable = machine.faults.take('storage_missing') ?? machine.faults.take('storage_full');
  const complete = content.length === order.size && unstorable === undefined;
  if (complete) store(machine, order, content);
  await session.ask(PEER.screen, nextSequence(), 0xb002, Buffer.from([complete ? 0 : 1]));
}

function store(machine: Machine<SnapmakerState>, order: UploadOrder, content: Buffer): void {
  const target = join(machine.filesDir, order.name);
  writeFileSync(`${target}.part`, content);
  renameSync(`${target}.part`, target);
  const digest = {
    sha256: createHash('sha256').update(content).digest('hex'),
    md5: createHash('md5').update(content).digest('hex'),
    size: content.length,
  };
  machine.extra.files[order.name] = digest;
  machine.persist();
  machine.logUpload(order.name, digest);
  machine.facts(digest.sha256, target).catch(() => {});
}

/** The data of a chunk, undefined if the answer is an error or belongs to another file. */
function chunkOf(frame: Frame, md5: string, index: number): Buffer | undefined {
  try {
    const reader = new PayloadReader(frame.payload);
    if (reader.u8() !== 0 || reader.string() !== md5 || reader.u16() !== index) return undefined;
    return Buffer.from(reader.block());
  } catch {
    return undefined;
  }
}
