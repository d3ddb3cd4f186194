import type { GcodeFacts } from '../gcode-duration';
import type { Machine } from '../machine';
import type { Feed } from '../print-run';
import { SimulatorRequestError } from '../request-error';
import type { BambuProfile } from './profiles';
import type { AmsUnit, BambuState } from './state';

/** The source of a filament in a start, in the form of `ams_mapping2`. */
export interface Place {
  ams: number;
  slot: number;
}

/** Numbers of the external spools in a mapping (protocol notes, section 2.2). */
const EXTERNAL_RIGHT: Place = { ams: 255, slot: 0 };
const EXTERNAL_LEFT = 254;
const HT_FIRST = 128;
const HT_LAST = 135;
const SIDES: Readonly<Record<string, 0 | 1>> = { right: 0, left: 1 };

export function traysOf({ id }: Pick<AmsUnit, 'id'>): number {
  return id >= HT_FIRST ? 1 : 4;
}

export function trayName(unit: number, tray: number): string {
  return `ams${unit}-${tray}`;
}

/** Every place for filament, by the name under which it is loaded. */
export function slotNames(units: readonly AmsUnit[], profile: BambuProfile): string[] {
  const trays = units.flatMap((unit) => Array.from({ length: traysOf(unit) }, (_, tray) => trayName(unit.id, tray)));
  return [...trays, 'ext-right', ...(profile.nozzles === 2 ? ['ext-left'] : [])];
}

/**
 * Reads a list of units, for example `0:right,1:left,128:left`.
 * @throws SimulatorRequestError
 */
export function amsUnits(text: string, profile: BambuProfile): AmsUnit[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [id, side = 'right'] = part.trim().split(':');
      return amsUnit({ id: Number(id), extruder: SIDES[side] }, profile);
    });
}

/** @throws SimulatorRequestError there is no such unit, or no such nozzle */
export function amsUnit(
  given: { id: number; extruder: unknown; dryingMinutes?: number },
  profile: BambuProfile,
): AmsUnit {
  const { id, extruder, dryingMinutes = 0 } = given;
  if (!Number.isInteger(id) || !((id >= 0 && id <= 3) || (id >= HT_FIRST && id <= HT_LAST))) {
    throw new SimulatorRequestError(`There is no AMS unit "${id}": 0 to 3, 128 to 135.`);
  }
  if (extruder !== 0 && extruder !== 1) throw new SimulatorRequestError('An AMS feeds 0, right, or 1, left.');
  if (extruder === 1 && profile.nozzles === 1) {
    throw new SimulatorRequestError(`The profile ${profile.name} has one nozzle: its AMS units feed 0, right.`);
  }
  return { id, extruder, dryingMinutes };
}

/** `ams_mapping2`, or the flat `ams_mapping` in its form, by the filaments of the project. */
export function mappingOf(fields: Record<string, unknown>): Place[] {
  if (Array.isArray(fields.ams_mapping2)) {
    return fields.ams_mapping2.map((entry: unknown) => {
      const { ams_id: ams, slot_id: slot } = (entry ?? {}) as { ams_id?: unknown; slot_id?: unknown };
      return { ams: Number(ams), slot: Number(slot) };
    });
  }
  if (!Array.isArray(fields.ams_mapping)) return [];
  return fields.ams_mapping.map((flat: unknown) => {
    const index = Number(flat);
    if (!(index >= 0)) return { ams: 255, slot: 255 };
    return index >= HT_FIRST ? { ams: index, slot: 0 } : { ams: index >>> 2, slot: index & 3 };
  });
}

/** The slot that feeds a filament of the project in a start, and by which nozzle it is printed. */
export interface FedFrom {
  slot: string;
  tool: 0 | 1;
}

/**
 * @param filament of the project, from 0
 * @returns undefined if the start does not state its source
 */
export function fedFrom(
  fields: Record<string, unknown>,
  filament: number,
  units: readonly AmsUnit[],
): FedFrom | undefined {
  const usesAms = fields.use_ams === true;
  const place = mappingOf(fields)[filament] ?? (usesAms ? undefined : EXTERNAL_RIGHT);
  if (place === undefined) return undefined;
  if (place.ams === EXTERNAL_LEFT) return { slot: 'ext-left', tool: 1 };
  if (place.ams === EXTERNAL_RIGHT.ams) {
    // Without the AMS, an entry with "none" leaves the only spool.
    return place.slot === 0 || !usesAms ? { slot: 'ext-right', tool: 0 } : undefined;
  }
  if (!usesAms) return undefined;
  const unit = units.find(({ id }) => id === place.ams);
  return unit === undefined ? undefined : { slot: trayName(unit.id, place.slot), tool: unit.extruder };
}

/**
 * The printer's reaction to the filaments of a start (protocol notes, section 2.2): `mapping` is detected only at the first
 * load, `hang` never ends and is never reported.
 * @param extruders the nozzle that each filament of the project was sliced for; empty if the file does not state it
 */
export function mappingProblem(
  fields: Record<string, unknown>,
  machine: Machine<BambuState>,
  { extruders, facts }: { extruders: readonly number[]; facts: GcodeFacts },
): 'mapping' | 'hang' | undefined {
  const { units } = machine.extra;
  const usesAms = fields.use_ams ?? false;
  if (typeof usesAms !== 'boolean') return 'mapping';
  if (usesAms) {
    const flat = Array.isArray(fields.ams_mapping) ? fields.ams_mapping.map(Number) : [];
    if (flat.some((index) => index === 254 || index === 255)) return 'mapping';
    for (const [filament, place] of mappingOf(fields).entries()) {
      if (place.ams >= EXTERNAL_LEFT) continue;
      const from = fedFrom(fields, filament, units);
      if (from === undefined || machine.filamentIn(from.slot) === null) return 'hang';
      const wanted = extruders[filament];
      if (wanted !== undefined && wanted !== from.tool) return 'mapping';
    }
  }
  const unfed = facts.extrusions.some(({ tool }) => fedFrom(fields, tool, units) === undefined);
  return unfed ? 'mapping' : undefined;
}

/**
 * The extrusion of each nozzle and its source: a file's tool words select filaments, the start gives the source of
 * each.
 */
export function feedsOf(
  fields: Record<string, unknown>,
  { extrusions }: GcodeFacts,
  units: readonly AmsUnit[],
): Feed[] {
  return extrusions.map((extrusion) => {
    const from = fedFrom(fields, extrusion.tool, units);
    return { ...extrusion, tool: from?.tool ?? 0, slot: from?.slot ?? null };
  });
}
