import { once } from 'node:events';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { faultNumber } from '../faults';
import { DigestTap, type FileDigest, type Machine } from '../machine';
import { type Frame, PEER } from './frame';
import { PayloadReader, PayloadWriter } from './payload';
import type { Session } from './session';
import type { SnapmakerState } from './state';
import { ARTISAN_TOOLS } from './tools';

const IN_FLIGHT = 10;
const FIRST_REQUEST_MS = 100;

export interface UploadOrder {
  name: string;
  size: number;
  chunks: number;
  md5: string;
}

/**
 * The screen pulls a file chunk by chunk (protocol notes, section 4.5). A chunk that stays unanswered three times is given up,
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
  const target = join(machine.filesDir, order.name);
  const arriving = new ArrivingFile(`${target}.part`);
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
      await arriving.put(index, chunk);
      received += chunk.length;
      if (received > breakAfter) {
        session.socket.resetAndDestroy();
        return false;
      }
    }
    return true;
  };
  const workers = await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, order.chunks) }, worker));
  const digest = await arriving.finish();
  if (workers.includes(false)) {
    rmSync(`${target}.part`, { force: true });
    return;
  }
  // Only the length is compared; the md5 is never verified.
  const unstorable = machine.faults.take('storage_missing') ?? machine.faults.take('storage_full');
  const complete = digest.size === order.size && unstorable === undefined;
  if (complete) {
    renameSync(`${target}.part`, target);
    machine.extra.files[order.name] = digest;
    machine.persist();
    machine.logUpload(order.name, digest);
    machine.facts(digest.sha256, target, ARTISAN_TOOLS).catch(() => {});
  } else rmSync(`${target}.part`, { force: true });
  await session.ask(PEER.screen, nextSequence(), 0xb002, Buffer.from([complete ? 0 : 1]));
}

/** A file whose chunks come out of order; at most as many wait for their turn as are requested at a time. */
class ArrivingFile {
  readonly #waiting = new Map<number, Buffer>();
  readonly #tap = new DigestTap();
  readonly #written: Promise<void>;
  #next = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#written = pipeline(this.#tap, createWriteStream(path));
    this.#written.catch(() => {});
  }

  put(index: number, chunk: Buffer): Promise<void> {
    this.#waiting.set(index, chunk);
    this.#turn = this.#turn.then(() => this.#append());
    return this.#turn;
  }

  async #append(): Promise<void> {
    for (let due = this.#waiting.get(this.#next); due !== undefined; due = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next);
      this.#next += 1;
      if (!this.#tap.write(due)) await once(this.#tap, 'drain');
    }
  }

  async finish(): Promise<FileDigest> {
    this.#tap.end();
    await this.#written;
    return this.#tap.digest();
  }
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
