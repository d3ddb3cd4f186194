import type { Farm } from '../farm/farm';
import type { SpoolId } from '../model/ids';
import type { Chore } from '../services/maintenance/chore';
import { lockUntilEnd } from '../store/advisory-locks';
import { notify } from '../store/database';
import { publishIfLow } from '../store/materials';
import type { Transaction } from '../store/queryable';
import {
  agreeOnSpool,
  importMaterial,
  importSpool,
  lockSpoolmanSpool,
  spoolmanSpools,
  writeSpoolmanTarget,
} from '../store/spoolman';
import { SpoolmanClient, type SpoolmanFilament, type SpoolmanSpool } from './spoolman-client';

/** The changes of one round. */
export interface SpoolmanRound {
  /** Spools that were new here. */
  imported: number;
  /** Spools whose grams were written to Spoolman. */
  pushed: number;
  /** Spools whose grams were read from Spoolman. */
  pulled: number;
}

/** Whether two amounts of grams count as equal: both sides round. */
const same = (a: number, b: number) => Math.abs(a - b) < 0.01;

const typicalNozzle = 210;
const typicalBed = 60;
const typicalSpoolGrams = 1000;

/**
 * Synchronises spools with Spoolman, both ways: a spool that is new there is imported with its material; the grams that prints
 * used here are deducted there; changes made there (another printer, scales, a refill) are applied here. If both sides have
 * changed since the last round, the changes add up.
 *
 * Crash-safe at any moment: the grams to be written to Spoolman are recorded here first,
 * as an absolute number, so that the next round sees whether they arrived.
 *
 * @throws PlatewiseError `spoolman_unavailable`
 */
export async function syncSpoolman(farm: Farm, url: string): Promise<SpoolmanRound> {
  const client = new SpoolmanClient(url);
  const round: SpoolmanRound = { imported: 0, pushed: 0, pulled: 0 };
  const remotes = await client.spools();
  const known = new Set((await spoolmanSpools(farm.database)).map((spool) => spool.spoolmanId));
  for (const remote of remotes) {
    if (!known.has(remote.id)) {
      if (await farm.database.transaction((tx) => importOne(tx, remote))) round.imported++;
      continue;
    }
    const target = await farm.database.transaction((tx) => agree(tx, remote, farm.agentOptions.lowStockGrams, round));
    if (target === null) continue;
    await client.setRemaining(remote.id, target);
    await farm.database.transaction((tx) => arrived(tx, remote.id, target));
    round.pushed++;
  }
  return round;
}

async function importOne(tx: Transaction, remote: SpoolmanSpool): Promise<boolean> {
  await lockUntilEnd(tx, 'spoolman');
  if (await lockSpoolmanSpool(tx, remote.id)) return false;
  const grams = remote.remaining_weight ?? remote.initial_weight ?? remote.filament.weight ?? typicalSpoolGrams;
  const materialId = await importMaterial(tx, materialOf(remote.filament));
  await importSpool(tx, {
    materialId,
    label: `Spoolman ${remote.id}${remote.lot_nr ? `, lot ${remote.lot_nr}` : ''}`.slice(0, 100),
    initialGrams: Math.max(grams, remote.initial_weight ?? remote.filament.weight ?? 1, 1),
    gramsLeft: Math.max(grams, 0),
    spoolmanId: remote.id,
  });
  await notify(tx, 'plan');
  return true;
}

/** Keeps spools synchronised with a Spoolman server. */
export const spoolmanChore = (url: string): Chore => ({
  name: 'Spoolman',
  everyMs: 60_000,
  work: (farm) => syncSpoolman(farm, url),
});

/** Applies the changes made there, and returns the grams to be written there, null if none. */
async function agree(
  tx: Transaction,
  remote: SpoolmanSpool,
  lowGrams: number,
  round: SpoolmanRound,
): Promise<number | null> {
  const spool = await lockSpoolmanSpool(tx, remote.id);
  if (!spool || spool.archived || remote.remaining_weight === undefined) return null;
  // A recorded target that Spoolman shows now has arrived, although its confirmation was lost.
  const base =
    spool.spoolmanTarget !== null && same(remote.remaining_weight, spool.spoolmanTarget)
      ? spool.spoolmanTarget
      : spool.spoolmanGrams;
  const usedHere = spool.spoolmanGrams - spool.gramsLeft;
  const stillToTell = base === spool.spoolmanTarget ? base - spool.gramsLeft : usedHere;
  const changedThere = remote.remaining_weight - base;
  const agreed = Math.max(0, remote.remaining_weight - stillToTell);
  if (!same(changedThere, 0)) round.pulled++;
  await agreeOnSpool(tx, spool.id, { gramsLeft: agreed, spoolmanGrams: remote.remaining_weight });
  await publishIfLow(tx, spool.id as SpoolId, { before: spool.gramsLeft, after: agreed, lowGrams });
  if (!same(changedThere, 0)) await notify(tx, 'plan');
  if (same(agreed, remote.remaining_weight)) return null;
  await writeSpoolmanTarget(tx, spool.id, agreed);
  return agreed;
}

/** Both sides are at the target now; grams printed in the meantime follow in the next round. */
async function arrived(tx: Transaction, spoolmanId: number, target: number): Promise<void> {
  const spool = await lockSpoolmanSpool(tx, spoolmanId);
  if (spool && spool.spoolmanTarget !== null && same(spool.spoolmanTarget, target)) {
    await agreeOnSpool(tx, spool.id, { gramsLeft: spool.gramsLeft, spoolmanGrams: target });
  }
}

function materialOf(filament: SpoolmanFilament): Parameters<typeof importMaterial>[1] {
  const brand = filament.vendor?.name ?? 'unknown';
  const type = (filament.material ?? 'PLA').toUpperCase().slice(0, 20);
  const grams = filament.weight && filament.weight > 0 ? filament.weight : typicalSpoolGrams;
  return {
    id: `spoolman_${filament.id}`,
    name: `${brand} ${filament.name ?? type}`.slice(0, 100),
    type,
    colour: (filament.name ?? 'unknown').slice(0, 50),
    colourHex: /^[0-9A-F]{6}/.exec((filament.color_hex ?? '').toUpperCase())?.[0] ?? '808080',
    brand: brand.slice(0, 50),
    densityGramsPerCm3: filament.density,
    diameterMm: filament.diameter > 0 ? filament.diameter : 1.75,
    usdPerKg: ((filament.price ?? 0) / grams) * 1000,
    nozzleTemperature: Math.min(450, Math.max(150, filament.settings_extruder_temp ?? typicalNozzle)),
    bedTemperature: Math.min(150, Math.max(0, filament.settings_bed_temp ?? typicalBed)),
  };
}
