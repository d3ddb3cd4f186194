import type { Make } from '../model/printer';

/**
 * The tool (from 0) that a slot of this name feeds, where the name says it: Klipper's extruders and an Artisan's nozzles are
 * numbered, an H2D's external spool feeds one side. An AMS feeds the nozzle that it is set up on, which the printer reports.
 */
export function toolOfSlot(make: Make, slot: string): number {
  switch (make) {
    case 'bambu':
      return slot === 'ext-left' ? 1 : 0;
    case 'moonraker':
      return Number(/^extruder(\d{1,2})$/.exec(slot)?.[1] ?? 0);
    case 'snapmaker':
      return Number(/^nozzle(\d{1,2})$/.exec(slot)?.[1] ?? 0);
  }
}
