import { createHash } from 'node:crypto';
import type { Material } from '../model/material';
import type { PrintSettings } from '../model/settings';
import type { SlicingSettings } from './defaults';
import type { SlicingMachine } from './slicer';

/** Grows when files are packed in another way, so that nothing made in the old way is used again. */
const packing = 3;

/** Everything that decides what a print file contains. */
export interface PrintIngredients {
  /** SHA-256 of the model. */
  modelSha256: string;
  /** Of a file that holds several. */
  plate: number | null;
  machine: SlicingMachine;
  material: Material;
  settings: SlicingSettings;
  /** What `settings` were resolved from: slicers with profiles of their own go by it, and so do warnings. */
  asked?: PrintSettings;
  quality: string;
  slicer: { name: string; version: string };
  allowUntrusted: boolean;
}

/** A print made of the same ingredients has the same key: SHA-256, lower-case hex. */
export function printKey(ingredients: PrintIngredients): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted({ ...ingredients, packing })))
    .digest('hex');
}

/** The same value with the fields of every object in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
