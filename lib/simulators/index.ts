import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { startBambu } from './bambu';
import { startMoonraker } from './moonraker';
import type { RunningSimulator, SimulatorMake, SimulatorOptions } from './simulator';
import { startSnapmaker } from './snapmaker';

export { SimulatorRequestError } from './request-error';
export * from './simulator';

/**
 * Switches a simulated printer on. On a data directory that was used before it is found as a printer that was never
 * switched off: a print that was running has gone on by the wall clock.
 */
export async function startSimulator(make: SimulatorMake, wanted: SimulatorOptions): Promise<RunningSimulator> {
  const options = { ...wanted, dataDir: resolve(wanted.dataDir) };
  mkdirSync(options.dataDir, { recursive: true });
  switch (make) {
    case 'bambu':
      return startBambu(options);
    case 'moonraker':
      return startMoonraker(options);
    case 'snapmaker':
      return startSnapmaker(options);
  }
}
