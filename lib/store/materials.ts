import { NotFoundError } from '../model/errors';
import { type AttemptId, isUuid, type MaterialId, type SpoolId } from '../model/ids';
import type { Material } from '../model/material';
import { notify } from './database';
import { isoNow } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';
import { reservedOf } from './spool-changes';

const columns = `id, name, type, colour, colour_hex, brand, density_g_cm3 AS density_grams_per_cm3, diameter_mm,
  usd_per_kg, nozzle_temp AS nozzle_temperature, bed_temp AS bed_temperature`;

const toMaterial = (row: Record<string, unknown>): Material => camelCase<Material>(row);

/** Returns all materials, by id, including archived ones. */
export async function allMaterials(db: Queryable): Promise<Material[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM materials ORDER BY id`);
  return rows.map(toMaterial);
}

/** Returns the materials that are not archived, by id. */
export async function usableMaterials(db: Queryable): Promise<Material[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM materials WHERE archived_at IS NULL ORDER BY id`);
  return rows.map(toMaterial);
}

/** Returns the material with this id, if it is not archived. */
export async function findUsableMaterial(db: Queryable, id: string): Promise<Material | undefined> {
  const { rows } = await db.query(`SELECT ${columns} FROM materials WHERE id = $1 AND archived_at IS NULL`, [id]);
  return rows[0] ? toMaterial(rows[0]) : undefined;
}

/** Returns the material with this id, even if archived; undefined if there is none. */
export async function findMaterial(db: Queryable, id: string): Promise<Material | undefined> {
  const { rows } = await db.query(`SELECT ${columns} FROM materials WHERE id = $1`, [id]);
  return rows[0] ? toMaterial(rows[0]) : undefined;
}

/** Whether any material exists, including archived ones. */
export async function anyMaterial(db: Queryable): Promise<boolean> {
  return (await db.query('SELECT 1 FROM materials LIMIT 1')).rowCount === 1;
}

/** A spool with where it is loaded. */
export interface Spool {
  id: SpoolId;
  materialId: MaterialId;
  label: string | null;
  initialGrams: number;
  gramsLeft: number;
  /** `gramsLeft` minus the grams reserved by open attempts. */
  gramsFree: number;
  printerId: string | null;
  slot: string | null;
}

const spoolSql = `
  SELECT s.id, s.material_id, s.label, s.initial_grams, s.grams_left, s.grams_left - ${reservedOf('s.id')} AS grams_free,
    l.printer_id, l.slot
  FROM spools s LEFT JOIN printer_slots l ON l.spool_id = s.id`;

/** Returns all spools that are not archived, oldest first. */
export async function allSpools(db: Queryable): Promise<Spool[]> {
  const { rows } = await db.query(`${spoolSql} WHERE s.archived_at IS NULL ORDER BY s.created_at, s.id`);
  return rows.map((row) => camelCase<Spool>(row));
}

/** @throws NotFoundError there is no spool with this id, or it is archived */
export async function findSpool(db: Queryable, id: string): Promise<Spool> {
  const { rows } = isUuid(id)
    ? await db.query(`${spoolSql} WHERE s.id = $1 AND s.archived_at IS NULL`, [id])
    : { rows: [] };
  if (!rows[0]) throw new NotFoundError('spool', id);
  return camelCase<Spool>(rows[0]);
}

/** Locks a spool until the transaction ends: its location and archiving change one at a time. @throws NotFoundError */
export async function lockSpool(tx: Transaction, id: string): Promise<Spool> {
  if (isUuid(id)) await tx.query('SELECT 1 FROM spools WHERE id = $1 FOR NO KEY UPDATE', [id]);
  return findSpool(tx, id);
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

/**
 * Deducts the grams that an attempt has extruded from a spool, never below zero, and publishes `low_stock` when the spool becomes low.
 * Idempotent per attempt and spool.
 *
 * @param lowGrams below this a spool is low
 */
export async function deductGrams(
  tx: Transaction,
  deduction: { attemptId: AttemptId; spoolId: SpoolId; grams: number; lowGrams: number },
): Promise<void> {
  // One row per attempt and spool: the primary key prevents a second deduction.
  const { rows } = await tx.query<{
    id: SpoolId;
    material_id: string;
    label: string | null;
    before: number;
    after: number;
  }>(
    `WITH spool AS (SELECT id, grams_left FROM spools WHERE id = $2 FOR UPDATE),
       deduction AS (
         INSERT INTO spool_deductions (attempt_id, spool_id, grams)
         SELECT $1, id, least(grams_left, $3) FROM spool ON CONFLICT (attempt_id, spool_id) DO NOTHING RETURNING spool_id, grams)
     UPDATE spools s SET grams_left = s.grams_left - d.grams, updated_at = now()
     FROM deduction d, spool WHERE s.id = d.spool_id AND spool.id = s.id
     RETURNING s.id, s.material_id, s.label, spool.grams_left AS before, s.grams_left AS after`,
    [deduction.attemptId, deduction.spoolId, deduction.grams],
  );
  if (rows[0]) await publishIfLow(tx, rows[0].id, { ...rows[0], lowGrams: deduction.lowGrams });
}

/**
 * Lowers the remaining grams of a spool that ran out to those that prints under way drew from it: they are deducted at their end.
 * Publishes `low_stock` if the spool becomes low by it.
 */
export async function leaveOnlyReserved(tx: Transaction, id: SpoolId, lowGrams: number): Promise<void> {
  const { rows } = await tx.query<{ before: number; after: number }>(
    `WITH spool AS (SELECT id, grams_left FROM spools WHERE id = $1 FOR UPDATE)
     UPDATE spools s SET grams_left = least(s.grams_left, ${reservedOf('s.id')}), updated_at = now()
     FROM spool WHERE s.id = spool.id RETURNING spool.grams_left AS before, s.grams_left AS after`,
    [id],
  );
  if (rows[0]) await publishIfLow(tx, id, { ...rows[0], lowGrams });
}

/** Marks a spool as empty because a printer has found it empty, whatever its records show. */
export async function emptySpool(tx: Transaction, id: SpoolId): Promise<void> {
  const { rowCount } = await tx.query(
    'UPDATE spools SET grams_left = 0, updated_at = now() WHERE id = $1 AND grams_left > 0',
    [id],
  );
  if (rowCount === 1) await publishLowStock(tx, id);
  await notify(tx, 'plan');
}

/** Publishes `low_stock` if a change of its grams has made a spool low. */
export async function publishIfLow(
  tx: Transaction,
  id: SpoolId,
  { before, after, lowGrams }: { before: number; after: number; lowGrams: number },
): Promise<void> {
  if (before >= lowGrams && after < lowGrams) await publishLowStock(tx, id);
}

/** Adds a message about a spool that has become low to the outbox. */
async function publishLowStock(tx: Transaction, id: SpoolId): Promise<void> {
  await tx.query(
    `INSERT INTO outbox (kind, routing_key, body)
     SELECT 'status', '', jsonb_build_object('event', 'low_stock', 'spool_id', s.id, 'material_id', s.material_id,
       'label', s.label, 'grams_left', s.grams_left, 'printer_id', l.printer_id, 'slot', l.slot, 'changed_by', 'stock',
       'changed_at', ${isoNow})
     FROM spools s LEFT JOIN printer_slots l ON l.spool_id = s.id WHERE s.id = $1`,
    [id],
  );
  await notify(tx, 'outbox');
}

/** Returns by how many grams an attempt's spool falls short of all reservations of open attempts; 0 if it suffices. */
export async function missingGrams(db: Queryable, attemptId: AttemptId): Promise<number> {
  const { rows } = await db.query<{ missing: number }>(
    `SELECT greatest(0, ${reservedOf('s.id')} - s.grams_left)::float8 AS missing
     FROM print_attempts a JOIN spools s ON s.id = a.spool_id WHERE a.id = $1`,
    [attemptId],
  );
  return rows[0]?.missing ?? 0;
}

/** The stock of a material, and the grams of it promised to unfinished jobs. */
export interface Stock {
  materialId: MaterialId;
  gramsLeft: number;
  /** For copies under way and copies still to come. */
  gramsPromised: number;
}

/** Returns the stock of all materials: the spools, and the grams promised to jobs since their submission. */
export async function stockOfMaterials(db: Queryable): Promise<Stock[]> {
  const { rows } = await db.query(
    `SELECT m.id AS material_id,
       coalesce((SELECT sum(s.grams_left) FROM spools s WHERE s.material_id = m.id AND s.archived_at IS NULL), 0)::float8 AS grams_left,
       coalesce((SELECT sum(j.estimated_grams * (j.copies - j.copies_done)) FROM print_jobs j
         WHERE j.material_id = m.id AND j.completed_at IS NULL), 0)::float8 AS grams_promised
     FROM materials m ORDER BY m.id`,
  );
  return rows.map((row) => camelCase<Stock>(row));
}
