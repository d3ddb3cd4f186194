import { NotFoundError } from '../model/errors';
import { isUuid, type MaterialId, type SpoolId } from '../model/ids';
import type { Material } from '../model/material';
import { notify, type Queryable, type Transaction } from './database';
import { camelCase } from './rows';

const columns = `id, name, type, colour, colour_hex, brand, density_g_cm3 AS density_grams_per_cm3, diameter_mm,
  usd_per_kg, nozzle_temp AS nozzle_temperature, bed_temp AS bed_temperature`;

const toMaterial = (row: Record<string, unknown>): Material => camelCase<Material>(row);

/** All materials, by id. */
export async function allMaterials(db: Queryable): Promise<Material[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM materials ORDER BY id`);
  return rows.map(toMaterial);
}

/** Undefined if there is none of this id. */
export async function findMaterial(db: Queryable, id: string): Promise<Material | undefined> {
  const { rows } = await db.query(`SELECT ${columns} FROM materials WHERE id = $1`, [id]);
  return rows[0] ? toMaterial(rows[0]) : undefined;
}

/** A spool with where it is loaded. */
export interface Spool {
  id: SpoolId;
  materialId: MaterialId;
  label: string | null;
  initialGrams: number;
  gramsLeft: number;
  printerId: string | null;
  slot: string | null;
}

const spoolSql = `
  SELECT s.id, s.material_id, s.label, s.initial_grams, s.grams_left, l.printer_id, l.slot
  FROM spools s LEFT JOIN printer_slots l ON l.spool_id = s.id`;

/** All spools, the oldest first. */
export async function allSpools(db: Queryable): Promise<Spool[]> {
  const { rows } = await db.query(`${spoolSql} ORDER BY s.created_at, s.id`);
  return rows.map((row) => camelCase<Spool>(row));
}

/** @throws NotFoundError */
export async function findSpool(db: Queryable, id: string): Promise<Spool> {
  const { rows } = isUuid(id) ? await db.query(`${spoolSql} WHERE s.id = $1`, [id]) : { rows: [] };
  if (!rows[0]) throw new NotFoundError('spool', id);
  return camelCase<Spool>(rows[0]);
}

/** Adds a full spool. */
export async function insertSpool(
  tx: Transaction,
  spool: { materialId: string; grams: number; label: string | null },
): Promise<Spool> {
  const { rows } = await tx.query<{ id: string }>(
    'INSERT INTO spools (material_id, label, initial_grams, grams_left) VALUES ($1, $2, $3, $3) RETURNING id',
    [spool.materialId, spool.label, spool.grams],
  );
  await notify(tx, 'plan');
  return findSpool(tx, rows[0]?.id ?? '');
}

/** Takes what was extruded from a spool; never below nothing. */
export async function deductGrams(tx: Transaction, id: SpoolId, grams: number): Promise<void> {
  await tx.query('UPDATE spools SET grams_left = greatest(0, grams_left - $2), updated_at = now() WHERE id = $1', [
    id,
    grams,
  ]);
}
