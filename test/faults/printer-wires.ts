import { Wire } from '../support/wire';
import type { Simulated } from './farm-floor';

/** Ports that are not part of a printer's connection: the control port, and those that a broadcast discovers. */
const notWired = ['control', 'discovery', 'ssdp', 'detect'];

/** The network between the system and the printers: each port of a printer has a wire of its own. */
export class PrinterWires {
  readonly #wires = new Map<string, { port: string; wire: Wire }[]>();
  readonly #swapped = new Set<string>();

  /** The printers as reached through these wires. */
  async open(printers: Simulated[]): Promise<Simulated[]> {
    return Promise.all(
      printers.map(async (printer) => {
        const ports = { ...printer.ports };
        const wires = [];
        for (const [port, number] of Object.entries(printer.ports)) {
          if (notWired.includes(port)) continue;
          const wire = await new Wire({ host: printer.host, port: number }).listen();
          ports[port] = wire.port;
          wires.push({ port, wire });
        }
        this.#wires.set(printer.id, wires);
        return { ...printer, ports };
      }),
    );
  }

  of(printer: Simulated): Wire[] {
    return (this.#wires.get(printer.id) ?? []).map(({ wire }) => wire);
  }

  /** Swaps the addresses of two machines. False if one of them already has another's. */
  swap(one: Simulated, other: Simulated): boolean {
    if (one.id === other.id || this.#swapped.has(one.id) || this.#swapped.has(other.id)) return false;
    this.#swapped.add(one.id).add(other.id);
    this.#lead(one, other);
    this.#lead(other, one);
    return true;
  }

  /** Gives each machine its own address back. */
  unswap(...printers: Simulated[]): void {
    for (const printer of printers) {
      this.#swapped.delete(printer.id);
      this.#lead(printer, printer);
    }
  }

  pass(): void {
    for (const wires of this.#wires.values()) for (const { wire } of wires) wire.pass();
  }

  close(): void {
    for (const wires of this.#wires.values()) for (const { wire } of wires) wire.close();
  }

  #lead(from: Simulated, to: Simulated): void {
    for (const { port, wire } of this.#wires.get(from.id) ?? []) {
      const number = to.ports[port];
      if (number !== undefined) wire.lead({ host: to.host, port: number });
    }
  }
}
