import type { Heat } from '../model/sliced-facts';

/** The part of a machine that a heater warms. */
export type Heated = keyof Heat;

/** The part that one of Klipper's heaters or sensors belongs to; an unknown one heats at most the chamber. */
export function heatedBy(heater: string): Heated {
  const name = heater.trim().toLowerCase();
  if (/^extruder\d*$/.test(name)) return 'nozzle';
  return name.startsWith('heater_bed') ? 'bed' : 'chamber';
}

/**
 * The part that a macro parameter sets a temperature for, as in `START_PRINT BED=60 EXTRUDER_TEMP=210`; undefined:
 * none.
 */
export function heatedByWord(name: string): Heated | undefined {
  const isTemperature = name.includes('TEMP');
  const of = (part: string): boolean => name === part || (isTemperature && name.includes(part));
  if (of('CHAMBER')) return 'chamber';
  if (of('BED')) return 'bed';
  return isTemperature || ['EXTRUDER', 'HOTEND', 'NOZZLE'].includes(name) ? 'nozzle' : undefined;
}

/** The highest temperature (°C) that a file requests for each part of a machine. */
export class Hottest implements Heat {
  nozzle = 0;
  bed = 0;
  chamber = 0;

  /** Records a requested temperature. */
  take(part: Heated, temperature: number): void {
    if (temperature > this[part]) this[part] = temperature;
  }

  get all(): Heat {
    return { nozzle: this.nozzle, bed: this.bed, chamber: this.chamber };
  }
}
