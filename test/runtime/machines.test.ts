import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { acceptIdentity, removePrinter } from '../../lib/beds/machines';
import { announcePrinter } from '../../lib/beds/register-printer';
import { cancelJob } from '../../lib/jobs/cancel';
import { clearBedOf } from '../../lib/jobs/changes';
import { answerOutcome } from '../../lib/jobs/outcome';
import { submitJob } from '../../lib/jobs/submit';
import { ConflictError } from '../../lib/model/errors';
import { printerId } from '../../lib/model/ids';
import { storeFile } from '../../lib/shared-files/take-file';
import { startSimulator } from '../../lib/simulators';
import { openAttempts } from '../../lib/store/attempts';
import { findPrinter } from '../../lib/store/printers';
import { jobDetail, printers } from '../../lib/views/queries';
import { setups } from '../../lib/views/setups';
import type { PrinterView } from '../../lib/views/shapes';
import { fixture } from '../fixtures';
import { SimulatedFarm } from '../support/simulated-farm';

const cube = 'models/20mm-xyz-cube.stl';

async function submit(farm: SimulatedFarm, more: Record<string, unknown> = {}): Promise<string> {
  const { stl_path } = await storeFile(farm.farm, createReadStream(fixture(cube)), 'cube.stl');
  const body = { job_name: 'cube', stl_path, material_id: 'pla_black_esun', ...more };
  return (await submitJob(farm.farm, body, 'test')).job_id;
}

const events = (farm: SimulatedFarm, id: string, event: string): number =>
  farm.truth(id).filter((line) => line.event === event).length;

/** The printer, as soon as the API shows this state. */
async function shown(farm: SimulatedFarm, id: string, wanted: (printer: PrinterView) => boolean): Promise<PrinterView> {
  for (;;) {
    const found = (await printers(farm.farm)).printers.find(({ printer_id }) => printer_id === id);
    if (found && wanted(found)) return found;
    await pause(20);
  }
}

describe('A bed that was cleared', () => {
  let farm: SimulatedFarm;
  afterEach(() => farm.stop());

  for (const id of ['elegoo_giga', 'snapmaker_artisan', 'bamboo_h2d']) {
    it(`counts as occupied if the same file was printed again on ${id} unobserved`, async () => {
      farm = await new SimulatedFarm({ printers: [id], speed: 2000 }).start();
      await farm.online();
      const simulator = farm.simulators.get(id);
      const printed = async (): Promise<void> => {
        simulator?.startForeignJob('vase', 20);
        do await pause(20);
        while (simulator?.state()['printing'] !== null);
      };
      await printed();
      const { bed } = await shown(farm, id, (one) => one.bed.state === 'occupied' && one.state === 'idle');
      assert.equal(bed.cause, 'foreign');
      simulator?.clearPlate();
      await clearBedOf(farm.farm, id, { bed_version: bed.version }, 'operator');
      await farm.stopFarm();
      await printed();
      await farm.startFarm();
      const now = await shown(farm, id, ({ online, state }) => online && state === 'idle');
      assert.equal(now.bed.state, 'occupied');
      const job = await submit(farm);
      farm.schedule();
      assert.match(String((await jobDetail(farm.farm, job)).waiting_reason), /bed/);
      assert.equal(events(farm, id, 'start'), 0);
    });
  }

  it('stays clear if the history proves that nothing was printed in the meantime', async () => {
    farm = await new SimulatedFarm({ printers: ['elegoo_giga'], speed: 2000 }).start();
    await farm.online();
    await farm.until(await submit(farm), 'completed');
    const { bed } = await shown(farm, 'elegoo_giga', (one) => one.bed.state === 'occupied' && one.state === 'idle');
    await clearBedOf(farm.farm, 'elegoo_giga', { bed_version: bed.version }, 'operator');
    await farm.stopFarm();
    await farm.startFarm();
    const now = await shown(farm, 'elegoo_giga', ({ online, state }) => online && state === 'idle');
    assert.equal(now.bed.state, 'clear');
  });
});

describe('Two printers that swap their addresses', () => {
  let farm: SimulatedFarm;
  const two = 'giga_two';
  before(async () => {
    farm = await new SimulatedFarm({ printers: ['elegoo_giga'], speed: 500 }).start();
    const { capabilities } = await findPrinter(farm.farm.database, 'elegoo_giga');
    const registration = { id: printerId(two), name: two, make: 'moonraker' as const, capabilities };
    await announcePrinter(farm.farm, { ...registration, slots: [{ slot: 'extruder', tool: 0 }] }, true);
    const dataDir = join(farm.directory, 'simulators', two);
    const loads = { extruder: 'pla_black_esun' };
    farm.simulators.set(two, await startSimulator('moonraker', { dataDir, speed: 500, operator: 'immediate', loads }));
    await farm.serve(two, 'moonraker');
  });
  after(() => farm.stop());

  const exchange = async (): Promise<void> => {
    await farm.stopFarm();
    const [one, other] = ['elegoo_giga', two].map((id) => farm.simulators.get(id));
    assert.ok(one && other);
    farm.simulators.set('elegoo_giga', other).set(two, one);
    await farm.startFarm();
    await farm.serve(two, 'moonraker');
  };

  it('are identified by their ids from the first contact on', async () => {
    const [one, other] = [
      await shown(farm, 'elegoo_giga', ({ online }) => online),
      await shown(farm, two, ({ online }) => online),
    ];
    assert.equal(one.identity.status, 'verified');
    assert.notDeepEqual(one.identity.ids, other.identity.ids);
  });

  it('get no job and keep their beds until each is back, or accepted as the other', async () => {
    const before = await shown(farm, 'elegoo_giga', ({ online }) => online);
    await exchange();
    const wrong = await shown(farm, 'elegoo_giga', ({ state }) => state === 'wrong_machine');
    await shown(farm, two, ({ state }) => state === 'wrong_machine');
    assert.match(wrong.problem ?? '', /not elegoo_giga/);
    assert.deepEqual(wrong.bed, before.bed);
    const job = await submit(farm, { force_printer: 'elegoo_giga' });
    farm.schedule();
    assert.match(String((await jobDetail(farm.farm, job)).waiting_reason), /another machine/);
    await exchange();
    await farm.until(job, 'completed');
    // The simulators did not move, so the one of this name printed it.
    assert.deepEqual([events(farm, 'elegoo_giga', 'start'), events(farm, two, 'start')], [1, 0]);
    await exchange();
    const { identity } = await shown(farm, two, ({ state }) => state === 'wrong_machine');
    await assert.rejects(acceptIdentity(farm.farm, two, { found: { mcu: 'another' } }, 'operator'), ConflictError);
    await assert.rejects(acceptIdentity(farm.farm, two, { found: identity.found }, 'operator'), {
      code: 'machine_of_another',
    });
    await exchange();
    await shown(farm, two, ({ online }) => online);
  });

  it('are replaced only after an operator accepts it', async () => {
    await farm.stopFarm();
    const dataDir = join(farm.directory, 'simulators', 'replacement');
    const before = farm.simulators.get(two);
    farm.simulators.set(two, await startSimulator('moonraker', { dataDir, speed: 500, operator: 'immediate' }));
    await before?.close();
    await farm.startFarm();
    await farm.serve(two, 'moonraker');
    const { identity } = await shown(farm, two, ({ state }) => state === 'wrong_machine');
    await acceptIdentity(farm.farm, two, { found: identity.found }, 'operator');
    const accepted = await shown(farm, two, ({ online }) => online);
    assert.deepEqual(accepted.identity, { ids: identity.found, status: 'verified', found: null });
    assert.equal(accepted.bed.state, 'occupied');
  });
});

describe('A fault of the printer', () => {
  let farm: SimulatedFarm;
  beforeEach(async () => {
    farm = await new SimulatedFarm({ printers: ['bamboo_h2d'], speed: 500, times: { conditionSeconds: 1 } }).start();
    await farm.online();
  });
  afterEach(() => farm.stop());

  it('closes it, costs no job a retry, and ends by itself', async () => {
    const simulator = farm.simulators.get('bamboo_h2d');
    await simulator?.setFault('storage_missing', { on: true });
    const [first, second] = [await submit(farm), await submit(farm)];
    const closed = await shown(farm, 'bamboo_h2d', ({ state }) => state === 'needs_attention');
    assert.match(closed.problem ?? '', /storage|USB/i);
    assert.ok(closed.remedy && closed.since);
    for (const job of [first, second]) {
      const { retry_count, waiting_reason } = await farm.until(job, 'queued');
      assert.equal(retry_count, 0);
      assert.match(String(waiting_reason), /takes no job|storage|USB|before/i);
    }
    await simulator?.setFault('storage_missing', { on: false });
    await shown(farm, 'bamboo_h2d', ({ state }) => state === 'idle');
    await farm.until(first, 'completed');
    assert.equal((await jobDetail(farm.farm, first)).retry_count, 0);
  });
});

describe('A printer that is gone', () => {
  let farm: SimulatedFarm;
  const id = 'elegoo_giga';
  beforeEach(async () => {
    farm = await new SimulatedFarm({
      printers: [id],
      speed: 60,
      times: { startCommandSeconds: 1 },
    }).start();
    await farm.online();
  });
  afterEach(() => farm.stop());

  it('leaves every job a way out, and can be removed', async () => {
    const job = await submit(farm);
    const { attempts } = await farm.until(job, 'printing');
    const attempt = attempts.find(({ phase }) => phase !== 'ended')?.attempt_id ?? '';
    await assert.rejects(
      answerOutcome(farm.farm, attempt, { printed: false, machine_off: true }, 'operator'),
      /needs no answer/,
    );
    await farm.simulators.get(id)?.setFault('offline', { on: true });
    await shown(farm, id, ({ state }) => state === 'offline');
    const { startIntentAt } = (await openAttempts(farm.farm.database)).find((one) => one.id === attempt) ?? {};
    while (Date.now() - Date.parse(startIntentAt ?? '') < 1100) await pause(50);
    const { done } = await cancelJob(farm.farm, job, 'operator', { waitMs: 0 });
    assert.equal(done, false);
    await assert.rejects(removePrinter(farm.farm, id, 'operator'), /deployed/);
    await assert.rejects(answerOutcome(farm.farm, attempt, { printed: false }, 'operator'), {
      code: 'printer_unreachable',
    });
    await answerOutcome(farm.farm, attempt, { printed: false, machine_off: true }, 'operator');
    assert.equal((await jobDetail(farm.farm, job)).status, 'cancelled');
    const { bed } = await shown(farm, id, () => true);
    assert.deepEqual([bed.state, bed.cause], ['occupied', 'unknown']);
    await farm.stopAgents();
    await farm.farm.database.query("UPDATE printers SET seen_at = now() - interval '1 minute'");
    await removePrinter(farm.farm, id, 'operator');
    assert.ok(!(await printers(farm.farm)).printers.some(({ printer_id }) => printer_id === id));
  });
});

describe('A print that stands still', () => {
  let farm: SimulatedFarm;
  afterEach(() => farm.stop());

  it('is shown as paused everywhere, with the slot that ran out, until it continues', async () => {
    const id = 'bamboo_h2d';
    farm = await new SimulatedFarm({ printers: [id], speed: 120 }).start();
    await farm.online();
    const simulator = farm.simulators.get(id);
    await simulator?.setFault('runout', { on: true });
    const job = await submit(farm);
    const paused = await farm.until(job, ({ status_reason }) => /^paused:/.test(String(status_reason)));
    assert.equal(paused.status, 'printing');
    assert.match(String(paused.status_reason), /slot ams0-0 has run out/);
    const printer = await shown(farm, id, ({ problem }) => problem !== null);
    assert.equal(printer.state, 'paused');
    assert.match(printer.remedy ?? '', /ams0-0.*resume/);
    const [setup] = (await setups(farm.farm)).setups.filter(({ kind }) => kind === 'attend');
    assert.match(setup?.text ?? '', /run out/);
    const { rows } = await farm.farm.database.query(
      "SELECT body FROM outbox WHERE body ->> 'event' = 'attention' AND body ->> 'job_id' = $1",
      [job],
    );
    assert.equal(rows.length, 1);
    simulator?.load('ams0-0', 'pla_black_esun');
    simulator?.resumeAtScreen();
    await farm.until(job, 'completed');
    assert.equal((await shown(farm, id, ({ state }) => state === 'idle')).problem, null);
  });
});
