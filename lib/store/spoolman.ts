import type { MaterialId, SpoolId } from '../model/ids';
import type { Material } from '../model/material';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';
import { addUnknownMaterial } from './stock-changes';

/** A spool that Spoolman also knows. */
export interface SharedSpool {
  id: SpoolId;
  spoolmanId: number;
  gramsLeft: number;
  /** The grams that both last agreed on. */
  spoolmanGrams: number;
  /** The grams that were being written to Spoolman, null if none. */
  spoolmanTarget: number | null;
  /** Whether it is archived here. */
  archived: boolean;
}

const columns = 'id, spoolman_id, grams_left, spoolman_grams, spoolman_target, archived_at IS NOT NULL AS archived';

/** Returns all spools that Spoolman also knows. */
export async function spoolmanSpools(db: Queryable): Promise<SharedSpool[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM spools WHERE spoolman_id IS NOT NULL ORDER BY spoolman_id`);
  return rows.map((row) => camelCase<SharedSpool>(row));
}

/** Returns one of them, with its row locked. */
export async function lockSpoolmanSpool(tx: Transaction, spoolmanId: number): Promise<SharedSpool | undefined> {
  const { rows } = await tx.query(`SELECT ${columns} FROM spools WHERE spoolman_id = $1 FOR UPDATE`, [spoolmanId]);
  return rows[0] && camelCase<SharedSpool>(rows[0]);
}

/** Adds a material, or returns the existing one with this id unchanged. */
export async function importMaterial(
  tx: Transaction,
  material: Omit<Material, 'id'> & { id: string },
): Promise<MaterialId> {
  await addUnknownMaterial(tx, {
    ...material,
    nozzleTemperature: Math.round(material.nozzleTemperature),
    bedTemperature: Math.round(material.bedTemperature),
  });
  return material.id as MaterialId;
}

/** Adds a spool that both systems know from now on. */
export async function importSpool(
  tx: Transaction,
  spool: { materialId: MaterialId; label: string; initialGrams: number; gramsLeft: number; spoolmanId: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO spools (material_id, label, initial_grams, grams_left, spoolman_id, spoolman_grams)
     VALUES ($1, $2, $3, $4, $5, $4)`,
    [spool.materialId, spool.label, spool.initialGrams, spool.gramsLeft, spool.spoolmanId],
  );
}

/**
 * Stores the grams that both agree on; no write is pending any more. A value above the initial grams, after a refill, raises
 * them as well. The row must be locked.
 */
export async function agreeOnSpool(
  tx: Transaction,
  id: SpoolId,
  grams: { gramsLeft: number; spoolmanGrams: number },
): Promise<void> {
  await tx.query(
    `UPDATE spools SET grams_left = $2, initial_grams = greatest(initial_grams, $2), spoolman_grams = $3, spoolman_target = NULL,
       updated_at = now() WHERE id = $1`,
    [id, grams.gramsLeft, grams.spoolmanGrams],
  );
}

/** Records the grams that are about to be written to Spoolman. The row must be locked. */
export async function writeSpoolmanTarget(tx: Transaction, id: SpoolId, grams: number): Promise<void> {
  await tx.query('UPDATE spools SET spoolman_target = $2 WHERE id = $1', [id, grams]);
}
