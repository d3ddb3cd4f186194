import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

export type TruthEventName = 'upload' | 'start' | 'started' | 'finished' | 'stopped' | 'bed_cleared' | 'foreign_start';

/** One thing that truly happened at the printer, whatever anybody was told about it. */
export interface TruthEvent {
  event: TruthEventName;
  file_name: string;
  sha256: string;
  /** Bytes. */
  size: number;
  /** What the make's protocol calls the job by: task ids, md5, file name. */
  identity: Record<string, string>;
  /** What lay on the plate when it happened: 'clear', or the name of the file. A new print's own part does not count. */
  bed: string;
  /** `start` only: whether the printer took the command. */
  accepted?: boolean;
  /** Why a start was refused, or how a print ended. */
  reason?: string;
}

/** Append-only JSONL; each line is on the disk before `write` returns. */
export class TruthLog {
  readonly #descriptor: number;

  constructor(readonly path: string) {
    this.#descriptor = openSync(path, 'a');
  }

  write(event: TruthEvent): void {
    writeSync(this.#descriptor, `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
