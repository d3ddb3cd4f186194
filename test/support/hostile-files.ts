import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A hostile file of a kind, and the expected message; absent: it is accepted. */
export interface HostileFile {
  name: string;
  refused?: RegExp;
  /** Writes it and returns its path. */
  write(directory: string): Promise<string>;
}

const relations = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="/3D/3dmodel.model" Id="r" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>`;

const core = 'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"';

/** A tetrahedron as the mesh of an object. */
const mesh = `<mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="9" y="0" z="0"/><vertex x="0" y="9" z="0"/><vertex x="0" y="0" z="9"/></vertices>
<triangles><triangle v1="0" v2="2" v3="1"/><triangle v1="0" v2="1" v3="3"/><triangle v1="1" v2="2" v3="3"/><triangle v1="2" v2="0" v3="3"/></triangles></mesh>`;

export const model = (resources: string, build: string, attributes = 'unit="millimeter"') =>
  `<?xml version="1.0"?><model ${attributes} ${core}><resources>${resources}</resources><build>${build}</build></model>`;

const object = (inside = mesh, id = 1) => `<object id="${id}" type="model">${inside}</object>`;
const item = '<item objectid="1"/>';

/** Writes a 3MF of these entries. */
export async function writeArchive(path: string, entries: Record<string, string | Buffer>): Promise<string> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(entries)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

const threeMf = (name: string, xml: string | (() => string | Buffer), refused?: RegExp): HostileFile => ({
  name,
  ...(refused && { refused }),
  write: (directory) =>
    writeArchive(join(directory, `${name}.3mf`), {
      '_rels/.rels': relations,
      '3D/3dmodel.model': typeof xml === 'string' ? xml : xml(),
    }),
});

const plain = (name: string, content: string | (() => string | Buffer), refused?: RegExp): HostileFile => ({
  name,
  ...(refused && { refused }),
  write: async (directory) => {
    const path = join(directory, name);
    writeFileSync(path, typeof content === 'string' ? content : content());
    return path;
  },
});

const megabyte = 1024 ** 2;
const facet = 'facet normal 0 0 0\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 9\nendloop\nendfacet\n';

/** A binary STL that declares `declared` triangles and holds `present` (and a few bytes more). */
function binaryStl(declared: number, present: number, moreBytes = 0): Buffer {
  const bytes = Buffer.alloc(84 + 50 * present + moreBytes);
  bytes.writeUInt32LE(declared, 80);
  for (let i = 0; i < present; i++) {
    for (const [at, value] of [0, 0, 0, 9, 0, i, 0, 9, 9].entries())
      bytes.writeFloatLE(value, 84 + 50 * i + 12 + 4 * at);
  }
  return bytes;
}

/** Nested components: each level holds the one below `width` times. */
const nested = (levels: number, width: number) =>
  object() +
  Array.from({ length: levels }, (_, level) => {
    const components = `<component objectid="${level + 1}"/>`.repeat(width);
    return object(`<components>${components}</components>`, level + 2);
  }).join('');

/** A project of PrusaSlicer or of Bambu Studio with this file beside its geometry. */
const project = (name: string, member: string, config: () => string, refused?: RegExp): HostileFile => ({
  name,
  ...(refused && { refused }),
  write: (directory) =>
    writeArchive(join(directory, `${name}.3mf`), {
      '_rels/.rels': relations,
      '3D/3dmodel.model': model(object(), item),
      [member]: config(),
    }),
});

const prusaConfig = 'Metadata/Slic3r_PE_model.config';
const bambuConfig = 'Metadata/model_settings.config';

/** Kinds of files that cost far more than their size, or that are damaged where a reader trusts them. */
export const hostileFiles: HostileFile[] = [
  threeMf(
    'vertices-without-end',
    () => model(object(`<mesh><vertices>${'<vertex x="0" y="0" z="0"/>'.repeat(1_100_000)}</vertices></mesh>`), item),
    /no triangles/,
  ),
  threeMf('triangles-without-end', () => {
    const vertices = '<vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/><vertex x="0" y="1" z="1"/>';
    const triangles = '<triangle v1="0" v2="1" v3="2"/>'.repeat(900_000);
    return model(object(`<mesh><vertices>${vertices}</vertices><triangles>${triangles}</triangles></mesh>`), item);
  }),
  threeMf('bomb-of-200-MB', () => model(`${object()}<!--${' '.repeat(200 * megabyte)}-->`, item), /inflates more than/),
  threeMf('whitespace-of-30-MB', () => model(object() + ' '.repeat(30 * megabyte), item), /more than 4 MB/),
  threeMf(
    'attribute-of-30-MB',
    () => model(object().replace('x="9"', `x="${'0'.repeat(30 * megabyte)}9"`), item),
    /more than 4 MB/,
  ),
  threeMf(
    'objects-without-end',
    () => model(Array.from({ length: 1_000_000 }, (_, id) => `<object id="${id}"/>`).join(''), item),
    /too many/,
  ),
  threeMf('items-without-end', () => model(object(), item.repeat(1_000_000)), /too many/),
  threeMf('instances-2-pow-20', model(nested(20, 2), '<item objectid="21"/>'), /instances/),
  threeMf('instances-wide', model(nested(2, 300), '<item objectid="3"/>'), /instances/),
  threeMf(
    'many-triangles-times-many-instances',
    () => {
      const vertices = '<vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/><vertex x="0" y="1" z="1"/>';
      const triangles = '<triangle v1="0" v2="1" v3="2"/>'.repeat(200_000);
      return model(
        object(`<mesh><vertices>${vertices}</vertices><triangles>${triangles}</triangles></mesh>`),
        item.repeat(9000),
      );
    },
    /too many triangles/,
  ),
  threeMf('deep-xml', model(object() + '<a>'.repeat(100_000), item), /nested|deep/),
  threeMf('component-of-itself', model(object('<components><component objectid="1"/></components>'), item), /cycle/),
  threeMf(
    'cycle-of-three',
    model(
      [2, 3, 1].map((next, at) => object(`<components><component objectid="${next}"/></components>`, at + 1)).join(''),
      item,
    ),
    /cycle/,
  ),
  threeMf(
    'doctype',
    `<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${model(object(), item)}`,
    /DOCTYPE|damaged/,
  ),
  threeMf(
    'external-entity',
    `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><model/>`,
    /DOCTYPE/,
  ),
  threeMf('no-number', model(object().replace('x="9"', 'x="nine"'), item), /number should be/),
  threeMf('not-finite', model(object().replace('x="9"', 'x="1e999"'), item), /number should be/),
  threeMf('decimal-comma', model(object().replace('x="9"', 'x="9,5"'), item), /number should be/),
  threeMf('index-negative', model(object().replace('v1="0"', 'v1="-1"'), item), /natural number/),
  threeMf('index-beyond-32-bits', model(object().replace('v1="0"', 'v1="4294967296"'), item), /does not exist/),
  threeMf(
    'transform-of-11-numbers',
    model(object(), '<item objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0"/>'),
    /12 numbers/,
  ),
  threeMf(
    'transform-not-finite',
    model(object(), '<item objectid="1" transform="1 0 0 0 1 0 0 0 NaN 0 0 0"/>'),
    /number should be/,
  ),
  threeMf('transform-flattens', model(object(), '<item objectid="1" transform="1 0 0 0 1 0 0 0 0 0 0 0"/>'), /flat/),
  threeMf('unit-unknown', model(object(), item, 'unit="parsec"'), /unit "parsec"/),
  threeMf(
    'extension-unknown',
    model(object(), item, 'unit="millimeter" requiredextensions="b" xmlns:b="http://example.org/lattice"'),
    /extension/,
  ),
  threeMf('only-supports', model(object().replace('"model"', '"support"'), item), /no triangles/),
  threeMf('same-id-twice', model(object() + object(), item), /same id/),
  threeMf('not-xml', 'this is no XML', /XML/),
  threeMf('utf-16', () => Buffer.from(`\ufeff${model(object(), item)}`, 'utf16le'), /XML/),
  {
    name: 'entry-twice',
    refused: /twice/,
    write: (directory) =>
      writeArchive(join(directory, 'twice.3mf'), {
        '_rels/.rels': relations,
        '3D/3dmodel.model': model(object(), item),
        '3d/3DModel.model': model(object(), item),
      }),
  },
  {
    name: 'entries-10001',
    refused: /more than 10000 entries/,
    write: (directory) =>
      writeArchive(
        join(directory, 'entries.3mf'),
        Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`e${i}`, ''])),
      ),
  },
  {
    name: 'missing-part',
    refused: /no part/,
    write: (directory) =>
      writeArchive(join(directory, 'missing.3mf'), {
        '_rels/.rels': relations,
        '3D/3dmodel.model': model(
          object('<components><component objectid="1" p:path="/3D/gone.model"/></components>'),
          item,
          'unit="millimeter" xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06"',
        ),
      }),
  },
  {
    name: 'sliced-with-wrong-md5',
    refused: /MD5/,
    write: (directory) =>
      writeArchive(join(directory, 'wrong.gcode.3mf'), {
        'Metadata/plate_1.gcode': 'G28\nG1 X1 Y1 E1\n',
        'Metadata/plate_1.gcode.md5': '0'.repeat(32),
      }),
  },
  project(
    'project-of-a-volume-many-times',
    prusaConfig,
    () => `<config><object id="1">${'<volume firstid="0" lastid="3"></volume>'.repeat(800_000)}</object></config>`,
    /inflates|too large|too many|lists more/,
  ),
  project(
    'project-of-many-settings',
    bambuConfig,
    () => `<config><object id="1">${'<metadata key="a" value="b"/>'.repeat(550_000)}</object></config>`,
  ),
  project(
    'project-of-many-plates',
    bambuConfig,
    () => `<config>${'<plate></plate>'.repeat(100_000)}</config>`,
    /lists more plates/,
  ),
  project(
    'project-settings-too-large',
    bambuConfig,
    () => `<config><!-- ${' '.repeat(17 * megabyte)} --></config>`,
    /too large/,
  ),
  project(
    'project-of-bad-ranges',
    prusaConfig,
    () => '<config><object id="1"><volume firstid="3" lastid="1"/></object></config>',
    /triangle that does not exist/,
  ),
  project('project-with-doctype', bambuConfig, () => '<!DOCTYPE a [<!ENTITY b "c">]><config/>', /DOCTYPE/),
  project('project-cut-off', prusaConfig, () => '<config><object id="1"', /XML is damaged/),
  {
    name: 'sliced-plates-2000',
    refused: /2000 sliced plates/,
    write: (directory) =>
      writeArchive(
        join(directory, 'plates.gcode.3mf'),
        Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`Metadata/plate_${i + 1}.gcode`, 'G28\n'])),
      ),
  },
  plain('count-huge.stl', () => binaryStl(0xffff_fff0, 40), /promises 4294967280 triangles, 40/),
  plain('count-too-small.stl', () => binaryStl(3, 40), /promises 3 triangles, 40/),
  plain('cut-inside-a-triangle.stl', () => binaryStl(40, 10, 17), /promises 40 triangles, 10/),
  plain('long-tail.stl', () => binaryStl(40, 40, 5000), /promises 40 triangles/),
  plain('all-zero.stl', () => Buffer.alloc(84 + 500), /promises 0 triangles/),
  plain(
    'huge-coordinate.stl',
    () => {
      const bytes = binaryStl(12, 12);
      bytes.writeFloatLE(-3e38, 84 + 50 * 5 + 12);
      return bytes;
    },
    /not finite or lies beyond/,
  ),
  plain(
    'minus-infinity.stl',
    () => {
      const bytes = binaryStl(12, 12);
      bytes.writeFloatLE(Number.NEGATIVE_INFINITY, 84 + 50 * 11 + 44);
      return bytes;
    },
    /not finite/,
  ),
  plain('ascii-infinity.stl', `solid a\n${facet.replace('9 0 0', '1e999 0 0')}endsolid`, /not finite|beyond/),
  plain('ascii-two-vertices.stl', `solid a\n${facet.replace('vertex 9 0 0\n', '')}endsolid`, /fewer than 3/),
  plain('ascii-missing-coordinate.stl', `solid a\n${facet.replace('9 0 0', '9 0')}endsolid`, /coordinate should be/),
  plain('ascii-zero-bytes.stl', () => `solid a\n${'\0'.repeat(3000)}`, /neither a model nor G-code|promises/),
  plain(
    'ascii-endless-word.stl',
    () => `solid a\nfacet normal 0 0 0\nouter loop\nvertex ${'1'.repeat(20 * megabyte)}`,
    /long word/,
  ),
  plain(
    'png-renamed.stl',
    () => Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(200, 7)]),
    /PNG/,
  ),
  plain('json.stl', '{"error": "not found"}', /JSON/),
  plain('amf.stl', '<?xml version="1.0"?><amf/>', /XML/),
  plain('gcode-of-nonsense.gcode', 'G1 X1 Y2 E3\nG1 Xnan Y1e999 E--3\nG1 X1 YZ E1\nG1 X3 Y3 E9\n'),
  plain('gcode-of-great-arcs.gcode', () => `G28\n${'G2 X0 Y0 I900 J900 E99 F99999999\n'.repeat(300_000)}`),
  plain('gcode-of-one-line-each-MB.gcode', () => `G28\nG1 ${'X1 '.repeat(megabyte)}`, /longer than 4096/),
  plain('gcode-of-long-comments.gcode', () => `G28\n${`; ${'x'.repeat(megabyte)}\n`.repeat(40)}G1 X1 E1\n`),
  plain('bgcode.gcode', () => Buffer.concat([Buffer.from('GCDE'), Buffer.alloc(100)]), /bgcode/),
];
