import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

export type TruthEventName = 'upload' | 'start' | 'started' | 'finished' | 'stopped' | 'bed_cleared' | 'foreign_start';

/** The extrusion of one tool in a print. */
export interface TruthTool {
  /** From 0; on a Bambu with two nozzles 0 is the right one, 1 the left one. */
  tool: number;
  /** The contents of the slot that feeds it; null if it is empty and nothing is extruded. */
  material: string | null;
  /** By the G-code's own extrusion. In `started` all that the file is going to let out, later what has come out. */
  grams: number;
}

/** An event that really happened at the printer, whatever was reported to clients. */
export interface TruthEvent {
  event: TruthEventName;
  file_name: string;
  sha256: string;
  /** Bytes. */
  size: number;
  /** The identity of the job in the make's protocol: task ids, md5, file name. */
  identity: Record<string, string>;
  /**
   * The contents of the plate when it happened: 'clear', or the name of the file. A new print's own part does not
   * count.
   */
  bed: string;
  /** `start` only: whether the printer took the command. */
  accepted?: boolean;
  /** Why a start was rejected, or how a print ended. */
  reason?: string;
  /** Of the events of a print that has begun. */
  tools?: TruthTool[];
}

/** An event with its time and its number in the log. */
export type TruthLine = { at: string } & TruthEvent & { seq: number };

/**
 * Append-only JSONL, each line on the disk before `flush` returns.
 *
 * An event is first noted, then stored with the change that it reports (`pending` is part of the printer's state file),
 * then written. The caller that restores the state hands the pending events back, and those that a kill kept from the
 * log are written then: an event is neither lost nor logged twice.
 */
export class TruthLog {
  readonly #descriptor: number;
  #pending: TruthLine[] = [];
  #written: number;
  #noted: number;

  constructor(readonly path: string) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    this.#descriptor = openSync(path, 'a');
    // A line that a kill cut off does not spoil the next one.
    if (text !== '' && !text.endsWith('\n')) writeSync(this.#descriptor, '\n');
    this.#written = lastNumber(text);
    this.#noted = this.#written;
  }

  /** Events that are noted and perhaps not in the log yet. */
  get pending(): readonly TruthLine[] {
    return this.#pending;
  }

  /** Takes back the pending events of a stored state. */
  restore(pending: readonly TruthLine[]): void {
    this.#pending = pending.filter(({ seq }) => seq > this.#written);
    this.#noted = Math.max(this.#noted, ...this.#pending.map(({ seq }) => seq));
    this.flush();
  }

  note(event: TruthEvent): void {
    this.#noted += 1;
    this.#pending.push({ at: new Date().toISOString(), ...event, seq: this.#noted });
  }

  /** Writes what was noted. */
  flush(): void {
    if (this.#pending.length === 0) return;
    for (const line of this.#pending) {
      writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
      this.#written = line.seq;
    }
    fsyncSync(this.#descriptor);
    this.#pending = [];
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The number of the last whole line, 0 for an empty log. */
function lastNumber(text: string): number {
  const lines = text.split('\n').slice(0, -1);
  for (const line of lines.reverse()) {
    try {
      const { seq } = JSON.parse(line) as { seq?: number };
      if (typeof seq === 'number') return seq;
    } catch {
      // Cut off by a kill.
    }
  }
  return 0;
}
