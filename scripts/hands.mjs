import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The farm is not asked for its slots more often than this (ms), and after this long when the stream has broken off. */
const leastPause = 1000;
const retryPause = 2000;

/**
 * The hands of the person who runs the demonstration: when a spool is booked into another slot, they put it there. What a
 * simulated printer holds stays otherwise as it is, so that anybody can load something else at its control port
 * (`ready.json` beside its truth log names it).
 */
export class Hands {
  #ended = new AbortController();
  #controls = new Map();
  /** The material of each slot as it was booked when these hands last looked, by printer. */
  #booked;
  /** The spool of each slot at the last look: another one of the same material is put in too. */
  #spools = {};
  #file;

  constructor(address, directory) {
    this.address = address;
    this.#file = join(directory, 'booked.json');
  }

  /** Says where a printer can be touched, and what it was given when it was new. */
  reach(id, firstLoads, controlPort) {
    this.#controls.set(id, { firstLoads, url: `http://127.0.0.1:${controlPort}/load` });
  }

  /** Loads what is booked otherwise than before, and goes on with that until the end. */
  async begin() {
    const stored = this.#stored();
    this.#booked = Object.fromEntries(
      [...this.#controls].map(([id, { firstLoads }]) => [id, stored[id] ?? firstLoads]),
    );
    await this.#look();
    void this.#follow();
  }

  end() {
    this.#ended.abort();
  }

  #stored() {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch {
      return {};
    }
  }

  async #follow() {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        const response = await fetch(`${this.address}/api/fabrication/events`, { signal });
        if (response.status === 401) {
          console.log('The API asks for a key now: filament is not loaded by itself any more, see docs/printers.md.');
          return;
        }
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
        await this.#look();
        for await (const piece of response.body) {
          if (!Buffer.from(piece).toString().includes('event:')) continue;
          await this.#look();
          await new Promise((done) => setTimeout(done, leastPause));
        }
      } catch {
        // Node-RED is being deployed, or has ended.
      }
      if (!signal.aborted) await new Promise((done) => setTimeout(done, retryPause));
    }
  }

  /** Loads every slot that is booked otherwise than at the last look. */
  async #look() {
    const response = await fetch(`${this.address}/api/fabrication/printers`, { signal: this.#ended.signal });
    if (!response.ok) return;
    const { printers } = await response.json();
    let changed = false;
    for (const { printer_id: id, slots } of printers) {
      const control = this.#controls.get(id);
      if (!control) continue;
      const before = this.#booked[id];
      const spools = this.#spools[id] ?? {};
      const now = Object.fromEntries(slots.map(({ slot, material_id }) => [slot, material_id ?? undefined]));
      for (const { slot, spool_id: spool, material_id: material } of slots) {
        const sameSpool = spools[slot] === undefined || spools[slot] === spool;
        if ((before[slot] ?? null) === material && sameSpool) continue;
        const filament = material === null ? { material } : await this.#filament(material);
        // A slot that the simulated printer does not have stays a matter of the books.
        await fetch(control.url, { method: 'POST', body: JSON.stringify({ slot, ...filament }) });
        changed = true;
      }
      this.#booked[id] = now;
      this.#spools[id] = Object.fromEntries(slots.map(({ slot, spool_id }) => [slot, spool_id]));
    }
    if (changed) this.#store();
  }

  /** What the stock knows of a material, as it is loaded. */
  async #filament(material) {
    const response = await fetch(`${this.address}/api/fabrication/materials`);
    const { materials = [] } = response.ok ? await response.json() : {};
    const { type, colour_hex } = materials.find((one) => one.material_id === material) ?? {};
    return { material, type, colour_hex };
  }

  #store() {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#booked));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
