import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { type JobId, materialId } from '../../lib/model/ids';
import { addMaterial, changeMaterial, materials, removeMaterial } from '../../lib/stock/materials';
import { addSpool, changeSlot, changeSpool, removeSpool, spools } from '../../lib/stock/spools';
import { openAttemptOf } from '../../lib/store/attempts';
import { changeStatus, lockJob } from '../../lib/store/jobs';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import { bringAttemptTo } from '../support/stages';

const pla = 'pla_black_esun';
const petg = 'petg_black_esun';
const giga = 'elegoo_giga';

describe('Spools and materials', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  afterEach(() => dropFarm(farm));

  const spoolIn = async (printer: string): Promise<string> =>
    (await spools(farm)).spools.find((spool) => spool.printer_id === printer)?.spool_id ?? '';
  const listed = async (id: string): Promise<boolean> =>
    (await spools(farm)).spools.some((spool) => spool.spool_id === id);
  const startOnGiga = async (): Promise<void> => {
    const attempt = await openAttemptOf(farm.database, giga);
    await bringAttemptTo(farm.database, attempt?.id ?? '', 'printing');
  };
  /** A print of 100 g under way on the Giga, in a phase. */
  const printOnGiga = async (phase: 'dispatched' | 'printing'): Promise<JobId> => {
    const id = await addJob(farm, 'part', { estimatedGrams: 100, forcePrinter: giga as never });
    assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 1);
    if (phase === 'printing') {
      await startOnGiga();
    }
    return id;
  };

  it('correct a spool by its grams, or by its weight, upwards too', async () => {
    const { spool_id } = await addSpool(farm, { material_id: petg, grams: 1000 });
    assert.equal((await changeSpool(farm, spool_id, { grams_left: 431.5 })).grams_left, 431.5);
    assert.equal((await changeSpool(farm, spool_id, { gross_grams: 650, tare_grams: 245 })).grams_left, 405);
    const more = await changeSpool(farm, spool_id, { grams_left: 3000 });
    assert.deepEqual([more.grams_left, more.initial_grams], [3000, 3000]);
    assert.equal((await changeSpool(farm, spool_id, { grams_left: 0 })).initial_grams, 3000);
  });

  it('reject an invalid weight, each field with a remedy', async () => {
    const { spool_id } = await addSpool(farm, { material_id: petg, grams: 1000 });
    for (const body of [{}, { grams_left: -1 }, { gross_grams: 5 }, { tare_grams: 5 }, { grams: 5 }]) {
      await assert.rejects(changeSpool(farm, spool_id, body), { code: 'malformed_input' }, JSON.stringify(body));
    }
    const both = { grams_left: 5, gross_grams: 6, tare_grams: 1 };
    await assert.rejects(changeSpool(farm, spool_id, both), /does not match/);
    await assert.rejects(changeSpool(farm, spool_id, { gross_grams: 100, tare_grams: 245 }), {
      code: 'unacceptable_input',
      remedy: /at least 245 g/,
    });
    await assert.rejects(changeSpool(farm, 'nothing', { grams_left: 1 }), { code: 'not_found' });
  });

  it('report a spool that was corrected to a low amount, once', async () => {
    const { spool_id } = await addSpool(farm, { material_id: petg, grams: 1000 });
    await changeSpool(farm, spool_id, { grams_left: 20 });
    await changeSpool(farm, spool_id, { grams_left: 19 });
    const { rows } = await farm.database.query(
      `SELECT 1 FROM outbox WHERE body ->> 'event' = 'low_stock' AND body ->> 'spool_id' = $1`,
      [spool_id],
    );
    assert.equal(rows.length, 1);
  });

  it('accept no weight for a spool in use by a print, except its amount when the print began', async () => {
    await printOnGiga('dispatched');
    const id = await spoolIn(giga);
    assert.equal((await changeSpool(farm, id, { gross_grams: 1100, tare_grams: 200 })).grams_left, 900);
    await startOnGiga();
    await assert.rejects(changeSpool(farm, id, { gross_grams: 900, tare_grams: 200 }), {
      code: 'spool_in_use',
      remedy: /grams_left as it was when the print began/,
    });
    assert.equal((await changeSpool(farm, id, { grams_left: 880 })).grams_left, 880);
  });

  it('archive a spool: not in a slot, not in the list, not loadable; never one that a print uses', async () => {
    const job = await printOnGiga('printing');
    const used = await spoolIn(giga);
    await assert.rejects(removeSpool(farm, used), { code: 'spool_in_use' });
    await assert.rejects(changeSlot(farm, 'bamboo_h2d', 'ams0-1', { spool_id: used }), { code: 'spool_in_use' });
    assert.ok(await listed(used));
    const idle = await spoolIn('snapmaker_artisan');
    assert.deepEqual(await removeSpool(farm, idle), { spool_id: idle, archived: true });
    assert.equal(await listed(idle), false);
    assert.equal(await spoolIn('snapmaker_artisan'), '');
    await assert.rejects(changeSlot(farm, 'snapmaker_artisan', 'nozzle0', { spool_id: idle }), { code: 'not_found' });
    await assert.rejects(removeSpool(farm, idle), { code: 'not_found' });
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', outcome = 'completed', ended_at = now(), lease_until = NULL WHERE job_id = $1`,
      [job],
    );
    assert.equal((await removeSpool(farm, used)).archived, true);
  });

  it('unload a slot', async () => {
    const answer = await changeSlot(farm, giga, 'extruder', { spool_id: null });
    assert.deepEqual([answer.spool_id, answer.grams_left], [null, null]);
    assert.equal(await spoolIn(giga), '');
  });

  const silk = {
    material_id: 'pla_silk_gold',
    name: 'Silk gold',
    type: 'pla',
    colour: 'gold',
    colour_hex: '#d4af37',
    brand: 'eSUN',
    density_g_cm3: 1.25,
    usd_per_kg: 24.5,
    nozzle_temp: 215,
    bed_temp: 60,
  };

  it('add, change, archive and bring back a material', async () => {
    const added = await addMaterial(farm, silk);
    assert.deepEqual([added.type, added.colour_hex, added.diameter_mm, added.grams_left], ['PLA', 'D4AF37', 1.75, 0]);
    await assert.rejects(addMaterial(farm, silk), { code: 'material_exists' });
    assert.equal((await changeMaterial(farm, silk.material_id, { usd_per_kg: 19 })).usd_per_kg, 19);
    assert.deepEqual(await removeMaterial(farm, silk.material_id), { material_id: silk.material_id, archived: true });
    const names = async () => (await materials(farm)).materials.map(({ material_id }) => material_id);
    assert.ok(!(await names()).includes(silk.material_id));
    await assert.rejects(addSpool(farm, { material_id: silk.material_id, grams: 5 }), { code: 'unacceptable_input' });
    await assert.rejects(changeMaterial(farm, silk.material_id, { usd_per_kg: 1 }), { code: 'not_found' });
    assert.equal((await addMaterial(farm, silk)).usd_per_kg, 24.5);
    assert.ok((await names()).includes(silk.material_id));
  });

  it('keep a material while open jobs or slots use it', async () => {
    await assert.rejects(removeMaterial(farm, pla), { code: 'material_in_use', message: /3 slots/ });
    const job = await addJob(farm, 'part', { materialId: materialId(petg), hold: true });
    await assert.rejects(removeMaterial(farm, petg), { code: 'material_in_use', message: /1 open job/ });
    await farm.database.transaction(async (tx) =>
      changeStatus(tx, await lockJob(tx, job), 'cancelled', { reason: null, actor: 'test' }),
    );
    assert.equal((await removeMaterial(farm, petg)).archived, true);
  });

  it('reject a material that could not be printed, and name each field', async () => {
    for (const [field, value] of [
      ['material_id', 'Two words'],
      ['colour_hex', 'gold'],
      ['density_g_cm3', 0],
      ['nozzle_temp', 20],
    ] as const) {
      await assert.rejects(addMaterial(farm, { ...silk, [field]: value }), (error: { errors: { field: string }[] }) => {
        assert.deepEqual(
          error.errors.map((one) => one.field),
          [field],
        );
        return true;
      });
    }
  });
});
