import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closePrinter } from '../../lib/beds/closures';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { type JobId, jobId, materialId, printerId } from '../../lib/model/ids';
import { planMessage, plannedNow } from '../../lib/schedule/plan';
import type { NewJob } from '../../lib/store/jobs';
import { insertSpool } from '../../lib/store/materials';
import { jobDetail, queue } from '../../lib/views/queries';
import { setupDone, setups } from '../../lib/views/setups';
import { whatIf } from '../../lib/views/what-if';
import { whyJob, whyPrinter } from '../../lib/views/why';
import { addJob as addJobTo, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import { bringJobTo } from '../support/stages';

const h2d = printerId('bamboo_h2d');
const giga = printerId('elegoo_giga');

describe('A farm with operator hours', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm({ operator: { timeZone: 'UTC', begin: 0, end: 0 } });
    await makeReady(farm);
  });
  afterEach(async () => {
    await dropFarm(farm);
  });

  const addJob = (name: string, more: Partial<NewJob> = {}, edge = 10): Promise<JobId> => {
    const dimensions = { x: edge, y: edge, z: 10 };
    const model = { sha256: '0'.repeat(64), kind: 'stl' as const, dimensions, volumeMm3: 1000 };
    return addJobTo(farm, name, { model, ...more });
  };

  it('plans everything with times, a value and a bound, and starts the ready jobs', async () => {
    const ids = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => addJob(name)));
    const message = planMessage(await plannedNow(farm));
    assert.deepEqual(new Set(message.lines.map((line) => line.job_id)), new Set<string>(ids));
    assert.ok(message.lines.every((line) => line.start !== null && line.end !== null));
    assert.ok(message.value && message.value.lower_bound <= message.value.cost && message.value.gap < 1);
    const { assignments } = await tick(farm, undefined, 'scheduler');
    assert.equal(assignments.length, message.lines.filter((line) => line.ready).length);
    assert.ok(assignments.length >= 1);
    const { jobs } = await queue(farm, { status: 'queued' });
    for (const job of jobs) assert.ok(job.estimated_start_time && job.queue_position, JSON.stringify(job));
  });

  it('yields to the event loop while it plans', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => addJob(`job ${index}`)));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await plannedNow(farm);
    clearInterval(timer);
    assert.ok(turns >= 3, `only ${turns} turns`);
  });

  it('lists setups that an operator can work through, each with its spool, and accepts them as done', async () => {
    const spool = await farm.database.transaction((tx) =>
      insertSpool(tx, { materialId: 'petg_black_esun', grams: 800, label: null }),
    );
    await addJob('petg', { materialId: materialId('petg_black_esun'), forcePrinter: giga, estimatedGrams: 620 });
    const [setup, ...others] = (await setups(farm)).setups;
    assert.deepEqual(others, []);
    assert.equal(setup?.id, 'elegoo_giga:extruder:petg_black_esun');
    assert.equal(setup.spool_id, spool.id);
    assert.equal(setup.take_out, 'pla_black_esun');
    assert.equal(setup.grams_needed, 620);
    assert.match((await whyPrinter(farm, giga)).because, /waits for the operator/);
    await setupDone(farm, setup.id, {}, 'operator');
    assert.deepEqual((await setups(farm)).setups, []);
    await assert.rejects(setupDone(farm, setup.id, {}, 'operator'), { code: 'not_found' });
    assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 1);
  });

  it('requires the version of the bed to mark it cleared, if configured', async () => {
    await farm.database.query(
      "UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown' WHERE id = 'elegoo_giga'",
    );
    const [setup] = (await setups(farm)).setups.filter(({ kind }) => kind === 'clear_bed');
    assert.ok(setup && setup.bed_version !== null);
    await assert.rejects(setupDone(farm, setup.id, {}, 'operator', true), /version of the bed/);
    await assert.rejects(setupDone(farm, setup.id, { bed_version: setup.bed_version + 1 }, 'operator', true), {
      code: 'stale_bed_version',
    });
    await setupDone(farm, setup.id, { bed_version: setup.bed_version }, 'operator', true);
    assert.ok(!(await setups(farm)).setups.some(({ id }) => id === setup.id));
  });

  it('promises a spool to one place only', async () => {
    await farm.database.transaction((tx) =>
      insertSpool(tx, { materialId: 'petg_black_esun', grams: 800, label: null }),
    );
    const petg = materialId('petg_black_esun');
    const ids = [
      await addJob('one', { materialId: petg, forcePrinter: giga, estimatedGrams: 500 }),
      await addJob('two', { materialId: petg, forcePrinter: h2d, estimatedGrams: 500 }),
    ];
    const list = (await setups(farm)).setups;
    assert.equal(list.length, 2);
    assert.equal(list.filter((setup) => setup.spool_id !== null).length, 1);
    const unstocked = list.find((setup) => setup.spool_id === null);
    assert.match(unstocked?.text ?? '', /no spool of petg_black_esun with 500 g is in stock/);
    const left = unstocked?.job_id ?? '';
    assert.ok(ids.some((id) => id === left));
    const why = await whyJob(farm, left);
    assert.match(why.because, /no spool of petg_black_esun with 500 g/);
    assert.match(why.would_help.join(), /add a spool of petg_black_esun with at least 500 g/);
  });

  it('gives the reasons: what does not fit, what waits for others, what took precedence', async () => {
    const first = await addJob('first', { forcePrinter: giga, priority: 1 });
    const second = await addJob('second', { forcePrinter: giga });
    const child = await addJob('child', { dependsOn: [first] });
    const why = await whyJob(farm, second);
    assert.match(why.because, new RegExp(`elegoo_giga was given to ${first} first, whose priority is 1`));
    assert.deepEqual(why.after, [first]);
    assert.match(
      why.printers.find((one) => one.printer_id === h2d)?.because ?? '',
      /not the printer that the job asks/,
    );
    assert.match((await whyJob(farm, child)).because, /depends on/);
    const { plan } = await plannedNow(farm);
    const at = (id: JobId) => plan.lines.find((line) => line.jobId === id);
    assert.ok(String(at(child)?.start) >= String(at(first)?.end), 'the child starts before its dependency has ended');
    await assert.rejects(whyJob(farm, jobId(randomUUID())), { code: 'not_found' });
  });

  it('prints a kit in one go, and reports when it is complete', async () => {
    const only = { forcePrinter: giga };
    const first = await addJob('foot', { ...only, kitId: 'lamp', priority: 1 });
    for (const name of ['a', 'b', 'c']) await addJob(name, only);
    const last = await addJob('shade', { ...only, kitId: 'lamp' });
    const { plan } = await plannedNow(farm);
    assert.deepEqual(
      plan.lines.slice(0, 2).map((line) => line.jobId),
      [first, last],
    );
    const { kit_id, kit } = await jobDetail(farm, first);
    assert.equal(kit_id, 'lamp');
    const end = plan.lines[1]?.end;
    assert.ok(end);
    const told = kit as { parts: number; completed: number; estimated_end_time: string };
    assert.deepEqual([told.parts, told.completed], [2, 0]);
    assert.ok(Math.abs(Date.parse(told.estimated_end_time) - Date.parse(end)) < 10_000, JSON.stringify(told));
    const { total_jobs, jobs } = await queue(farm, { kit_id: 'lamp' });
    assert.equal(total_jobs, 2);
    assert.deepEqual(
      jobs.map((job) => job.job_name),
      ['foot', 'shade'],
    );
    await bringJobTo(farm.database, first, 'completed');
    assert.equal(((await jobDetail(farm, last)).kit as { completed: number }).completed, 1);
  });

  it('answers a "what if", and changes nothing', async () => {
    const waiting = await addJob('waiting', {
      forcePrinter: giga,
      deadlineAt: new Date(Date.now() + 2 * 3_600_000).toISOString(),
    });
    const rush = {
      material_id: 'pla_black_esun',
      hours: 5,
      priority: 1,
      force_printer: 'elegoo_giga',
      deadline_at: new Date(Date.now() + 6.5 * 3_600_000).toISOString(),
    };
    const answer = await whatIf(farm, { jobs: [rush], printers_down: ['bamboo_h2d'] });
    assert.equal(answer.jobs.length, 1);
    assert.ok(answer.plan.lines.every((line) => line.printer_id !== 'bamboo_h2d'));
    assert.deepEqual(answer.plan.lines.map((line) => line.job_id).sort(), [waiting, 'what-if-1'].sort());
    const { plan } = await plannedNow(farm);
    assert.deepEqual(
      plan.lines.map((line) => line.jobId),
      [waiting],
    );
    await assert.rejects(whatIf(farm, { printers_down: ['nobody'] }), { code: 'unacceptable_input' });
    await assert.rejects(whatIf(farm, { jobs: [{ hours: 0 }] }), { code: 'malformed_input' });
  });

  it('keeps a printer free while it is closed', async () => {
    const until = new Date(Date.now() + 5 * 3_600_000).toISOString();
    await closePrinter(farm, giga, { from: new Date().toISOString(), until, reason: 'new nozzle' }, 'operator');
    const id = await addJob('large', {}, 600);
    const { plan } = await plannedNow(farm);
    assert.ok(String(plan.lines.find((line) => line.jobId === id)?.start) >= until);
    assert.match((await whyPrinter(farm, giga)).because, /new nozzle/);
    await assert.rejects(closePrinter(farm, giga, { from: until, until, reason: 'x' }, 'operator'), {
      code: 'unacceptable_input',
    });
  });
});
