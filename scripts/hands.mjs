import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The minimum interval between queries of the farm's slots, and the delay after the event stream has ended (ms). */
const leastPause = 1000;
const retryPause = 2000;

/**
 * The demonstration's operator: when a spool is booked into another slot, the script loads it there. Otherwise
 * it leaves a simulated printer's filament alone, so that a user can load a different one at its control port (named
 * in `ready.json` beside its truth log).
 */
export class Hands {
  #ended = new AbortController();
  #controls = new Map();
  /** The booked material of each slot at the last query, by printer. */
  #booked;
  /** The booked spool of each slot at the last query: a different spool of the same material is loaded too. */
  #spools = {};
  #file;

  constructor(address, directory) {
    this.address = address;
    this.#file = join(directory, 'booked.json');
  }

  /** Registers the control port of a printer and its initial filament. */
  reach(id, firstLoads, controlPort) {
    this.#controls.set(id, { firstLoads, url: `http://127.0.0.1:${controlPort}/load` });
  }

  /** Loads changed bookings until the end of the run. */
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

  /** Loads every slot whose booking has changed since the last query. */
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
        // A slot that the simulated printer does not have exists only in the bookings.
        await fetch(control.url, { method: 'POST', body: JSON.stringify({ slot, ...filament }) });
        changed = true;
      }
      this.#booked[id] = now;
      this.#spools[id] = Object.fromEntries(slots.map(({ slot, spool_id }) => [slot, spool_id]));
    }
    if (changed) this.#store();
  }

  /** Returns a material from the stock in the format of the load command. */
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
