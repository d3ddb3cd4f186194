import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { analyseHere } from '../../lib/files/analyse';
import type { FileAnalysis } from '../../lib/files/analysis';
import { plateOf } from '../../lib/files/plates';
import { forEachTriangle } from '../../lib/files/triangles';
import { UnreadableFileError } from '../../lib/files/unreadable';
import { fixture, temporaryDirectory } from '../fixtures';
import {
  bambuEntries,
  box,
  cube20,
  prism,
  prusaEntries,
  pyramid,
  type Volume,
  writeProject,
} from '../support/projects';

const directory = temporaryDirectory();
let count = 0;

async function analyse(entries: Record<string, string | Buffer>): Promise<FileAnalysis> {
  return analyseHere(await writeProject(join(directory, `${count++}.3mf`), entries));
}

const close = (found: number, expected: number, relative = 1e-6) =>
  assert.ok(Math.abs(found - expected) <= relative * expected, `${found} is not ${expected}`);

const size = ({ dimensions: { x, y, z } }: Pick<FileAnalysis, 'dimensions'>) =>
  [x, y, z].map((length) => Number(length.toFixed(3)));

const part = (mesh: Volume['mesh'], settings = {}): Volume => ({ mesh, type: 'ModelPart', settings });
const negative = (mesh: Volume['mesh']): Volume => ({ mesh, type: 'NegativeVolume' });
const column = box([5, 5, -10], [15, 15, 30]);

describe('projects', () => {
  const field: [file: string, volume: number, by: 'prusa' | 'bambu', volumes: string[]][] = [
    ['r12_prusa_modifier.3mf', 8000, 'prusa', ['modifier']],
    ['r12b_prusa_negative.3mf', 6000, 'prusa', ['negative']],
    ['r13_bambu_negative_part_other.3mf', 6000, 'bambu', ['negative']],
  ];
  for (const [file, volume, by, volumes] of field) {
    it(`are measured as the slicer interprets them: ${file}`, async () => {
      const analysis = await analyseHere(fixture('field', file));
      assert.deepEqual(size(analysis), [20, 20, 20]);
      close(analysis.volumeMm3, volume);
      assert.equal(analysis.triangles, 12);
      assert.equal(analysis.project?.by, by);
      assert.deepEqual(analysis.project?.volumes, volumes);
    });
  }

  it('recognise each kind of volume in either form, and the old marker of a modifier', async () => {
    const prusa = await analyse(
      prusaEntries([
        part(cube20),
        { mesh: column, type: 'ModelPart', settings: { modifier: '1' } },
        { mesh: column, type: 'SupportBlocker' },
        { mesh: column, type: 'SupportEnforcer' },
      ]),
    );
    assert.deepEqual(prusa.project?.volumes, ['modifier', 'support_blocker', 'support_enforcer']);
    close(prusa.volumeMm3, 8000);
    const bambu = await analyse(
      bambuEntries([
        {
          parts: ['normal_part', 'modifier_part', 'negative_part', 'support_blocker', 'support_enforcer'].map(
            (type) => ({ type, mesh: type === 'normal_part' ? cube20 : column }),
          ),
          instances: [{ at: [100, 100, 0] }],
        },
      ]),
    );
    assert.deepEqual(bambu.project?.volumes, ['modifier', 'negative', 'support_blocker', 'support_enforcer']);
    assert.deepEqual(size(bambu), [20, 20, 20]);
    close(bambu.volumeMm3, 6000);
  });

  it('without special volumes are measured as before', async () => {
    const analysis = await analyse(prusaEntries([part(cube20), part(box([30, 0, 0], [40, 10, 10]))]));
    assert.deepEqual(size(analysis), [40, 20, 20]);
    close(analysis.volumeMm3, 9000);
    assert.deepEqual(analysis.project, { by: 'prusa', volumes: [], ignored: [] });
    const plain = await analyseHere(fixture('models-bad', 'ok-cube10.3mf'));
    assert.equal(plain.project, undefined);
    assert.equal(plain.plate, undefined);
  });

  it('are rejected if they name triangles that do not exist', async () => {
    const entries = prusaEntries([part(cube20)]);
    entries['Metadata/Slic3r_PE_model.config'] = (entries['Metadata/Slic3r_PE_model.config'] ?? '').replace(
      'lastid="11"',
      'lastid="12"',
    );
    await assert.rejects(analyse(entries), /triangle that does not exist/);
    entries['Metadata/Slic3r_PE_model.config'] = '<config><object id="1"><volume firstid="-1"/></object></config>';
    await assert.rejects(analyse(entries), /where the number of a triangle should be/);
  });
});

describe('negative volumes', () => {
  const diamond = prism(
    [
      [10, 0],
      [20, 10],
      [10, 20],
      [0, 10],
    ],
    -1,
    21,
  );
  const base = [
    [0, 0],
    [20, 0],
    [20, 20],
    [0, 20],
  ] as const;
  const circle = (radius: number) =>
    Array.from({ length: 256 }, (_, i) => {
      const angle = (2 * Math.PI * i) / 256;
      return [10 + radius * Math.cos(angle), 10 + radius * Math.sin(angle)] as const;
    });

  const cases: [name: string, volumes: Volume[], left: number, size: number[], relative?: number][] = [
    ['turned by 45°', [part(cube20), negative(diamond)], 4000, [20, 20, 20]],
    ['that cut the top off', [part(cube20), negative(box([-1, -1, 15], [21, 21, 30]))], 6000, [20, 20, 15]],
    ['that cut a side off', [part(cube20), negative(box([12, -1, -1], [21, 21, 30]))], 4800, [12, 20, 20]],
    ['inside', [part(cube20), negative(box([5, 5, 5], [15, 15, 15]))], 7000, [20, 20, 20]],
    ['beside the part', [part(cube20), negative(box([30, 5, 5], [40, 15, 15]))], 8000, [20, 20, 20]],
    ['that overlap one another', [part(cube20), negative(column), negative(column)], 6000, [20, 20, 20]],
    [
      'through a pyramid, whose edges they pierce',
      [part(pyramid(base, [10, 10, 20])), negative(box([5.315, 5.315, -1], [14.685, 14.685, 30]))],
      8000 / 3 - (9.37 ** 2 * 10.63 + 9.37 ** 3 / 3),
      [20, 20, 10.63],
      1e-4,
    ],
    [
      'in the form of a cone',
      [part(cube20), negative(pyramid(circle(8), [10, 10, 15]))],
      8000 - (((256 / 2) * Math.sin((2 * Math.PI) / 256) * 64) / 3) * 15,
      [20, 20, 20],
      1e-4,
    ],
  ];
  for (const [name, volumes, left, dimensions, relative] of cases) {
    it(`are subtracted: ${name}`, async () => {
      const analysis = await analyse(prusaEntries(volumes));
      close(analysis.volumeMm3, left, relative ?? 1e-6);
      for (const [axis, length] of dimensions.entries()) {
        const found = size(analysis)[axis] ?? 0;
        // A side that is cut between two levels is known to within one slab, a two-hundredth of the height.
        assert.ok(Math.abs(found - length) < 0.11, `${size(analysis)} is not ${dimensions}`);
      }
    });
  }

  it('are subtracted from a round body: a napkin ring', async () => {
    // The remainder of a sphere around a hole of this length is π·length³/6, whatever its radius.
    const rings = 96;
    const around = 192;
    const at = (radius: number, angle: number, z: number) => [radius * Math.cos(angle), radius * Math.sin(angle), z];
    const vertices = Array.from({ length: rings - 1 }, (_, ring) => {
      const polar = (Math.PI * (ring + 1)) / rings;
      return Array.from({ length: around }, (__, i) =>
        at(10 * Math.sin(polar), (2 * Math.PI * i) / around, 10 * Math.cos(polar)),
      );
    }).flat();
    const triangles: number[][] = [];
    const [top, bottom] = [vertices.length, vertices.length + 1];
    for (let i = 0; i < around; i++) {
      const next = (i + 1) % around;
      const last = (rings - 2) * around;
      triangles.push([top, i, next], [bottom, last + next, last + i]);
      for (let row = 0; row < last; row += around) {
        triangles.push([row + i, row + around + i, row + around + next], [row + i, row + around + next, row + next]);
      }
    }
    vertices.push([0, 0, 10], [0, 0, -10]);
    const hole = prism(
      Array.from({ length: around }, (_, i) => {
        const angle = (2 * Math.PI * i) / around;
        return [6 * Math.cos(angle), 6 * Math.sin(angle)] as const;
      }),
      -20,
      20,
    );
    const analysis = await analyse(prusaEntries([part({ vertices, triangles }), negative(hole)]));
    close(analysis.volumeMm3, (Math.PI * 16 ** 3) / 6, 3e-3); // facets lie inside the circle
    assert.ok(Math.abs(analysis.dimensions.z - 16) < 0.4, `${analysis.dimensions.z}`);
  });

  it('subtract from their own object only', async () => {
    const analysis = await analyse(
      bambuEntries([
        {
          parts: [
            { mesh: cube20, type: 'normal_part' },
            { mesh: box([5, 5, -1], [100, 15, 30]), type: 'negative_part' },
          ],
          instances: [{ at: [0, 0, 0] }],
        },
        { parts: [{ mesh: cube20, type: 'normal_part' }], instances: [{ at: [30, 0, 0] }] },
      ]),
    );
    close(analysis.volumeMm3, 8000 - 15 * 10 * 20 + 8000);
    assert.deepEqual(size(analysis), [50, 20, 20]);
  });

  it('are rejected if they leave nothing', async () => {
    await assert.rejects(
      analyse(prusaEntries([part(cube20), negative(box([-1, -1, -1], [21, 21, 21]))])),
      (error) => error instanceof UnreadableFileError && /leave nothing/.test(error.reason),
    );
  });
});

describe('features that a project requests and does not get', () => {
  it('are reported: its settings, its paint, its filaments', async () => {
    const entries: Record<string, string | Buffer> = prusaEntries(
      [
        part(cube20, { extruder: '1' }),
        part(box([30, 0, 0], [40, 10, 10]), { extruder: '2', fill_density: '50%' }),
        { mesh: column, type: 'ParameterModifier', settings: { fill_density: '80%', infill_speed: '20' } },
      ],
      { painted: 'slic3rpe:mmu_segmentation="4" slic3rpe:custom_supports="8"' },
    );
    entries['Metadata/Slic3r_PE.config'] =
      '; layer_height = 0.1\n; fill_density = 40%\n; perimeters = 4\n; support_material = 1\n; brim_width = 5\n';
    const { project, warnings } = await analyse(entries);
    assert.deepEqual(project?.ignored, [
      "The project's own print settings (layer height 0.1 mm, 40 % infill, 4 walls, supports, brim 5 mm) are not used; ask for them in print_settings.",
      'Settings of single objects or parts (fill_density) are not used; ask for them in print_settings.',
      'Settings of its modifiers (infill_speed) are not used.',
      'Its parts are assigned to 2 filaments; all of it is printed in the filament of the job.',
      'The painted colours are not printed; all of it is printed in the filament of the job.',
      'The painted supports are not used; ask for supports in print_settings.',
    ]);
    assert.deepEqual(warnings, project?.ignored);
  });

  it('are reported for projects of Bambu Studio too', async () => {
    const entries: Record<string, string | Buffer> = bambuEntries([
      {
        parts: [{ mesh: cube20, type: 'normal_part' }],
        settings: { extruder: '1', sparse_infill_density: '30%' },
        instances: [{ at: [0, 0, 0] }],
      },
      {
        parts: [{ mesh: cube20, type: 'normal_part' }],
        settings: { extruder: '3' },
        instances: [{ at: [30, 0, 0] }],
      },
    ]);
    entries['Metadata/project_settings.config'] = JSON.stringify({
      layer_height: '0.28',
      sparse_infill_density: '15%',
      wall_loops: '2',
      enable_support: '1',
      brim_type: 'auto_brim',
      brim_width: '5',
    });
    entries['Metadata/custom_gcode_per_layer.xml'] = '<custom><plate><layer top_z="2" type="2"/></plate></custom>';
    const { project } = await analyse(entries);
    assert.deepEqual(project?.ignored, [
      "The project's own print settings (layer height 0.28 mm, 15 % infill, 2 walls, supports) are not used; ask for them in print_settings.",
      "The project's settings, colour changes and pauses for single layers are not used.",
      'Settings of single objects or parts (fill_density) are not used; ask for them in print_settings.',
      'Its parts are assigned to 2 filaments; all of it is printed in the filament of the job.',
    ]);
  });
});

describe('projects of several plates', () => {
  const small = box([0, 0, 0], [10, 10, 5]);
  const entries = () => {
    const all: Record<string, string | Buffer> = bambuEntries(
      [
        {
          parts: [{ mesh: cube20, type: 'normal_part' }],
          instances: [
            { at: [0, 0, 0], plate: 1 },
            { at: [400, 0, 0], plate: 3 },
            { at: [430, 0, 0], plate: 3, printable: false },
          ],
        },
        { parts: [{ mesh: small, type: 'normal_part' }], instances: [{ at: [450, 0, 0], plate: 3 }] },
        { parts: [{ mesh: small, type: 'normal_part' }], instances: [{ at: [-900, 0, 0] }] },
      ],
      { 1: 'Cube', 2: 'Empty', 3: '' },
    );
    all['Metadata/plate_3.png'] = PNG.sync.write(new PNG({ width: 4, height: 4 }));
    return all;
  };

  it('list each plate that holds something', async () => {
    const analysis = await analyse(entries());
    assert.equal(analysis.plate, 1);
    assert.deepEqual(
      analysis.plates?.map((plate) => [plate.plate, plate.name, size(plate), plate.volumeMm3, plate.picture]),
      [
        [1, 'Cube', [20, 20, 20], 8000, null],
        [3, null, [60, 20, 20], 8500, 'Metadata/plate_3.png'],
      ],
    );
    assert.match(analysis.warnings.join('\n'), /One part lies beside every plate/);
    const chosen = plateOf(analysis, 3);
    assert.deepEqual(size(chosen), [60, 20, 20]);
    assert.equal(chosen.project?.by, 'bambu');
    assert.equal(plateOf(analysis, 'cube').plate, 1);
  });

  it('return the triangles of the named plate, and reject a request without a name', async () => {
    const path = await writeProject(join(directory, `${count++}.3mf`), entries());
    const triangles = async (plate?: number) => {
      let taken = 0;
      await forEachTriangle(path, { take: (_, number) => (taken += number) }, plate);
      return taken;
    };
    assert.equal(await triangles(1), 12);
    assert.equal(await triangles(3), 24);
    await assert.rejects(triangles(2), /nothing on plate 2/);
    await assert.rejects(triangles(), /parts on 2 plates/);
  });
});
