import type { MaterialId, SpoolId } from '../model/ids';
import type { Material } from '../model/material';
import { notify } from './database';
import type { Transaction } from './queryable';

/** Corrects the remaining grams of a spool; a value above its initial grams raises them as well. */
export async function setSpoolGrams(tx: Transaction, id: SpoolId, grams: number): Promise<void> {
  await tx.query(
    `UPDATE spools SET grams_left = $2, initial_grams = greatest(initial_grams, $2), updated_at = now()
     WHERE id = $1 AND archived_at IS NULL`,
    [id, grams],
  );
  await notify(tx, 'plan');
}

/** Removes a spool from its slot and archives it. */
export async function archiveSpool(tx: Transaction, id: SpoolId): Promise<void> {
  await tx.query('UPDATE printer_slots SET spool_id = NULL WHERE spool_id = $1', [id]);
  await tx.query('UPDATE spools SET archived_at = now(), updated_at = now() WHERE id = $1', [id]);
  await notify(tx, 'plan');
}

// Adds a material, or restores an archived one with the new description; no row if one with this id is in use.
const insertMaterialSql = `
  INSERT INTO materials (id, name, type, colour, colour_hex, brand, density_g_cm3, diameter_mm, usd_per_kg, nozzle_temp, bed_temp)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, type = excluded.type, colour = excluded.colour,
    colour_hex = excluded.colour_hex, brand = excluded.brand, density_g_cm3 = excluded.density_g_cm3,
    diameter_mm = excluded.diameter_mm, usd_per_kg = excluded.usd_per_kg, nozzle_temp = excluded.nozzle_temp,
    bed_temp = excluded.bed_temp, archived_at = NULL
  WHERE materials.archived_at IS NOT NULL
  RETURNING id`;

/** The values in the order of the columns of an insert. */
const valuesOfMaterial = (material: Omit<Material, 'id'> & { id: string }): unknown[] => [
  material.id,
  material.name,
  material.type,
  material.colour,
  material.colourHex,
  material.brand,
  material.densityGramsPerCm3,
  material.diameterMm,
  material.usdPerKg,
  material.nozzleTemperature,
  material.bedTemperature,
];

/** Adds a material; false if one with this id exists. */
export async function insertMaterial(tx: Transaction, material: Material): Promise<boolean> {
  const { rowCount } = await tx.query(insertMaterialSql, valuesOfMaterial(material));
  await notify(tx, 'plan');
  return rowCount === 1;
}

/** Adds a material unless one with this id exists, archived or not; an existing one does not change. */
export async function addUnknownMaterial(
  tx: Transaction,
  material: Omit<Material, 'id'> & { id: string },
): Promise<void> {
  const { rowCount } = await tx.query(
    `INSERT INTO materials (id, name, type, colour, colour_hex, brand, density_g_cm3, diameter_mm, usd_per_kg, nozzle_temp, bed_temp)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
    valuesOfMaterial(material),
  );
  if (rowCount === 1) await notify(tx, 'plan');
}

/** Stores the new description of a material. */
export async function updateMaterial(tx: Transaction, material: Material): Promise<void> {
  await tx.query(
    `UPDATE materials SET name = $2, type = $3, colour = $4, colour_hex = $5, brand = $6, density_g_cm3 = $7,
       diameter_mm = $8, usd_per_kg = $9, nozzle_temp = $10, bed_temp = $11 WHERE id = $1`,
    valuesOfMaterial(material),
  );
  await notify(tx, 'plan');
}

/** Counts the users of a material and locks its row, so that no job that names it is accepted meanwhile. */
export async function usersOfMaterial(tx: Transaction, id: MaterialId): Promise<{ jobs: number; slots: number }> {
  await tx.query('SELECT 1 FROM materials WHERE id = $1 FOR UPDATE', [id]);
  const { rows } = await tx.query<{ jobs: number; slots: number }>(
    `SELECT (SELECT count(*)::int FROM print_jobs WHERE material_id = $1 AND completed_at IS NULL) AS jobs,
       (SELECT count(*)::int FROM printer_slots l JOIN spools s ON s.id = l.spool_id WHERE s.material_id = $1) AS slots`,
    [id],
  );
  return rows[0] ?? { jobs: 0, slots: 0 };
}

/** Archives a material; its row must be locked. */
export async function archiveMaterial(tx: Transaction, id: MaterialId): Promise<void> {
  await tx.query('UPDATE materials SET archived_at = now() WHERE id = $1', [id]);
  await notify(tx, 'plan');
}
