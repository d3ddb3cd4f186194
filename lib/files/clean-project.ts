import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { openArchive } from './archive';
import { type Placement, place } from './clean-stl';
import { type Dialect, settingFor } from './modifier-settings';
import type { VolumeNote, VolumeRole } from './project';
import { itemsOn, openThreeMf } from './three-mf';
import type { TriangleSink } from './triangle-batch';
import { UnreadableFileError } from './unreadable';
import { onGrid, vertexHash } from './vertex-hash';

/** Parts first: slicers subtract a volume from those before it. */
const order: readonly VolumeRole[] = ['part', 'negative', 'modifier', 'support_blocker', 'support_enforcer'];

const prusaTypes: Readonly<Record<VolumeRole, string>> = {
  part: 'ModelPart',
  negative: 'NegativeVolume',
  modifier: 'ParameterModifier',
  support_blocker: 'SupportBlocker',
  support_enforcer: 'SupportEnforcer',
};

const bambuTypes: Readonly<Record<VolumeRole, string>> = {
  part: 'normal_part',
  negative: 'negative_part',
  modifier: 'modifier_part',
  support_blocker: 'support_blocker',
  support_enforcer: 'support_enforcer',
};

const gridPerMm = 1e5;
const linesPerPiece = 4096;
/** mm */
const bedTolerance = 0.01;

/**
 * A mesh whose triangles share their vertices, as slicers want it: for an STL they would have to merge them.
 */
class SharedMesh implements TriangleSink {
  vertexCount = 0;
  triangleCount = 0;
  /** mm above the bed. */
  lowest = Number.POSITIVE_INFINITY;
  private vertices = new Float64Array(3 * 512);
  private triangles = new Uint32Array(3 * 512);
  /** Vertex indices, counted from one, at the positions of their hashes; at most half of the table is used. */
  private table = new Uint32Array(1024);
  private readonly corner = new Float64Array(3);

  constructor(private readonly placement: Placement) {}

  take(coordinates: Float64Array, triangles: number): void {
    for (let i = 0; i < 9 * triangles; i += 9) {
      const a = this.vertex(coordinates, i);
      const b = this.vertex(coordinates, i + 3);
      const c = this.vertex(coordinates, i + 6);
      if (a === b || b === c || c === a) continue; // zero area
      if (3 * this.triangleCount === this.triangles.length) {
        const larger = new Uint32Array(2 * this.triangles.length);
        larger.set(this.triangles);
        this.triangles = larger;
      }
      this.triangles.set([a, b, c], 3 * this.triangleCount++);
    }
  }

  *vertexLines(): Generator<string> {
    for (let i = 0; i < 3 * this.vertexCount; i += 3) {
      const [x, y, z] = this.vertices.subarray(i, i + 3);
      yield `<vertex x="${x}" y="${y}" z="${z}"/>\n`;
    }
  }

  /** @param offset of its vertex indices */
  *triangleLines(offset: number): Generator<string> {
    for (let i = 0; i < 3 * this.triangleCount; i += 3) {
      const [a = 0, b = 0, c = 0] = this.triangles.subarray(i, i + 3);
      yield `<triangle v1="${a + offset}" v2="${b + offset}" v3="${c + offset}"/>\n`;
    }
  }

  private vertex(coordinates: Float64Array, from: number): number {
    const { corner } = this;
    place(coordinates, from, this.placement, corner);
    for (let axis = 0; axis < 3; axis++) corner[axis] = Math.round((corner[axis] ?? 0) * gridPerMm) / gridPerMm + 0;
    const [x = 0, y = 0, z = 0] = corner;
    this.lowest = Math.min(this.lowest, z);
    const { table, vertices } = this;
    const mask = table.length - 1;
    let slot = vertexHash(onGrid(x), onGrid(y), onGrid(z)) & mask;
    for (let number = table[slot] ?? 0; number !== 0; number = table[slot] ?? 0) {
      const at = 3 * (number - 1);
      if (vertices[at] === x && vertices[at + 1] === y && vertices[at + 2] === z) return number - 1;
      slot = (slot + 1) & mask;
    }
    if (3 * this.vertexCount === vertices.length) {
      this.vertices = new Float64Array(2 * vertices.length);
      this.vertices.set(vertices);
    }
    this.vertices.set(corner, 3 * this.vertexCount);
    table[slot] = ++this.vertexCount;
    if (2 * this.vertexCount > table.length) this.grow();
    return this.vertexCount - 1;
  }

  private grow(): void {
    const table = new Uint32Array(2 * this.table.length);
    const mask = table.length - 1;
    for (let vertex = 0; vertex < this.vertexCount; vertex++) {
      const [x = 0, y = 0, z = 0] = this.vertices.subarray(3 * vertex, 3 * vertex + 3);
      let slot = vertexHash(onGrid(x), onGrid(y), onGrid(z)) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = vertex + 1;
    }
    this.table = table;
  }
}

interface Volume extends VolumeNote {
  mesh: SharedMesh;
}

/**
 * Reads a project of any slicer, and writes the contents of a plate as a new 3MF, in bed coordinates. It contains only
 * triangles, the role of each volume, and the supported settings of modifiers.
 *
 * @param dialect of the slicer that will read it
 * @param plate of a project with several
 * @throws UnreadableFileError also when the slicer would place an object elsewhere
 */
export async function copyAsCleanProject(
  source: string,
  path: string,
  placement: Placement,
  dialect: Dialect,
  plate?: number,
): Promise<void> {
  const objects = await readVolumes(source, placement, plate);
  if (dialect === 'bambu') refuseOffTheBed(objects);
  const zip = new ZipFile();
  const add = (name: string, pieces: Iterable<string>) =>
    zip.addReadStream(Readable.from(inPieces(pieces), { objectMode: false }), name, { mtime: epoch });
  add('[Content_Types].xml', [contentTypes]);
  add('_rels/.rels', [relationships]);
  add('3D/3dmodel.model', dialect === 'prusa' ? prusaModel(objects) : bambuModel(objects));
  if (dialect === 'prusa') add('Metadata/Slic3r_PE_model.config', [prusaConfig(objects)]);
  else add('Metadata/model_settings.config', [bambuConfig(objects)]);
  zip.end();
  const failure = new Promise<never>((_, reject) => zip.on('error', reject));
  await Promise.race([pipeline(zip.outputStream, createWriteStream(path, { flags: 'wx' })), failure]);
}

/** The volumes of each object, in the order that slicers expect. */
async function readVolumes(source: string, placement: Placement, plate: number | undefined): Promise<Volume[][]> {
  const archive = await openArchive(source);
  try {
    const model = await openThreeMf(archive);
    return itemsOn(model, plate).flatMap((item) => {
      const volumes: Volume[] = [];
      model.place([item], (note) => {
        const mesh = new SharedMesh(placement);
        volumes.push({ ...note, mesh });
        return mesh;
      });
      const sorted = volumes
        .filter(({ mesh }) => mesh.triangleCount > 0)
        .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
      return sorted[0]?.role === 'part' ? [sorted] : []; // a modifier without effect
    });
  } finally {
    archive.close();
  }
}

/** OrcaSlicer and Bambu Studio drop the parts of each object onto the bed, whatever is subtracted from their lower side. */
function refuseOffTheBed(objects: readonly Volume[][]): void {
  for (const volumes of objects) {
    const lowest = Math.min(...volumes.flatMap(({ role, mesh }) => (role === 'part' ? mesh.lowest : [])));
    if (Math.abs(lowest) <= bedTolerance) continue;
    const where = lowest < 0 ? 'a negative volume takes the foot of a part away' : 'an object stands above the bed';
    throw new UnreadableFileError(
      `${where}, which OrcaSlicer and Bambu Studio would print elsewhere`,
      'Export the finished part as one mesh without modifiers and negative volumes.',
    );
  }
}

/** A fixed time, so that the same project produces the same bytes. */
const epoch = new Date(2020, 0, 1);

const xml = '<?xml version="1.0" encoding="UTF-8"?>\n';

const contentTypes = `${xml}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
 <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
 <Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>
`;

const relationships = `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
 <Relationship Target="/3D/3dmodel.model" Id="rel-1" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>
`;

const modelBegin = `${xml}<model unit="millimeter" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" xmlns:slic3rpe="http://schemas.slic3r.org/3mf/2017/06">\n`;

/** PrusaSlicer's form: one mesh for each object, whose volumes are ranges of its triangles. */
function* prusaModel(objects: readonly Volume[][]): Generator<string> {
  yield `${modelBegin}<metadata name="slic3rpe:Version3mf">1</metadata>\n<resources>\n`;
  for (const [index, volumes] of objects.entries()) {
    yield `<object id="${index + 1}" type="model"><mesh><vertices>\n`;
    for (const { mesh } of volumes) yield* mesh.vertexLines();
    yield '</vertices><triangles>\n';
    let offset = 0;
    for (const { mesh } of volumes) {
      yield* mesh.triangleLines(offset);
      offset += mesh.vertexCount;
    }
    yield '</triangles></mesh></object>\n';
  }
  yield '</resources>\n<build>\n';
  for (const index of objects.keys()) yield `<item objectid="${index + 1}" printable="1"/>\n`;
  yield '</build>\n</model>\n';
}

function prusaConfig(objects: readonly Volume[][]): string {
  const text = objects.map((volumes, index) => {
    let first = 0;
    const ranges = volumes.map(({ role, settings, mesh }) => {
      const last = first + mesh.triangleCount - 1;
      const all = new Map([['volume_type', prusaTypes[role]], ...settings]);
      // PrusaSlicer fills a volume solidly only with lines.
      if (Number.parseFloat(settings.get('fill_density') ?? '') >= 100) all.set('fill_pattern', 'rectilinear');
      const range = `<volume firstid="${first}" lastid="${last}">${[...all].map(([key, value]) => `<metadata type="volume" key="${key}" value="${value}"/>`).join('')}</volume>\n`;
      first = last + 1;
      return range;
    });
    return `<object id="${index + 1}" instances_count="1">\n${ranges.join('')}</object>\n`;
  });
  return `${xml}<config>\n${text.join('')}</config>\n`;
}

/** The form of OrcaSlicer and Bambu Studio: a mesh for each volume, which are the components of an object. */
function* bambuModel(objects: readonly Volume[][]): Generator<string> {
  yield `${modelBegin}<resources>\n`;
  const volumeCount = objects.reduce((sum, volumes) => sum + volumes.length, 0);
  let id = 0;
  for (const [index, volumes] of objects.entries()) {
    let components = '';
    for (const { role, mesh } of volumes) {
      components += `<component objectid="${++id}"/>`;
      yield `<object id="${id}" type="${role === 'part' ? 'model' : 'other'}"><mesh><vertices>\n`;
      yield* mesh.vertexLines();
      yield '</vertices><triangles>\n';
      yield* mesh.triangleLines(0);
      yield '</triangles></mesh></object>\n';
    }
    yield `<object id="${volumeCount + index + 1}" type="model"><components>${components}</components></object>\n`;
  }
  yield '</resources>\n<build>\n';
  for (const index of objects.keys()) yield `<item objectid="${volumeCount + index + 1}" printable="1"/>\n`;
  yield '</build>\n</model>\n';
}

function bambuConfig(objects: readonly Volume[][]): string {
  const volumeCount = objects.reduce((sum, volumes) => sum + volumes.length, 0);
  let id = 0;
  const text = objects.map((volumes, index) => {
    const parts = volumes.map(({ role, settings }) => {
      const keyed = [...settings].map(
        ([key, value]) => `<metadata key="${settingFor('bambu', key)}" value="${value}"/>`,
      );
      return `<part id="${++id}" subtype="${bambuTypes[role]}">${keyed.join('')}</part>\n`;
    });
    return `<object id="${volumeCount + index + 1}">\n${parts.join('')}</object>\n`;
  });
  return `${xml}<config>\n${text.join('')}</config>\n`;
}

/** Joins lines into chunks that are large enough to write. */
function* inPieces(lines: Iterable<string>): Generator<Buffer> {
  let piece: string[] = [];
  for (const line of lines) {
    if (piece.push(line) < linesPerPiece) continue;
    yield Buffer.from(piece.join(''), 'utf8');
    piece = [];
  }
  if (piece.length > 0) yield Buffer.from(piece.join(''), 'utf8');
}
