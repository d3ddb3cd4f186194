import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunningSimulator, SimulatorMake, SimulatorOptions } from '../../lib/simulators';
import { startSimulator } from '../../lib/simulators';
import type { TruthEvent } from '../../lib/simulators/truth-log';
import { simulatedLoads } from '../support/simulated-filament';

/** The directory of package.json, for compiled tests and for those run from source alike. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

export function fixture(path: string): string {
  return readFileSync(join(packageRoot(), 'test', 'fixtures', path), 'utf8');
}

/** A small print: `seconds` of dwell between two layers, so that its duration is known. */
export function gcode(seconds: number): string {
  const lines = ['; a print made by a test', 'M140 S60', 'M104 S210', 'G28', 'M83'];
  for (const z of [0.2, 0.4]) {
    lines.push(`G1 Z${z} F600`, 'G1 X50 Y50 F6000', 'G1 X100 Y50 E5 F3000', 'G1 X100 Y100 E5 F3000');
    lines.push(`G4 S${seconds / 2}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Simulators of one test file: temporary directories, everything closed and removed afterwards. */
export class Bench {
  readonly #running: RunningSimulator[] = [];
  readonly #folders: string[] = [];

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'platewise-simulator-'));
    this.#folders.push(folder);
    return folder;
  }

  async start(
    make: SimulatorMake,
    options: Partial<SimulatorOptions> & { dataDir?: string } = {},
  ): Promise<RunningSimulator> {
    const simulator = await startSimulator(make, {
      dataDir: options.dataDir ?? this.folder(),
      speed: 2000,
      loads: simulatedLoads[make],
      ...options,
    });
    this.#running.push(simulator);
    return simulator;
  }

  async clean(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((simulator) => simulator.close()));
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}

export type LoggedEvent = TruthEvent & { at: string };

export function truth(simulator: RunningSimulator): LoggedEvent[] {
  return readFileSync(simulator.ready.truth_log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LoggedEvent);
}

export function truthNames(simulator: RunningSimulator): string[] {
  return truth(simulator).map(({ event }) => event);
}

/** Polls for something that has no notification. */
export async function eventually<T>(look: () => T | undefined | false, milliseconds = 4000): Promise<T> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`did not happen within ${milliseconds} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A port of the ready line. */
export function port(simulator: RunningSimulator, name: string): number {
  const found = simulator.ready.ports[name];
  if (found === undefined) throw new Error(`there is no port ${name}`);
  return found;
}

/** POSTs to the control port and returns the state in its answer. */
export async function control(
  simulator: RunningSimulator,
  path: string,
  body: Record<string, unknown> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${port(simulator, 'control')}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
