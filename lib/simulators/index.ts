// The comments of the simulators cite sections of our protocol notes, one document for each make. The notes are not
// published. They collect what public sources show: recorded traffic, the source code of firmware, slicers and
// Moonraker, and reports of other implementers. The recordings are in test/fixtures.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type SimulatorMake, simulatedMakes } from './registry';
import type { RunningSimulator, SimulatorOptions } from './simulator';

export * from './registry';
export { SimulatorRequestError } from './request-error';
export * from './simulator';

/**
 * Switches a simulated printer on. On a data directory that was used before it is found as a printer that was never
 * switched off: a print that was running has gone on by the wall clock.
 */
export async function startSimulator(make: SimulatorMake, wanted: SimulatorOptions): Promise<RunningSimulator> {
  const options = { ...wanted, dataDir: resolve(wanted.dataDir) };
  mkdirSync(options.dataDir, { recursive: true });
  return simulatedMakes[make].start(options);
}
