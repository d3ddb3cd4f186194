import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { GcodeAnalysis } from '../../files/analysis';
import { gramsOfFilament, type Material } from '../../model/material';
import type { SlicingMachine } from '../../slicing/slicer';

/** The data that the Artisan's screen shows for a file; one invalid number hides the whole preview. */
export interface SnapmakerHeaderInput {
  analysis: GcodeAnalysis;
  machine: SlicingMachine;
  material: Material;
  estimatedSeconds: number;
  /** mm */
  layerHeight: number;
  /** A PNG. */
  picture?: Buffer | undefined;
}

/** The header block of a Snapmaker Artisan file, from `;Header Start` to `;Header End`, without a last line end. */
export function snapmakerHeader(input: SnapmakerHeaderInput): string {
  const { analysis, machine, material } = input;
  const nozzles = machine.capabilities.nozzleDiameters;
  const { tool } = machine;
  const temperature = Math.round(analysis.maxNozzleTemperature);
  const type = material.type.replace(/[^\w+-]/g, '');
  const { min, max } = analysis.bounds;
  const lines = (total: number) => [
    ';Header Start',
    ';header_type: 3dp',
    `;tool_head: ${nozzles.length > 1 ? 'dualExtruderToolheadForSM2' : 'singleExtruderToolheadForSM2'}`,
    ';machine: A400',
    // One line, however long: the screen reads no further.
    ...(input.picture ? [`;thumbnail: data:image/png;base64,${input.picture.toString('base64')}`] : []),
    `;file_total_lines: ${total}`,
    `;estimated_time(s): ${Math.round(input.estimatedSeconds)}`,
    // An unused nozzle stays cold.
    `;nozzle_temperature(°C): ${tool === 0 ? temperature : 0}`,
    `;nozzle_0_diameter(mm): ${nozzles[0] ?? 0.4}`,
    ...(tool === 0 ? [`;nozzle_0_material: ${type}`] : []),
    ';Extruder 0 Retraction Distance:0.8',
    ';Extruder 0 Switch Retraction Distance:0',
    `;nozzle_1_temperature(°C): ${tool === 1 ? temperature : -1}`,
    `;nozzle_1_diameter(mm): ${tool === 1 ? (nozzles[1] ?? 0.4) : -1}`,
    ...(tool === 1 ? [`;nozzle_1_material: ${type}`] : []),
    `;build_plate_temperature(°C): ${Math.round(analysis.maxBedTemperature)}`,
    ';work_speed(mm/minute): 6000',
    `;max_x(mm): ${max.x.toFixed(3)}`,
    `;max_y(mm): ${max.y.toFixed(3)}`,
    `;max_z(mm): ${max.z.toFixed(3)}`,
    `;min_x(mm): ${min.x.toFixed(3)}`,
    `;min_y(mm): ${min.y.toFixed(3)}`,
    `;min_z(mm): ${min.z.toFixed(3)}`,
    `;layer_number: ${analysis.layers}`,
    `;layer_height: ${input.layerHeight.toFixed(2)}`,
    `;matierial_weight: ${gramsOfFilament(analysis.filamentMm, material).toFixed(2)}`,
    `;matierial_length: ${(analysis.filamentMm / 1000).toFixed(3)}`,
    ';Header End',
  ];
  return lines(analysis.lines + lines(0).length).join('\n');
}

/** Writes a G-code file with a header before it. */
export async function prependHeader(header: string, source: string, output: string): Promise<void> {
  await pipeline(
    async function* () {
      yield Buffer.from(`${header}\n`, 'utf8');
      yield* createReadStream(source, { highWaterMark: 256 * 1024 });
    },
    createWriteStream(output, { flags: 'wx' }),
  );
}
