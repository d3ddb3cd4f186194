import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyseFile } from '../../lib/files/analyse-file';
import { packForMake } from '../../lib/makes/registry';
import { asError } from '../../lib/model/errors';
import { resolveSettings } from '../../lib/slicing/defaults';
import { preparePrintFile } from '../../lib/slicing/prepare';
import { PrusaSlicer } from '../../lib/slicing/prusa-slicer';
import { fixture } from '../../test/fixtures';
import { artisan, giga, h2d, pla } from '../../test/slicing/machines';

/** Slices real models for three printers with PrusaSlicer: checks the G-code, and compares our estimate with the slicer's own. */
const models = [
  '20mm-xyz-cube.stl',
  '3DBenchy.3mf',
  '3mfc-box_prod.3mf',
  '3mfc-components.3mf',
  '3mfc-multiple_cylinders.3mf',
  '3mfc-torus_prod.3mf',
  'counterXP.3MF',
  'featuretype.3MF',
  'featuretype.STL',
  'two_objects_mixed_case_names.stl',
  'P_XPM_0331_01.3mf',
];

async function main(): Promise<void> {
  const workDirectory = mkdtempSync(join(tmpdir(), 'platewise-bench-'));
  const slicer = new PrusaSlicer();
  const differences: number[] = [];
  console.log('model                              printer            seconds  ours    grams  outcome');
  try {
    for (const model of models) {
      for (const machine of [h2d, giga, artisan]) {
        const sourcePath = fixture('models', model);
        const line = `${model.padEnd(34)} ${machine.printerId.padEnd(18)}`;
        try {
          const print = await preparePrintFile(
            {
              sourcePath,
              machine,
              material: pla,
              settings: resolveSettings(machine, pla, {}),
              quality: 'standard',
              workDirectory,
              allowUntrusted: true,
              acceptUnknownMachine: true,
              slicer,
              pack: packForMake,
            },
            { signal: new AbortController().signal },
          );
          const { print: found } = await analyseFile(print.path);
          const difference = (found?.simulatedSeconds ?? 0) / print.estimatedSeconds - 1;
          differences.push(Math.abs(difference));
          const percent = `${(100 * difference).toFixed(1)} %`;
          console.log(
            `${line} ${print.estimatedSeconds.toFixed(0).padStart(7)} ${percent.padStart(7)} ${print.filamentGrams.toFixed(1).padStart(7)}  sound ${print.warnings.join(' ')}`,
          );
          rmSync(print.path);
        } catch (error) {
          console.log(`${line}                          ${asError(error).message}`);
        }
      }
    }
  } finally {
    rmSync(workDirectory, { recursive: true, force: true });
  }
  console.log(`largest difference: ${(100 * Math.max(...differences)).toFixed(1)} % (limit 10 %)`);
}

void main();
