import { writeArchive } from './hostile-files';

/** A mesh: corners (mm), and triangles that name them. */
export interface Mesh {
  vertices: number[][];
  triangles: number[][];
}

/** An upright prism over a convex polygon. */
export function prism(polygon: readonly (readonly [number, number])[], from: number, to: number): Mesh {
  const n = polygon.length;
  const vertices = [...polygon.map(([x, y]) => [x, y, from]), ...polygon.map(([x, y]) => [x, y, to])];
  const triangles: number[][] = [];
  for (let i = 1; i + 1 < n; i++) triangles.push([0, i + 1, i], [n, n + i, n + i + 1]);
  for (let i = 0; i < n; i++) {
    const next = (i + 1) % n;
    triangles.push([i, next, n + next], [i, n + next, n + i]);
  }
  return { vertices, triangles };
}

/** A box between two corners. */
export const box = ([x0, y0, z0]: readonly [number, number, number], [x1, y1, z1]: readonly [number, number, number]) =>
  prism(
    [
      [x0, y0],
      [x1, y0],
      [x1, y1],
      [x0, y1],
    ],
    z0,
    z1,
  );

/** A pyramid over a convex polygon at z = 0. */
export function pyramid(polygon: readonly (readonly [number, number])[], tip: readonly [number, number, number]): Mesh {
  const n = polygon.length;
  const triangles: number[][] = [];
  for (let i = 1; i + 1 < n; i++) triangles.push([0, i + 1, i]);
  for (let i = 0; i < n; i++) triangles.push([i, (i + 1) % n, n]);
  return { vertices: [...polygon.map(([x, y]) => [x, y, 0]), [...tip]], triangles };
}

export const cube20 = box([0, 0, 0], [20, 20, 20]);

export const relations = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="/3D/3dmodel.model" Id="r" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>`;

const namespaces =
  'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06" xmlns:slic3rpe="http://schemas.slic3r.org/3mf/2017/06"';

export const modelXml = (resources: string, build: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><model unit="millimeter" ${namespaces}><resources>${resources}</resources><build>${build}</build></model>`;

/** @param painted attributes of the first triangle */
export const meshXml = ({ vertices, triangles }: Mesh, painted = '') =>
  `<mesh><vertices>${vertices.map(([x, y, z]) => `<vertex x="${x}" y="${y}" z="${z}"/>`).join('')}</vertices><triangles>${triangles
    .map(([a, b, c], index) => `<triangle v1="${a}" v2="${b}" v3="${c}"${index === 0 ? ` ${painted}` : ''}/>`)
    .join('')}</triangles></mesh>`;

/** A volume of a project. */
export interface Volume {
  mesh: Mesh;
  /** PrusaSlicer's name of its role, or Bambu Studio's. */
  type: string;
  settings?: Record<string, string>;
}

/** A project of PrusaSlicer: one object of several volumes, which are ranges of one mesh. */
export function prusaEntries(
  volumes: readonly Volume[],
  { objectSettings = {}, painted = '' }: { objectSettings?: Record<string, string>; painted?: string } = {},
): Record<string, string> {
  const vertices: number[][] = [];
  const triangles: number[][] = [];
  let config = Object.entries(objectSettings)
    .map(([key, value]) => `<metadata type="object" key="${key}" value="${value}"/>`)
    .join('');
  for (const { mesh, type, settings = {} } of volumes) {
    const [offset, first] = [vertices.length, triangles.length];
    vertices.push(...mesh.vertices);
    triangles.push(...mesh.triangles.map((corners) => corners.map((corner) => corner + offset)));
    const metadata = Object.entries({ volume_type: type, ...settings }).map(
      ([key, value]) => `<metadata type="volume" key="${key}" value="${value}"/>`,
    );
    config += `<volume firstid="${first}" lastid="${triangles.length - 1}">${metadata.join('')}</volume>`;
  }
  return {
    '_rels/.rels': relations,
    '3D/3dmodel.model': modelXml(
      `<object id="1" type="model">${meshXml({ vertices, triangles }, painted)}</object>`,
      '<item objectid="1" printable="1"/>',
    ),
    'Metadata/Slic3r_PE_model.config': `<?xml version="1.0" encoding="UTF-8"?><config><object id="1" instances_count="1">${config}</object></config>`,
  };
}

/** An object of a project of Bambu Studio. */
export interface BambuObject {
  parts: readonly Volume[];
  settings?: Record<string, string>;
  /** The position and the plate number of each of its instances. */
  instances: readonly { at: readonly [number, number, number]; plate?: number; printable?: boolean }[];
}

/** A project of Bambu Studio: each object in a file of its own, its parts as components. */
export function bambuEntries(
  objects: readonly BambuObject[],
  plates: Record<number, string> = {},
): Record<string, string> {
  const entries: Record<string, string> = { '_rels/.rels': relations };
  const keyed = (settings: Record<string, string>) =>
    Object.entries(settings)
      .map(([key, value]) => `<metadata key="${key}" value="${value}"/>`)
      .join('');
  let resources = '';
  let build = '';
  let config = '';
  const onPlate = new Map<number, string>(Object.keys(plates).map((plate) => [Number(plate), '']));
  for (const [index, { parts, settings = {}, instances }] of objects.entries()) {
    const id = 100 + index;
    const path = `/3D/Objects/object_${index + 1}.model`;
    entries[path.slice(1)] = modelXml(
      parts
        .map(
          ({ mesh, type }, part) =>
            `<object id="${part + 1}" type="${type === 'normal_part' ? 'model' : 'other'}">${meshXml(mesh)}</object>`,
        )
        .join(''),
      '',
    );
    const components = parts.map((_, part) => `<component p:path="${path}" objectid="${part + 1}"/>`).join('');
    resources += `<object id="${id}" type="model"><components>${components}</components></object>`;
    config += `<object id="${id}">${keyed({ name: `object ${index}`, ...settings })}${parts
      .map(({ type, settings: of = {} }, part) => `<part id="${part + 1}" subtype="${type}">${keyed(of)}</part>`)
      .join('')}</object>`;
    for (const [instance, { at, plate, printable = true }] of instances.entries()) {
      build += `<item objectid="${id}" transform="1 0 0 0 1 0 0 0 1 ${at.join(' ')}" printable="${printable ? 1 : 0}"/>`;
      if (plate === undefined) continue;
      const note = `<model_instance>${keyed({ object_id: `${id}`, instance_id: `${instance}`, identify_id: '1' })}</model_instance>`;
      onPlate.set(plate, (onPlate.get(plate) ?? '') + note);
    }
  }
  for (const [plate, notes] of onPlate) {
    config += `<plate>${keyed({ plater_id: `${plate}`, plater_name: plates[plate] ?? '' })}${notes}</plate>`;
  }
  entries['3D/3dmodel.model'] = modelXml(resources, build);
  entries['Metadata/model_settings.config'] = `<?xml version="1.0" encoding="UTF-8"?><config>${config}</config>`;
  return entries;
}

export const writeProject = (path: string, entries: Record<string, string | Buffer>) => writeArchive(path, entries);
