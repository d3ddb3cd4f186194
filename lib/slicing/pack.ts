import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GcodeAnalysis } from '../files/analysis';
import { makeTraits } from '../makes/traits';
import type { Material } from '../model/material';
import type { SlicingMachine } from './slicer';

/** A sliced print, as it comes out of a slicer or of an upload. */
export interface SlicedPrint {
  path: string;
  form: 'gcode' | 'gcode_3mf';
  analysis: GcodeAnalysis;
  machine: SlicingMachine;
  material: Material;
  /** mm */
  layerHeight: number;
  estimatedSeconds: number;
  filamentGrams: number;
  /** PNGs of the model, in the sizes that the make shows; empty if there is no model to draw. */
  pictures: { path: string; size: number }[];
}

/** Packs plain G-code in the format of a make, into a separate file; null: it already has that format.
 * @returns how many lines of G-code the file has
 */
export type Pack = (sliced: SlicedPrint, output: string) => Promise<{ lines: number } | null>;

/** Packs a print in the format of its make. A print that already has that format stays unchanged. */
export async function packPrint(
  sliced: SlicedPrint,
  directory: string,
  pack: Pack,
): Promise<{ path: string; extension: string; lines: number }> {
  const path = join(directory, 'packed');
  const { extension } = makeTraits[sliced.machine.make].printFile;
  const packed = sliced.form === 'gcode_3mf' ? null : await pack(sliced, path);
  if (packed) return { path, extension, lines: packed.lines };
  await copyFile(sliced.path, path);
  return { path, extension, lines: sliced.analysis.lines };
}
