import { bambu } from './bambu';
import { moonraker } from './moonraker';
import type { SimulatedMake } from './simulator';
import { snapmaker } from './snapmaker';

/** The makes that can be simulated; each name stands for the protocol that is spoken. */
export const simulatedMakes = { bambu, moonraker, snapmaker } satisfies Readonly<Record<string, SimulatedMake>>;

export type SimulatorMake = keyof typeof simulatedMakes;

export const SIMULATOR_MAKES = Object.keys(simulatedMakes) as SimulatorMake[];
