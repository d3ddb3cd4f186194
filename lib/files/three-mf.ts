import type { SaxesTagPlain } from 'saxes';
import type { Archive } from './archive';
import { type Paint, ProjectNotes, type VolumeNote } from './project';
import { TriangleBatch, type TriangleSink } from './triangle-batch';
import { UnreadableFileError } from './unreadable';
import { attributeOf, decoded, localName, parseXml } from './xml';

const maximumDepth = 32;
const maximumInstances = 10_000;
const maximumObjects = 100_000;
const maximumStoredTriangles = 20_000_000;
/** The limit for placed triangles, which instances multiply: a base, plus an amount for each byte of the archive. */
const freePlacedTriangles = 2_000_000;
const placedTrianglesPerByte = 4;
const maximumXmlDepth = 64;
const remedy = 'Export the model again, as 3MF or binary STL.';

const millimetresPerUnit: Readonly<Record<string, number>> = {
  micron: 0.001,
  millimeter: 1,
  centimeter: 10,
  inch: 25.4,
  foot: 304.8,
  meter: 1000,
};

/** Extensions that add nothing to the geometry, or only content that is read here (parts in several files). */
const harmlessExtensions = [
  'http://schemas.microsoft.com/3dmanufacturing/core/',
  'http://schemas.microsoft.com/3dmanufacturing/production/',
  'http://schemas.microsoft.com/3dmanufacturing/material/',
  'http://schemas.bambulab.com/',
  'http://schemas.slic3r.org/',
];

/** Attributes of painted triangles: PrusaSlicer's, and Bambu Studio's and OrcaSlicer's. */
const paintedBy: Readonly<Record<string, Paint>> = Object.assign(Object.create(null) as Record<string, Paint>, {
  'slic3rpe:mmu_segmentation': 'colours',
  'slic3rpe:custom_supports': 'supports',
  'slic3rpe:custom_seam': 'seams',
  'slic3rpe:fuzzy_skin': 'fuzzy skin',
  paint_color: 'colours',
  paint_supports: 'supports',
  paint_seam: 'seams',
  paint_fuzzy_skin: 'fuzzy skin',
});

/** Twelve numbers m00 m01 m02 m10 … m32; a point is a row: x' = m00·x + m10·y + m20·z + m30. */
type Transform = Float64Array;

/** An item that a build or an object places. */
interface Reference {
  /** The object's id in its file. */
  id: string;
  key: string;
  transform: Transform | undefined;
}

interface Item extends Reference {
  printable: boolean;
}

interface ModelObject {
  type: string;
  /** Three coordinates per vertex. */
  vertices: TripleList<Float64Array>;
  /** Three vertex indices per triangle. */
  triangles: TripleList<Uint32Array>;
  components: Reference[];
}

interface Part {
  items: Item[];
  millimetres: number;
}

/** Receives the volumes of a 3MF: returns the sink for the triangles of each, undefined if they are not needed. */
export type VolumeSink = (volume: VolumeNote) => TriangleSink | undefined;

/** A plate of a project. */
export interface ProjectPlate {
  plate: number;
  name: string | null;
  /** The member with its picture, as stated in the project. */
  picture: string | null;
  /** Indices of the build items on it. */
  items: number[];
}

/** A 3MF in memory, with its triangles. */
export interface ThreeMf {
  /** The plates with printable parts; empty if the file has none. */
  plates: ProjectPlate[];
  /** Indices of the build items that are printed. */
  items: number[];
  /** Sentences for an operator. */
  warnings: string[];
  /** The id of the object that an item places. */
  objectOf(item: number): string;
  /** The kinds of paint on its triangles. */
  paint: ReadonlySet<Paint>;
  notes: ProjectNotes;
  /**
   * Sends the triangles of these items to the sinks of their volumes, in mm, with all transforms applied.
   *
   * @throws UnreadableFileError
   */
  place(items: readonly number[], sinkOf: VolumeSink): void;
}

/**
 * Reads a 3MF.
 *
 * @throws UnreadableFileError
 */
export async function openThreeMf(archive: Archive): Promise<ThreeMf> {
  const notes = await ProjectNotes.read(archive);
  const root = await startPart(archive);
  const objects = new Map<string, ModelObject>();
  const paint = new Set<Paint>();
  const read = new Set<string>();
  const waiting = [root];
  let build: Part | undefined;
  let stored = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (read.has(path)) continue;
    read.add(path);
    const reader = new ModelPartReader(path, objects, waiting, paint, () => {
      if (++stored > maximumStoredTriangles) throw tooLarge();
    });
    await reader.readAll(archive);
    build ??= reader.part;
  }
  const all = build?.items ?? [];
  const { plates, items, leftOut } = platesOf(all, notes);
  if (!build || items.length === 0) {
    throw new UnreadableFileError(
      'its build is empty, there is nothing to print',
      'Put the part on the plate and export again.',
    );
  }
  const mm = build.millimetres;
  const scale = new Float64Array([mm, 0, 0, 0, mm, 0, 0, 0, mm, 0, 0, 0]);
  const mostTriangles = freePlacedTriangles + placedTrianglesPerByte * archive.sizeBytes;
  return {
    plates,
    items,
    warnings:
      leftOut > 0
        ? [`${leftOut === 1 ? 'One part lies' : `${leftOut} parts lie`} beside every plate and would not be printed.`]
        : [],
    objectOf: (item) => all[item]?.id ?? '',
    paint,
    notes,
    place(wanted, sinkOf) {
      const placer = new Placer(root, objects, notes, sinkOf, mostTriangles);
      for (const number of wanted) {
        const item = all[number];
        if (item) placer.place(item, scale, [], undefined);
      }
      placer.finish();
    },
  };
}

/**
 * Determines which items are on which plate. A project of several plates lays all of them out in one space and records which
 * instances of its objects belong to which; an object's instances are its build items, in order.
 */
function platesOf(
  all: readonly Item[],
  notes: ProjectNotes,
): { plates: ProjectPlate[]; items: number[]; leftOut: number } {
  const printable = [...all.keys()].filter((number) => all[number]?.printable);
  const places = new Map<string, number>();
  for (const { plate, instances } of notes.plates) {
    for (const { object, instance } of instances) {
      const key = `${object}#${instance ?? ''}`;
      if (!places.has(key)) places.set(key, plate);
    }
  }
  const seen = new Map<string, number>();
  const onPlate = new Map<number, number[]>();
  for (const [number, { id, printable: isPrinted }] of all.entries()) {
    const instance = seen.get(id) ?? 0;
    seen.set(id, instance + 1);
    const plate = places.get(`${id}#${instance}`) ?? places.get(`${id}#`);
    if (plate === undefined || !isPrinted) continue;
    const others = onPlate.get(plate);
    if (others) others.push(number);
    else onPlate.set(plate, [number]);
  }
  const plates = notes.plates.flatMap(({ plate, name, picture }) => {
    const items = onPlate.get(plate);
    return items === undefined ? [] : [{ plate, name, picture, items }];
  });
  if (plates.length === 0) return { plates, items: printable, leftOut: 0 };
  const items = plates.flatMap((plate) => plate.items).sort((a, b) => a - b);
  return { plates, items, leftOut: printable.length - items.length };
}

/**
 * Sends the triangles of everything solid that a 3MF prints to the sink, in mm, with all transforms applied: without
 * modifiers, and without the parts that negative volumes remove.
 *
 * @param plate of a project with several
 * @returns sentences for an operator
 * @throws UnreadableFileError also when there are several plates and none is selected
 */
export async function readThreeMf(
  archive: Archive,
  sink: TriangleSink,
  plate?: number,
): Promise<{ warnings: string[] }> {
  const model = await openThreeMf(archive);
  model.place(itemsOn(model, plate), ({ role }) => (role === 'part' ? sink : undefined));
  return { warnings: model.warnings };
}

/**
 * The build items of one plate.
 *
 * @param plate may be omitted if there is one, or none
 * @throws UnreadableFileError if it does not exist, or none is selected and there are several
 */
export function itemsOn(model: ThreeMf, plate: number | undefined): number[] {
  const { plates } = model;
  if (plates.length <= 1 && (plate === undefined || plate === plates[0]?.plate)) return model.items;
  const found = plates.find((each) => each.plate === plate);
  if (found) return found.items;
  throw new UnreadableFileError(
    plate === undefined ? `the project has parts on ${plates.length} plates` : `it has nothing on plate ${plate}`,
    'Name the plate.',
  );
}

async function startPart(archive: Archive): Promise<string> {
  const rels = await archive.text('_rels/.rels');
  const candidates: string[] = [];
  if (rels !== undefined) {
    await parseXml([rels], (tag) => {
      if (localName(tag.name) === 'Relationship' && tag.attributes['Type']?.endsWith('/3dmodel')) {
        candidates.push(tag.attributes['Target'] ?? '');
      }
    });
  }
  candidates.push('3D/3dmodel.model');
  const found = candidates.find((name) => archive.has(name));
  if (found === undefined) throw new UnreadableFileError('the archive holds no 3D model', remedy);
  return normalise(found);
}

class ModelPartReader {
  readonly part: Part = { items: [], millimetres: 1 };
  private prefix = '';
  private depth = 0;
  private references = 0;
  private object: ModelObject | undefined;

  constructor(
    private readonly path: string,
    private readonly objects: Map<string, ModelObject>,
    private readonly waiting: string[],
    private readonly paint: Set<Paint>,
    private readonly countTriangle: () => void,
  ) {}

  async readAll(archive: Archive): Promise<void> {
    await parseXml(
      decoded(archive.read(this.path)),
      (tag) => this.opened(tag),
      (tag) => this.closed(tag),
    );
  }

  private opened(tag: SaxesTagPlain): void {
    if (++this.depth > maximumXmlDepth) throw new UnreadableFileError('its XML is nested too deeply', remedy);
    if (this.depth === 1) {
      this.openedRoot(tag);
      return;
    }
    const colon = tag.name.indexOf(':');
    if ((colon < 0 ? '' : tag.name.slice(0, colon)) !== this.prefix) return; // of an extension
    const attributes = tag.attributes;
    switch (colon < 0 ? tag.name : tag.name.slice(colon + 1)) {
      case 'vertex':
        this.object?.vertices.push(numberOf(attributes['x']), numberOf(attributes['y']), numberOf(attributes['z']));
        return;
      case 'triangle':
        this.countTriangle();
        this.object?.triangles.push(indexOf(attributes['v1']), indexOf(attributes['v2']), indexOf(attributes['v3']));
        this.notePaint(attributes);
        return;
      case 'object': {
        const key = `${this.path}#${attributes['id'] ?? ''}`;
        if (this.objects.size >= maximumObjects) throw tooLarge();
        if (this.objects.has(key)) throw new UnreadableFileError('two objects have the same id', remedy);
        this.object = {
          type: attributes['type'] ?? 'model',
          vertices: new TripleList(Float64Array),
          triangles: new TripleList(Uint32Array),
          components: [],
        };
        this.objects.set(key, this.object);
        return;
      }
      case 'component':
        this.object?.components.push(this.reference(attributes));
        return;
      case 'item':
        this.part.items.push({
          ...this.reference(attributes),
          printable: attributeOf(attributes, 'printable') !== '0',
        });
        return;
      default:
        return;
    }
  }

  /** Called for each triangle, so no list is created. */
  private notePaint(attributes: Record<string, string>): void {
    for (const name in attributes) {
      const paint = paintedBy[name];
      if (paint !== undefined && attributes[name] !== '') this.paint.add(paint);
    }
  }

  private openedRoot(tag: SaxesTagPlain): void {
    if (localName(tag.name) !== 'model') throw new UnreadableFileError('its start part is not a 3D model', remedy);
    this.prefix = tag.name.includes(':') ? tag.name.slice(0, tag.name.indexOf(':')) : '';
    const unit = tag.attributes['unit'] ?? 'millimeter';
    const millimetres = millimetresPerUnit[unit];
    if (millimetres === undefined) throw new UnreadableFileError(`its unit "${unit}" is unknown`, remedy);
    this.part.millimetres = millimetres;
    for (const prefix of (tag.attributes['requiredextensions'] ?? '').split(/\s+/).filter(Boolean)) {
      const namespace = tag.attributes[`xmlns:${prefix}`] ?? prefix;
      if (!harmlessExtensions.some((known) => namespace.startsWith(known))) {
        throw new UnreadableFileError(
          `it needs the 3MF extension "${namespace}", which is not supported`,
          'Export the model as plain triangles (3MF core or binary STL).',
        );
      }
    }
  }

  private closed(tag: SaxesTagPlain): void {
    this.depth--;
    if (!this.object || localName(tag.name) !== 'object') return;
    const { vertices, triangles } = this.object;
    this.object = undefined;
    if (triangles.largest >= vertices.count) {
      throw new UnreadableFileError('a triangle names a vertex that does not exist', remedy);
    }
  }

  private reference(attributes: Record<string, string>): Reference {
    if (++this.references > maximumObjects) throw tooLarge();
    const named = attributeOf(attributes, 'path');
    const path = named === undefined ? this.path : normalise(named);
    if (path !== this.path) this.waiting.push(path);
    const id = attributes['objectid'] ?? '';
    return { id, key: `${path}#${id}`, transform: transformOf(attributes['transform']) };
  }
}

class Placer {
  private instances = 0;
  private triangles = 0;
  private sink: TriangleSink | undefined;
  private readonly batch = new TriangleBatch({
    take: (coordinates, triangles) => this.sink?.take(coordinates, triangles),
  });

  constructor(
    private readonly root: string,
    private readonly objects: ReadonlyMap<string, ModelObject>,
    private readonly notes: ProjectNotes,
    private readonly sinkOf: VolumeSink,
    private readonly mostTriangles: number,
  ) {}

  finish(): void {
    this.batch.flush();
  }

  /**
   * @param ancestors from the build item down
   * @param note a slicer's metadata on the component that contains this one, undefined if none
   */
  place(reference: Reference, outer: Transform, ancestors: readonly Reference[], note: VolumeNote | undefined): void {
    const object = this.objects.get(reference.key);
    if (!object) throw new UnreadableFileError('its build names an object that does not exist', remedy);
    if (ancestors.some(({ key }) => key === reference.key)) {
      throw new UnreadableFileError('its components form a cycle', remedy);
    }
    if (ancestors.length >= maximumDepth || ++this.instances > maximumInstances) {
      throw new UnreadableFileError(
        `its components are nested deeper than ${maximumDepth} or make more than ${maximumInstances} instances`,
        remedy,
      );
    }
    const [item = reference] = ancestors;
    const noted = ancestors.length <= 1 ? (this.notes.componentOf(item.id, reference.id) ?? note) : note;
    // Supports and surfaces of the core format are not part of the solid; slicers mark their modifiers in the same way.
    if (object.type !== 'model' && !noted) return;
    const transform = reference.transform ? multiply(reference.transform, outer) : outer;
    const nested = [...ancestors, reference];
    for (const component of object.components) this.place(component, transform, nested, noted);
    if (object.triangles.count > 0) this.placeVolumes(reference, object, transform, noted ?? solid);
  }

  private placeVolumes(reference: Reference, object: ModelObject, transform: Transform, note: VolumeNote): void {
    const { count } = object.triangles;
    const ranges = reference.key === `${this.root}#${reference.id}` ? this.notes.rangesOf(reference.id) : undefined;
    let rest = 0;
    for (const { first, last, note: noted } of ranges ?? []) {
      if (first > last || last >= count) {
        throw new UnreadableFileError('a volume of the project names a triangle that does not exist', remedy);
      }
      this.placeMesh(object, transform, noted, first, last + 1);
      // PrusaSlicer's ranges cover every triangle.
      if (first > rest) this.placeMesh(object, transform, note, rest, first);
      rest = Math.max(rest, last + 1);
    }
    if (rest < count) this.placeMesh(object, transform, note, rest, count);
  }

  private placeMesh(object: ModelObject, m: Transform, note: VolumeNote, first: number, end: number): void {
    const { vertices, triangles } = object;
    this.triangles += end - first;
    if (this.triangles > this.mostTriangles) throw tooLarge();
    const sink = this.sinkOf(note);
    if (sink !== this.sink) {
      this.batch.flush();
      this.sink = sink;
    }
    if (!sink) return;
    const [m00, m01, m02, m10, m11, m12, m20, m21, m22, m30, m31, m32] = m as unknown as TwelveNumbers;
    const determinant = m00 * (m11 * m22 - m12 * m21) - m01 * (m10 * m22 - m12 * m20) + m02 * (m10 * m21 - m11 * m20);
    const corners = new Float64Array(9);
    const indices = new Uint32Array(3);
    for (let triangle = first; triangle < end; triangle++) {
      triangles.copy(triangle, indices, 0);
      vertices.copy(indices[0] ?? 0, corners, 0);
      // A mirror turns the surface inside out: reverse the winding.
      vertices.copy(indices[determinant < 0 ? 2 : 1] ?? 0, corners, 3);
      vertices.copy(indices[determinant < 0 ? 1 : 2] ?? 0, corners, 6);
      for (let corner = 0; corner < 9; corner += 3) {
        const x = corners[corner] ?? 0;
        const y = corners[corner + 1] ?? 0;
        const z = corners[corner + 2] ?? 0;
        corners[corner] = m00 * x + m10 * y + m20 * z + m30;
        corners[corner + 1] = m01 * x + m11 * y + m21 * z + m31;
        corners[corner + 2] = m02 * x + m12 * y + m22 * z + m32;
      }
      const [ax, ay, az, bx, by, bz, cx, cy, cz] = corners as unknown as NineNumbers;
      this.batch.add(ax, ay, az, bx, by, bz, cx, cy, cz);
    }
  }
}

const solid: VolumeNote = { role: 'part', settings: new Map() };

type TwelveNumbers = [number, number, number, number, number, number, number, number, number, number, number, number];
type NineNumbers = [number, number, number, number, number, number, number, number, number];

const firstTriples = 16;
const chunkTriples = 16_384;

/** A growing list of number triples. It grows in chunks, so that nothing large is ever copied. */
class TripleList<Numbers extends Float64Array | Uint32Array> {
  count = 0;
  /** The largest number in it. */
  largest = -1;
  private readonly chunks: Numbers[] = [];

  constructor(private readonly kind: new (length: number) => Numbers) {}

  push(a: number, b: number, c: number): void {
    const index = Math.floor(this.count / chunkTriples);
    const at = 3 * (this.count % chunkTriples);
    let chunk = this.chunks[index];
    if (chunk === undefined || at >= chunk.length) {
      // Most objects are small: only a full first chunk is replaced.
      const size = chunk === undefined ? (index === 0 ? firstTriples : chunkTriples) : chunkTriples;
      const larger = new this.kind(3 * size);
      if (chunk) larger.set(chunk);
      this.chunks[index] = larger;
      chunk = larger;
    }
    chunk[at] = a;
    chunk[at + 1] = b;
    chunk[at + 2] = c;
    this.count++;
    this.largest = Math.max(this.largest, a, b, c);
  }

  /** Copies one triple to a position in `to`. */
  copy(index: number, to: Float64Array | Uint32Array, at: number): void {
    const chunk = this.chunks[Math.floor(index / chunkTriples)];
    const from = 3 * (index % chunkTriples);
    to[at] = chunk?.[from] ?? 0;
    to[at + 1] = chunk?.[from + 1] ?? 0;
    to[at + 2] = chunk?.[from + 2] ?? 0;
  }
}

const normalise = (path: string) => path.replace(/^\//, '').toLowerCase();

function numberOf(text: string | undefined): number {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UnreadableFileError(`"${text ?? ''}" stands where a number should be`, remedy);
  return value;
}

function indexOf(text: string | undefined): number {
  const value = numberOf(text);
  if (!Number.isInteger(value) || value < 0)
    throw new UnreadableFileError('a vertex index is no natural number', remedy);
  return value;
}

function transformOf(text: string | undefined): Transform | undefined {
  if (text === undefined) return undefined;
  const numbers = text.trim().split(/\s+/).map(numberOf);
  if (numbers.length !== 12) throw new UnreadableFileError('a transform has not 12 numbers', remedy);
  return Float64Array.from(numbers);
}

/** First `inner`, then `outer`. */
function multiply(inner: Transform, outer: Transform): Transform {
  const result = new Float64Array(12);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 3; column++) {
      let sum = row === 3 ? (outer[9 + column] ?? 0) : 0;
      for (let k = 0; k < 3; k++) sum += (inner[row * 3 + k] ?? 0) * (outer[k * 3 + column] ?? 0);
      result[row * 3 + column] = sum;
    }
  }
  return result;
}

function tooLarge(): UnreadableFileError {
  return new UnreadableFileError('it has too many triangles or objects', 'Simplify the mesh and export it again.');
}
