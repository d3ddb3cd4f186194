import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FilledSlot, Make } from './filament';

/** A simulated printer as its process describes it. */
export interface Simulated {
  id: string;
  make: Make;
  host: string;
  ports: Record<string, number>;
  serial?: string;
  access_code?: string;
  ca_file?: string;
  truth_log: string;
  /** The filament that was loaded. */
  slots: FilledSlot[];
}

/** The state that the control port shows. */
export interface SimulatorState {
  plate: string;
  printing: string | null;
  last: { file_name: string; outcome: string; reason: string } | null;
}

/** A line of a truth log. */
export interface Truth {
  at: string;
  event: 'upload' | 'start' | 'started' | 'finished' | 'stopped' | 'bed_cleared' | 'foreign_start';
  file_name: string;
  bed: string;
  accepted?: boolean;
  reason?: string;
  /** The amount and filament that each tool has extruded, or will extrude. */
  tools?: { tool: number; material: string | null; grams: number }[];
  seq: number;
}

/** The room with the printers, as an operator in it sees and handles them. */
export class FarmFloor {
  printers: Simulated[] = [];
  #child: ChildProcess | undefined;

  async open(packageRoot: string, directory: string, speed: number, count: number): Promise<void> {
    const program = join(packageRoot, 'dist', 'test', 'faults', 'printers.js');
    const child = spawn(process.execPath, [program, directory, String(speed), String(count)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.printers = await new Promise<Simulated[]>((resolve, reject) => {
      if (child.stdout) createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line) as Simulated[]));
      child.once('exit', (code) => reject(new Error(`The printers did not start (exit code ${code}).`)));
    });
  }

  close(): void {
    this.#child?.kill('SIGTERM');
  }

  async act(printer: Simulated, path: string, body: object = {}): Promise<boolean> {
    const response = await fetch(`http://127.0.0.1:${printer.ports['control']}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return response.ok;
  }

  async state(printer: Simulated): Promise<SimulatorState> {
    const response = await fetch(`http://127.0.0.1:${printer.ports['control']}/state`);
    return (await response.json()) as SimulatorState;
  }

  truth(printer: Simulated): Truth[] {
    if (!existsSync(printer.truth_log)) return [];
    return readFileSync(printer.truth_log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Truth);
  }
}
