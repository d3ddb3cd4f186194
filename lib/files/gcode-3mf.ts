import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Bounds } from './bounds';

/** The information for the printer in a `.gcode.3mf` besides its G-code. */
export interface SlicedPlate {
  /** Bambu's id of the printer model; the H2D's is `O1D`. */
  printerModelId: string;
  nozzleDiameters: readonly number[];
  filaments: readonly { type: string; colourHex: string; usedGrams: number; usedMetres: number }[];
  estimatedSeconds: number;
  weightGrams: number;
  /** Box of the extruding moves, mm. */
  bounds: Bounds;
  /** The nozzle to print with: 0; with two nozzles 0 is the right and 1 the left one. */
  nozzle: number;
  title: string;
  /** PNGs of the plate: a large one and a small one. */
  pictures?: Buffer[];
}

const plate = 'Metadata/plate_1.gcode';
const inMemoryBytes = 128 * 1024 ** 2;

/**
 * Wraps G-code as a sliced plate in the form that Bambu printers accept (`.gcode.3mf`): the G-code with its MD5 in
 * upper-case hex, and the metadata that the printer and its screen read. Written completely or not at all.
 */
export async function writeGcode3mf(gcodePath: string, outputPath: string, sliced: SlicedPlate): Promise<void> {
  const md5 = await md5Of(gcodePath);
  const zip = new ZipFile();
  const add = (name: string, text: string) => zip.addBuffer(Buffer.from(text, 'utf8'), name, { mtime: epoch });
  add('[Content_Types].xml', contentTypes);
  const [large, small = large] = sliced.pictures ?? [];
  add('_rels/.rels', relationships(large !== undefined));
  if (large) zip.addBuffer(large, 'Metadata/plate_1.png', { mtime: epoch });
  if (small) zip.addBuffer(small, 'Metadata/plate_1_small.png', { mtime: epoch });
  add('3D/3dmodel.model', emptyModel(sliced.title));
  // Written from memory, its size and checksum precede its data; as a stream they follow it, which not every reader supports.
  if ((await stat(gcodePath)).size <= inMemoryBytes) zip.addBuffer(await readFile(gcodePath), plate, { mtime: epoch });
  else zip.addFile(gcodePath, plate, { mtime: epoch });
  add(`${plate}.md5`, md5.toUpperCase());
  add('Metadata/plate_1.json', JSON.stringify(plateJson(sliced)));
  add('Metadata/slice_info.config', sliceInfo(sliced));
  add('Metadata/model_settings.config', modelSettings);
  add('Metadata/_rels/model_settings.config.rels', settingsRelationships);
  add('Metadata/project_settings.config', JSON.stringify(projectSettings(sliced), null, 1));
  zip.end();
  const temporary = `${outputPath}.tmp`;
  try {
    // yazl reports a failing input on the archive, not on its output
    const failure = new Promise<never>((_, reject) => zip.on('error', reject));
    await Promise.race([pipeline(zip.outputStream, createWriteStream(temporary, { flags: 'wx' })), failure]);
    const file = await open(temporary, 'r+');
    await file.sync().finally(() => file.close());
    await rename(temporary, outputPath);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A fixed time, so that the same plate produces the same bytes. */
const epoch = new Date(2020, 0, 1);

async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), hash);
  return hash.digest('hex');
}

const xml = '<?xml version="1.0" encoding="UTF-8"?>\n';

const contentTypes = `${xml}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
 <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
 <Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
 <Default Extension="png" ContentType="image/png"/>
 <Default Extension="gcode" ContentType="text/x.gcode"/>
</Types>
`;

const relationships = (
  pictured: boolean,
) => `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
 <Relationship Target="/3D/3dmodel.model" Id="rel-1" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>${pictured ? pictureRelationships : ''}
</Relationships>
`;

const pictureRelationships = `
 <Relationship Target="/Metadata/plate_1.png" Id="rel-2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"/>
 <Relationship Target="/Metadata/plate_1.png" Id="rel-4" Type="http://schemas.bambulab.com/package/2021/cover-thumbnail-middle"/>
 <Relationship Target="/Metadata/plate_1_small.png" Id="rel-5" Type="http://schemas.bambulab.com/package/2021/cover-thumbnail-small"/>`;

const settingsRelationships = `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
 <Relationship Target="/Metadata/plate_1.gcode" Id="rel-1" Type="http://schemas.bambulab.com/package/2021/gcode"/>
</Relationships>
`;

const modelSettings = `${xml}<config>
  <plate>
    <metadata key="plater_id" value="1"/>
    <metadata key="plater_name" value=""/>
    <metadata key="locked" value="false"/>
    <metadata key="gcode_file" value="${plate}"/>
    <metadata key="thumbnail_file" value="Metadata/plate_1.png"/>
    <metadata key="pattern_bbox_file" value="Metadata/plate_1.json"/>
  </plate>
</config>
`;

const emptyModel = (
  title: string,
) => `${xml}<model unit="millimeter" xml:lang="en-US" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" xmlns:BambuStudio="http://schemas.bambulab.com/package/2021">
 <metadata name="Application">Platewise</metadata>
 <metadata name="Title">${escapeXml(title)}</metadata>
 <resources/>
 <build/>
</model>
`;

function plateJson(sliced: SlicedPlate) {
  const { min, max } = sliced.bounds;
  const box = [min.x, min.y, max.x, max.y].map((value) => round(value, 3));
  return {
    bbox_all: box,
    bbox_objects: [
      {
        area: round((max.x - min.x) * (max.y - min.y), 3),
        bbox: box,
        id: 1,
        layer_height: 0.2,
        name: sliced.title,
      },
    ],
    bed_type: 'textured_plate',
    filament_colors: sliced.filaments.map((filament) => `#${filament.colourHex}`),
    filament_ids: sliced.filaments.map((_, index) => index),
    first_extruder: 0,
    is_seq_print: false,
    nozzle_diameter: sliced.nozzleDiameters[0] ?? 0.4,
    version: 2,
  };
}

function sliceInfo(sliced: SlicedPlate): string {
  const metadata = (key: string, value: string | number) =>
    `    <metadata key="${key}" value="${escapeXml(String(value))}"/>\n`;
  const filaments = sliced.filaments.map(
    (filament, index) =>
      `    <filament id="${index + 1}" tray_info_idx="${trayInfo(filament.type)}" type="${escapeXml(filament.type)}" color="#${escapeXml(filament.colourHex)}" used_m="${filament.usedMetres.toFixed(2)}" used_g="${filament.usedGrams.toFixed(2)}" group_id="0" nozzle_diameter="${(sliced.nozzleDiameters[sliced.nozzle] ?? 0.4).toFixed(2)}" volume_type="Standard"/>\n`,
  );
  return `${xml}<config>
  <header>
    <header_item key="X-BBL-Client-Type" value="slicer"/>
    <header_item key="X-BBL-Client-Version" value="02.04.00.70"/>
  </header>
  <plate>
${metadata('index', 1)}${metadata('extruder_type', 0)}${metadata('nozzle_volume_type', 0)}${metadata('printer_model_id', sliced.printerModelId)}${metadata('nozzle_diameters', [...sliced.nozzleDiameters].reverse().join(','))}${metadata('timelapse_type', 0)}${metadata('prediction', Math.max(0, Math.round(sliced.estimatedSeconds)))}${metadata('weight', sliced.weightGrams.toFixed(2))}${metadata('outside', 'false')}${metadata('support_used', 'false')}${metadata('label_object_enabled', 'false')}${metadata('filament_maps', sliced.filaments.map(() => nozzleNumber(sliced)).join(' '))}    <object identify_id="1" name="${escapeXml(sliced.title)}" skipped="false"/>
${filaments.join('')}  </plate>
</config>
`;
}

/** Bambu's generic filament presets. */
function trayInfo(type: string): string {
  const presets: Readonly<Record<string, string>> = {
    PLA: 'GFL99',
    PETG: 'GFG99',
    ABS: 'GFB99',
    ASA: 'GFB98',
    TPU: 'GFU99',
    PC: 'GFC99',
    PA: 'GFN99',
  };
  return presets[type.toUpperCase()] ?? '';
}

function projectSettings(sliced: SlicedPlate) {
  return {
    from: 'project',
    name: 'project_settings',
    version: '02.04.00.70',
    printer_model: sliced.printerModelId === 'O1D' ? 'Bambu Lab H2D' : sliced.printerModelId,
    nozzle_diameter: sliced.nozzleDiameters.map(String),
    filament_type: sliced.filaments.map((filament) => filament.type),
    filament_colour: sliced.filaments.map((filament) => `#${filament.colourHex}`),
    filament_ids: sliced.filaments.map((filament) => trayInfo(filament.type)),
    curr_bed_type: 'Textured PEI Plate',
  };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));

function escapeXml(text: string): string {
  return text
    .replace(/[^\x20-\uffff]/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

/** The nozzle that prints, as Bambu's files count them: with two nozzles 1 is the left and 2 the right one. */
function nozzleNumber({ nozzleDiameters, nozzle }: Pick<SlicedPlate, 'nozzleDiameters' | 'nozzle'>): number {
  return nozzleDiameters.length > 1 && nozzle === 0 ? 2 : 1;
}
