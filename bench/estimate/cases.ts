import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { materialId } from '../../lib/model/ids';
import type { Material } from '../../lib/model/material';
import type { PrintSettings } from '../../lib/model/settings';
import type { SlicingMachine } from '../../lib/slicing/slicer';
import { artisan, giga, h2d, pla } from '../../test/slicing/machines';

const petg: Material = {
  ...pla,
  id: materialId('petg_black'),
  name: 'PETG black',
  type: 'PETG',
  densityGramsPerCm3: 1.27,
  nozzleTemperature: 240,
  bedTemperature: 80,
};

/** One print whose estimate is compared with the slicer's result. */
export interface Case {
  /** Path of the model. */
  model: string;
  machine: SlicingMachine;
  slicer: 'prusa-slicer' | 'built-in';
  /** The requested settings, in a word. */
  name: string;
  material: Material;
  asked: PrintSettings;
}

const settings: [name: string, asked: PrintSettings, material?: Material][] = [
  ['standard', {}],
  ['draft', { quality: 'draft' }],
  ['fine', { quality: 'fine' }],
  ['infill 0', { infill: 0 }],
  ['infill 40', { infill: 40 }],
  ['infill 100', { infill: 100 }],
  ['walls 2', { walls: 2 }],
  ['walls 5', { walls: 5 }],
  ['brim 5', { brim: 5 }],
  ['PETG', {}, petg],
  ['draft, walls 4', { quality: 'draft', walls: 4, infill: 30 }],
  ['gyroid', { infill_pattern: 'gyroid', infill: 25 }],
  ['supports', { supports: 'everywhere' }],
];

const machines = [giga, artisan, h2d];

/**
 * Whether constants may be fitted to a model: half of all, by the first byte of the SHA-256 of its file name. The other half
 * is held out, and its figures count.
 */
export const isForFitting = (fileName: string): boolean =>
  ((createHash('sha256').update(fileName).digest()[0] as number) & 1) === 0;

/**
 * Models × settings × slicers. Standard settings are tested on all three printers, the others on one of them in turn: the slicer's
 * figures depend on the printer only by the travel to the part.
 */
export function casesOf(directory: string): Case[] {
  const models = readdirSync(directory)
    .filter((name) => /\.(stl|3mf)$/i.test(name))
    .sort();
  return models.flatMap((model, at) =>
    settings.flatMap(([name, asked, material = pla], turn) =>
      (turn === 0 ? machines : machines.slice((at + turn) % 3).slice(0, 1)).flatMap((machine) =>
        (['prusa-slicer', 'built-in'] as const)
          .filter((slicer) => slicer === 'prusa-slicer' || !['supports', 'gyroid'].includes(name))
          .map((slicer) => ({ model: join(directory, model), machine, slicer, name, material, asked })),
      ),
    ),
  );
}
