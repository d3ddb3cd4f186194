import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { type FilledSlot, type Make, typeOf } from './filament';

type Type = 'PLA' | 'PETG';

/** A file to make jobs from. */
export interface ModelFile {
  /** Without spaces; the names of its jobs begin with it. */
  name: string;
  path: string;
  /** Whether it can be printed from this slot of a printer of this make. */
  fits(make: Make, slot: FilledSlot): boolean;
}

export type WrongKind = 'wrong_machine_file' | 'damaged_file' | 'wrong_type_file';

/** A file that must not be printed, with the material that it is submitted for. */
export interface WrongFile {
  path: string;
  materialId: string;
}

const temperatures = { PLA: { nozzle: 210, bed: 60 }, PETG: { nozzle: 240, bed: 80 } } as const;
const mmPerMove = 1.2;
const gramsPerMetre = { PLA: 2.98, PETG: 3.05 } as const;

/** The speed of the tool in the G-code (mm/min), chosen so that a print takes a few minutes. */
const usualFeed = 900;

/**
 * Prints of a few minutes, small enough for every printer: models to slice, and G-code and plates that are already sliced,
 * for each tool and type of filament.
 *
 * @param feed the speed of the tool in the G-code (mm/min): a lower one makes longer prints of the same size
 */
export async function writePrintFiles(directory: string, feed = usualFeed): Promise<ModelFile[]> {
  const files: ModelFile[] = [];
  const gcodeFile = (name: string, text: string, fits: ModelFile['fits']): void => {
    const path = join(directory, `${name}.gcode`);
    writeFileSync(path, text);
    files.push({ name, path, fits });
  };
  for (const [name, size] of [
    ['box', [12, 12, 3]],
    ['slab', [20, 8, 2]],
  ] as const) {
    const path = join(directory, `${name}.stl`);
    writeFileSync(path, box(size));
    files.push({ name, path, fits: () => true });
  }
  for (const type of ['PLA', 'PETG'] as const) {
    for (const moves of [40, 90, 200]) {
      gcodeFile(
        `${type}-${moves}`,
        squares(moves, type, undefined, feed),
        (_make, { material, tool }) => typeOf(material) === type && tool === 0,
      );
    }
    gcodeFile(
      `${type}-T1`,
      squares(90, type, 1, feed),
      (make, { material, tool }) => make !== 'bambu' && typeOf(material) === type && tool === 1,
    );
    for (const [side, tool] of [
      ['right', 0],
      ['left', 1],
    ] as const) {
      const name = `${type}-${side}`;
      const path = join(directory, `${name}.gcode.3mf`);
      await writePlate(path, { moves: 90, type, tool, feed });
      files.push({
        name,
        path,
        fits: (make, slot) => make === 'bambu' && typeOf(slot.material) === type && slot.tool === tool,
      });
    }
  }
  return files;
}

/** Some of each kind of file that must be rejected, without any other reason for rejection. */
export async function writeWrongFiles(directory: string): Promise<Record<WrongKind, WrongFile[]>> {
  const written = (name: string, content: string | Buffer): WrongFile => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return { path, materialId: 'pla_black_esun' };
  };
  const otherModel = { path: join(directory, 'p1s.gcode.3mf'), materialId: 'pla_black_esun' };
  await writePlate(otherModel.path, { moves: 40, type: 'PLA', tool: 0, model: 'C12' });
  const damaged = join(directory, 'damaged.gcode.3mf');
  // Without the plate's MD5, only the checksum of the archive reveals it.
  await writePlate(damaged, { moves: 40, type: 'PLA', tool: 0, isDamaged: true });
  return {
    wrong_machine_file: [
      written('mk4s.gcode', sliced(squares(40, 'PLA'), { printer_model: 'MK4S', filament_type: 'PLA' })),
      otherModel,
    ],
    damaged_file: [{ path: damaged, materialId: 'pla_black_esun' }],
    wrong_type_file: [
      // At the temperatures of PLA, so that only the stated type contradicts.
      written('petg.gcode', sliced(squares(40, 'PLA'), { filament_type: 'PETG' })),
    ],
  };
}

function squares(moves: number, type: Type, tool?: number, feed = usualFeed): string {
  const { nozzle, bed } = temperatures[type];
  const word = tool === undefined ? '' : ` T${tool}`;
  const lines = ['; a square, over and over', `M140 S${bed}`, `M104${word} S${nozzle}`, 'G28', 'G90', 'M83'];
  if (tool !== undefined) lines.push(`T${tool}`);
  lines.push(`M190 S${bed}`, `M109${word} S${nozzle}`);
  for (let move = 0; move < moves; move++) {
    const corner = move % 4;
    if (corner === 0) lines.push(`G1 Z${(0.2 + Math.floor(move / 4) * 0.2).toFixed(2)} F600`);
    lines.push(`G1 X${corner === 0 || corner === 3 ? 100 : 140} Y${corner < 2 ? 100 : 140} E${mmPerMove} F${feed}`);
  }
  lines.push(`M104${word} S0`, 'M140 S0', 'M84', '');
  return lines.join('\n');
}

/** The same, as written by a slicer that names its target machine. */
function sliced(gcode: string, settings: Record<string, string>): string {
  const lines = Object.entries(settings).map(([name, value]) => `; ${name} = ${value}`);
  return [
    '; generated by PrusaSlicer 2.8.1+linux-x64 on 2026-01-01 at 12:00:00 UTC',
    gcode,
    '; prusaslicer_config = begin',
    ...lines,
    '; prusaslicer_config = end',
    '',
  ].join('\n');
}

interface Plate {
  moves: number;
  type: Type;
  /** The nozzle that it is sliced for: 0 right, 1 left. */
  tool: 0 | 1;
  /** mm/min */
  feed?: number;
  model?: string;
  /** One byte of its G-code differs from its checksum. */
  isDamaged?: boolean;
}

/** A plate as Bambu Studio exports it, reduced to the parts that a printer reads. */
async function writePlate(path: string, plate: Plate): Promise<void> {
  const { moves, type, tool, feed = usualFeed, model = 'O1D', isDamaged = false } = plate;
  const gcode = squares(moves, type, undefined, feed);
  const zip = new ZipFile();
  const add = (name: string, text: string): void => zip.addBuffer(Buffer.from(text), name, { compress: false });
  const metres = (moves * mmPerMove) / 1000;
  add(
    '[Content_Types].xml',
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
      '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>' +
      '<Default Extension="gcode" ContentType="text/x.gcode"/></Types>',
  );
  add('Metadata/plate_1.gcode', gcode);
  if (!isDamaged) add('Metadata/plate_1.gcode.md5', createHash('md5').update(gcode).digest('hex').toUpperCase());
  add(
    'Metadata/plate_1.json',
    JSON.stringify({ filament_ids: [0], filament_colors: ['#000000'], nozzle_diameter: 0.4 }),
  );
  add(
    'Metadata/slice_info.config',
    '<?xml version="1.0" encoding="UTF-8"?><config><plate><metadata key="index" value="1"/>' +
      `<metadata key="printer_model_id" value="${model}"/><metadata key="nozzle_diameters" value="0.4,0.4"/>` +
      `<metadata key="prediction" value="${Math.round((300 * usualFeed) / feed)}"/><metadata key="filament_maps" value="${tool === 1 ? 1 : 2}"/>` +
      `<filament id="1" type="${type}" color="#000000" used_m="${metres.toFixed(3)}" used_g="${(metres * gramsPerMetre[type]).toFixed(2)}"/></plate></config>`,
  );
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  if (!isDamaged) return;
  const bytes = readFileSync(path);
  bytes.write('G1 X190', bytes.indexOf('G1 X140'));
  writeFileSync(path, bytes);
}

/** A box as a binary STL, mm. */
function box([x, y, z]: readonly [number, number, number]): Buffer {
  const corner = (index: number): [number, number, number] => [index & 1 ? x : 0, index & 2 ? y : 0, index & 4 ? z : 0];
  const faces = [
    ...[0, 2, 1, 1, 2, 3, 4, 5, 6, 5, 7, 6],
    ...[0, 1, 4, 1, 5, 4, 2, 6, 3, 3, 6, 7],
    ...[0, 4, 2, 2, 4, 6, 1, 3, 5, 3, 7, 5],
  ];
  const count = faces.length / 3;
  const stl = Buffer.alloc(84 + 50 * count);
  stl.writeUInt32LE(count, 80);
  for (let face = 0; face < count; face++) {
    for (let point = 0; point < 3; point++) {
      const [px, py, pz] = corner(faces[face * 3 + point] ?? 0);
      const at = 84 + 50 * face + 12 * (point + 1);
      stl.writeFloatLE(px, at);
      stl.writeFloatLE(py, at + 4);
      stl.writeFloatLE(pz, at + 8);
    }
  }
  return stl;
}
