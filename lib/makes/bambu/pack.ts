import { readFile } from 'node:fs/promises';
import { writeGcode3mf } from '../../files/gcode-3mf';
import type { SlicedPrint } from '../../slicing/pack';

/** The token of the H2D, for a printer without a stated model. */
const defaultModel = 'O1D';

/** Wraps G-code in a `.gcode.3mf`, as a plate with one filament. */
export async function packForBambu(sliced: SlicedPrint, output: string): Promise<{ lines: number }> {
  const { analysis, machine, material } = sliced;
  await writeGcode3mf(sliced.path, output, {
    printerModelId: machine.capabilities.model ?? defaultModel,
    nozzleDiameters: machine.capabilities.nozzleDiameters,
    filaments: [
      {
        type: material.type,
        colourHex: material.colourHex,
        usedGrams: sliced.filamentGrams,
        usedMetres: analysis.filamentMm / 1000,
      },
    ],
    estimatedSeconds: sliced.estimatedSeconds,
    weightGrams: sliced.filamentGrams,
    bounds: analysis.bounds,
    nozzle: machine.tool,
    title: 'Platewise',
    pictures: await Promise.all(sliced.pictures.map(({ path }) => readFile(path))),
  });
  return { lines: analysis.lines };
}
