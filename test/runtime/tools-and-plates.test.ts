import assert from 'node:assert/strict';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearBedOf } from '../../lib/jobs/changes';
import { submitJob } from '../../lib/jobs/submit';
import { UnacceptableInputError } from '../../lib/model/errors';
import { storeFile } from '../../lib/shared-files/take-file';
import { fixture } from '../fixtures';
import { h2dArchive } from '../support/h2d-plates';
import { writeBox } from '../support/models';
import { SimulatedFarm, type TruthLine } from '../support/simulated-farm';

const terminal = ['completed', 'failed', 'cancelled'];

/** Runs a job to its end and returns the printer's record of the extruded filament. */
async function printed(
  farm: SimulatedFarm,
  path: string,
  submission: Record<string, unknown>,
): Promise<{ job: Record<string, unknown>; finished: TruthLine | undefined }> {
  const stored = await storeFile(farm.farm, createReadStream(path), path);
  const body = { job_name: 'part', stl_path: stored.stl_path, material_id: 'pla_black_esun', ...submission };
  const { job_id } = await submitJob(farm.farm, body, 'test');
  const job = await farm.until(job_id, (one) => terminal.includes(String(one['status'])));
  assert.equal(job['status'], 'completed', String(job['status_reason']));
  const [printer = { id: '' }] = farm.printers;
  await clearBedOf(farm.farm, printer.id, {}, 'operator');
  const finished = farm.truth(printer.id).filter(({ event }) => event === 'finished');
  return { job, finished: finished.at(-1) };
}

describe('What comes out of which nozzle', () => {
  let farm: SimulatedFarm;
  const on = async (printer: string): Promise<void> => {
    farm = await new SimulatedFarm({ printers: [printer], speed: 2000 }).start();
    await farm.online();
  };
  afterEach(() => farm.stop());

  it('of an Artisan is the white PLA of its second nozzle, for a model and for a file with T1', async () => {
    await on('snapmaker_artisan');
    const model = writeBox(join(farm.directory, 'box.stl'), 10, 10, 10);
    const first = await printed(farm, model, { material_id: 'pla_white_esun' });
    assert.deepEqual(
      first.finished?.tools?.map(({ tool, material }) => [tool, material]),
      [[1, 'pla_white_esun']],
    );
    const { rows } = await farm.farm.database.query<{ grams: number; material_id: string }>(
      'SELECT d.grams, s.material_id FROM spool_deductions d JOIN spools s ON s.id = d.spool_id',
    );
    assert.deepEqual(
      rows.map((row) => row.material_id),
      ['pla_white_esun'],
    );
    const recorded = rows[0]?.grams ?? 0;
    const really = first.finished?.tools?.[0]?.grams ?? 0;
    assert.ok(Math.abs(recorded - really) < 0.05 * really, `${recorded} g recorded, ${really} g came out`);
    const text = readFileSync(fixture('models', 'self-prusaslicer250-cube20-artisan.gcode'), 'utf8');
    const second = join(farm.directory, 'second.gcode');
    writeFileSync(second, text.replace(/^M104 S/m, 'T1\nM104 S').replace(/^(M10[49]) S/gm, '$1 T1 S'));
    const file = await printed(farm, second, { material_id: 'pla_white_esun' });
    assert.deepEqual(
      file.finished?.tools?.map(({ tool, material }) => [tool, material]),
      [[1, 'pla_white_esun']],
    );
    const stored = await storeFile(farm.farm, createReadStream(second), second);
    const black = await submitJob(
      farm.farm,
      { job_name: 'black', stl_path: stored.stl_path, material_id: 'pla_black_esun' },
      'test',
    );
    assert.match(black.waiting_reason ?? '', /but the file prints with nozzle 1/);
  });

  it('of an H2D is the filament of its slot, for each plate of a file with the start and end code of its maker', async () => {
    await on('bamboo_h2d');
    const plates = await h2dArchive([
      { plate: 1, edge: 8 },
      { plate: 2, edge: 6 },
      { plate: 3, edge: 5, filaments: [{ filament: 2, type: 'PETG', colourHex: '151515', side: 'right' }] },
    ]);
    const three = join(farm.directory, 'three.gcode.3mf');
    writeFileSync(three, plates);
    const stored = await storeFile(farm.farm, createReadStream(three), three);
    assert.deepEqual(
      stored.plates?.map(({ plate }) => plate),
      [1, 2, 3],
    );
    const submission = { job_name: 'plates', stl_path: stored.stl_path, material_id: 'pla_black_esun' };
    await assert.rejects(submitJob(farm.farm, submission, 'test'), (error) => {
      assert.ok(error instanceof UnacceptableInputError);
      assert.deepEqual(
        error.errors.map(({ field, remedy }) => [field, remedy]),
        [['plate', 'Name one of them as plate: 1, 2, 3.']],
      );
      return true;
    });
    const second = await printed(farm, three, { plate: 2 });
    assert.deepEqual(
      second.finished?.tools?.map(({ tool, material }) => [tool, material]),
      [[0, 'pla_black_esun']],
    );
    const third = await printed(farm, three, { plate: 3, material_id: 'petg_black_esun' });
    assert.deepEqual(
      third.finished?.tools?.map(({ tool, material }) => [tool, material]),
      [[0, 'petg_black_esun']],
    );
    const alone = join(farm.directory, 'alone.gcode.3mf');
    writeFileSync(alone, await h2dArchive([{ plate: 2, edge: 6 }]));
    const one = await printed(farm, alone, {});
    assert.equal((one.job['attempts'] as { outcome: string }[])[0]?.outcome, 'completed');
  });
});
