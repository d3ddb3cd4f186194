import type { PrinterId } from '../model/ids';
import type { Queryable } from './queryable';
import { camelCase } from './rows';

/** A prepared print file, and its properties. */
export interface PreparedRow {
  printKey: string;
  printerId: PrinterId;
  modelSha256: string;
  gcodeSha256: string;
  gcodeMd5: string;
  gcodeSize: number;
  gcodeLines: number;
  extension: '.gcode' | '.gcode.3mf';
  estimatedSeconds: number;
  filamentMm: number;
  filamentGrams: number;
  layers: number;
  slicer: string;
  warnings: string[];
}

/** Returns the print file with this key, undefined if there is none; marks it as used, so that it is kept. */
export async function findPrepared(db: Queryable, printKey: string): Promise<PreparedRow | undefined> {
  const { rows } = await db.query('UPDATE prepared_prints SET used_at = now() WHERE print_key = $1 RETURNING *', [
    printKey,
  ]);
  const row = rows[0];
  return row ? { ...camelCase<PreparedRow>(row), warnings: row['warnings'] as string[] } : undefined;
}

/** Stores a print file; if two processes made the same one, the first is kept. */
export async function storePrepared(db: Queryable, row: PreparedRow): Promise<void> {
  await db.query(
    `INSERT INTO prepared_prints (print_key, printer_id, model_sha256, gcode_sha256, gcode_md5, gcode_size, gcode_lines,
       extension, estimated_seconds, filament_mm, filament_grams, layers, slicer, warnings)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     ON CONFLICT (print_key) DO NOTHING`,
    [
      row.printKey,
      row.printerId,
      row.modelSha256,
      row.gcodeSha256,
      row.gcodeMd5,
      row.gcodeSize,
      row.gcodeLines,
      row.extension,
      row.estimatedSeconds,
      row.filamentMm,
      row.filamentGrams,
      row.layers,
      row.slicer.slice(0, 100),
      JSON.stringify(row.warnings),
    ],
  );
}

/** Deletes the record of a print file whose bytes are gone. */
export async function forgetPrepared(db: Queryable, printKey: string): Promise<void> {
  await db.query('DELETE FROM prepared_prints WHERE print_key = $1', [printKey]);
}
