import assert from 'node:assert/strict';
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Farm } from '../../lib/farm/farm';
import { previewJob } from '../../lib/jobs/preview';
import { submitJob } from '../../lib/jobs/submit';
import { UnacceptableInputError } from '../../lib/model/errors';
import { type StoredFile, storeFile } from '../../lib/shared-files/take-file';
import { fixture } from '../fixtures';
import { dropFarm, openBareFarm } from '../support/bare-farm';

/**
 * Files from the field: the result of submitting each in black PLA to the default farm. The table in
 * docs/slicing.md is made of these rows.
 */
interface Row {
  file: string;
  what: string;
  /** The printers that can print it; empty: it is rejected. */
  fits: string[];
  /** The reason for the rejection, or the warning. */
  reason?: RegExp;
  accept_unknown_machine?: boolean;
  /** mm, and mm³ of a model; not compared where absent. */
  dimensions?: [number, number, number];
  volume?: [value: number, tolerance: number];
}

const all = ['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan'];

const rows: Row[] = [
  {
    file: 'h2d-two-lines.gcode',
    what: '`M201.2` and `M500` of the public H2D profile, with a line at x 10 where the right nozzle does not reach',
    fits: [],
    reason: /^(?!.*changes the machine itself[^.]*H2D).*extrudes outside of the build volume of Bambu Lab H2D/,
    accept_unknown_machine: true,
  },
  { file: 'abs-as-pla.gcode', what: 'names ABS', fits: [], reason: /sliced for ABS; .* is PLA/ },
  { file: 'petg-as-pla.gcode', what: 'names PETG', fits: [], reason: /sliced for PETG; .* is PLA/ },
  { file: 'petg-as-pla.gcode.3mf', what: 'a plate that names PETG', fits: [], reason: /sliced for PETG; .* is PLA/ },
  { file: 'twotool.gcode', what: 'T0 in PLA, T1 in PETG', fits: [], reason: /several filaments: 1 PLA.*, 2 PETG/ },
  { file: 'twocolour.gcode.3mf', what: 'a plate in two filaments', fits: [], reason: /several filaments/ },
  { file: 'nozzle08.gcode', what: 'sliced for a nozzle of 0.8 mm', fits: [], reason: /nozzle of 0\.8 mm/ },
  { file: 'p1s.gcode.3mf', what: 'sliced for a P1S', fits: [], reason: /sliced for C12/ },
  {
    file: 'left-side.gcode.3mf',
    what: 'for the left nozzle of an H2D whose AMS feeds the right one',
    fits: [],
    reason: /the left nozzle, which no slot/,
  },
  { file: 'right-side.gcode.3mf', what: 'for the right nozzle of an H2D', fits: ['bamboo_h2d'] },
  { file: 'plate2only.gcode.3mf', what: 'plate 2 alone', fits: ['bamboo_h2d'] },
  {
    file: 'r12_prusa_modifier.3mf',
    what: 'a cube of 20 mm with a modifier that is larger',
    fits: all,
    dimensions: [20, 20, 20],
    volume: [8000, 1],
  },
  {
    file: 'r12b_prusa_negative.3mf',
    what: 'a cube of 20 mm with a negative volume',
    fits: all,
    dimensions: [20, 20, 20],
    volume: [6000, 30],
  },
  {
    file: 'r13_bambu_negative_part_other.3mf',
    what: 'the same in a project of Bambu Studio',
    fits: all,
    volume: [6000, 30],
  },
  { file: 'r15_crc_flip.3mf', what: 'one byte changed', fits: [], reason: /CRC-32/ },
  {
    file: 'r07t_orca_truncated.gcode',
    what: 'OrcaSlicer, cut in the middle',
    fits: [],
    reason: /cut off/,
    accept_unknown_machine: true,
  },
  {
    file: 'r08t_cura_truncated.gcode',
    what: 'Cura, cut in the middle',
    fits: [],
    reason: /cut off/,
    accept_unknown_machine: true,
  },
  {
    file: 'r16_prusa23.gcode',
    what: 'complete, PrusaSlicer 2.3',
    fits: ['elegoo_giga', 'snapmaker_artisan'],
    accept_unknown_machine: true,
  },
  {
    file: 'open_x.stl',
    what: 'a cube of 20 mm without one face',
    fits: all,
    reason: /not watertight/,
    volume: [5333.3, 1],
  },
  {
    file: 'open_1tri_at500.stl',
    what: 'the same without one triangle, far from the origin',
    fits: all,
    reason: /not watertight/,
    volume: [6666.7, 1],
  },
];

describe('Files from the field', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  after(() => dropFarm(farm));

  for (const row of rows) {
    it(`${row.file}: ${row.fits.length > 0 ? 'is accepted' : 'is refused'} (${row.what})`, async () => {
      const { stored, told } = await tryIt(row);
      if (row.fits.length === 0) {
        assert.ok(told instanceof UnacceptableInputError, `accepted: ${JSON.stringify(told)}`);
        const words = [told.message, ...told.errors.map(({ remedy }) => remedy)].join(' ');
        assert.match(words, row.reason ?? /./);
        return;
      }
      assert.ok(
        !(told instanceof Error),
        String(told instanceof UnacceptableInputError && JSON.stringify(told.errors)),
      );
      assert.deepEqual(told.fits, row.fits);
      if (row.reason) assert.match(told.warnings.join(' '), row.reason);
      assert.ok(stored);
      const { x, y, z } = stored.dimensions_mm;
      if (row.dimensions)
        assert.deepEqual(
          [x, y, z].map((edge) => Math.round(edge * 1000) / 1000),
          row.dimensions,
        );
      if (row.volume) {
        const [value, tolerance] = row.volume;
        assert.ok(Math.abs(stored.volume_mm3 - value) <= tolerance, `${stored.volume_mm3} mm³`);
        assert.ok(stored.volume_mm3 <= x * y * z + 1e-6);
      }
    });
  }

  it('are all tried, and are listed in docs/slicing.md', () => {
    const files = readdirSync(fixture('field', '.')).filter((name) => name !== 'README.md');
    assert.deepEqual(rows.map(({ file }) => file).sort(), files.sort());
    const text = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'slicing.md'), 'utf8');
    for (const { file } of rows) assert.ok(text.includes(`| \`${file}\` |`), `docs/slicing.md lacks ${file}`);
  });

  async function tryIt(
    row: Row,
  ): Promise<{ stored?: StoredFile; told: UnacceptableInputError | { fits: string[]; warnings: string[] } }> {
    const path = fixture('field', row.file);
    try {
      const stored = await storeFile(farm, createReadStream(path), row.file);
      const submission = {
        job_name: row.file,
        stl_path: stored.stl_path,
        material_id: 'pla_black_esun',
        ...(row.accept_unknown_machine && { accept_unknown_machine: true }),
      };
      const previewed = await previewJob(farm, submission).catch((error: unknown) => error);
      const submitted = await submitJob(farm, submission, 'test').catch((error: unknown) => error);
      // The preview must agree with the submission.
      assert.equal(previewed instanceof Error, submitted instanceof Error);
      if (submitted instanceof UnacceptableInputError) return { stored, told: submitted };
      if (submitted instanceof Error) throw submitted;
      const { printers, warnings } = previewed as Awaited<ReturnType<typeof previewJob>>;
      return {
        stored,
        told: { fits: printers.filter(({ fits }) => fits).map(({ printer_id }) => printer_id), warnings },
      };
    } catch (error) {
      if (error instanceof UnacceptableInputError) return { told: error };
      throw error;
    }
  }
});
