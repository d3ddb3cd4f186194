import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { JobView } from '../../lib/views/queries';
import { writeBox } from '../support/models';
import { RealFarm } from '../support/real-farm';
import { embeddedPostgres, rabbitMq } from '../support/servers';
import { defaultPrinters } from '../support/simulated-farm';

const path = ['queued', 'scheduled', 'slicing', 'uploading', 'printing', 'completed'];
const over = (job: JobView): boolean => ['completed', 'failed', 'cancelled'].includes(String(job['status']));
const cube = join('test', 'fixtures', 'models', '20mm-xyz-cube.stl');

interface Printers {
  printers: { printer_id: string; bed: { state: string; version: number }; slots: { grams_left: number | null }[] }[];
}

/** One STL, three jobs, each forced to a different printer; checks the final state of each. */
async function threeJobs(farm: RealFarm): Promise<void> {
  const model = await farm.upload(cube);
  const jobs = new Map<string, string>();
  for (const { id } of defaultPrinters) {
    const job = { job_name: `cube on ${id}`, stl_path: model, material_id: 'pla_black_esun', force_printer: id };
    jobs.set(id, await farm.submit(job));
  }
  for (const [printer, id] of jobs) {
    const job = await farm.until(id, over, 120_000);
    assert.deepEqual(
      job.history.map((line) => line.to_status),
      path,
      JSON.stringify(job.history),
    );
    for (const line of job.history) assert.ok(line.changed_at && line.changed_by && line.reason, JSON.stringify(line));
    const truth = farm.truth(printer);
    const sent = createHash('sha256')
      .update(readFileSync(String(job['gcode_path'])))
      .digest('hex');
    assert.equal(truth.find((line) => line.event === 'upload')?.sha256, sent, 'byte-identical at the printer');
    assert.equal(truth.filter((line) => line.event === 'start').length, 1);
    assert.equal(job.attempts[0]?.outcome, 'completed');
    assert.equal(job['material_id'], 'pla_black_esun');
    const finished = truth.find((line) => line.event === 'finished');
    assert.deepEqual(
      finished?.tools?.map(({ tool, material }) => [tool, material]),
      [[0, 'pla_black_esun']],
    );
    assert.ok(Number(job['actual_duration_hours']) > 0.05, String(job['actual_duration_hours']));
    assert.ok(Number(job['actual_cost_usd']) > 0);
    assert.ok(job['outcome_id']);
  }
}

describe('npm start', () => {
  let farm: RealFarm;
  beforeEach(() => {
    farm = new RealFarm();
  });
  afterEach(async () => {
    await farm.kill9();
  });

  it('prints a real STL on each of three printers from upload to completion, and keeps the bed gate across a restart', async () => {
    await farm.start({ SIM_SPEED: '240' });
    await threeJobs(farm);

    const printer = 'elegoo_giga';
    const second = await farm.submit({
      job_name: 'second',
      stl_path: await farm.upload(cube),
      material_id: 'pla_black_esun',
      force_printer: printer,
    });
    const waiting = await farm.until(second, (job) => job.waiting_reason !== null);
    assert.match(String(waiting.waiting_reason), /must be cleared/);
    assert.deepEqual(await farm.stop(), { code: 0, signal: null });

    await farm.start();
    const still = await farm.until(second, (job) => job.waiting_reason !== null);
    assert.equal(still['status'], 'queued');
    const { body } = await farm.api<Printers>('/printers');
    const bed = body.printers.find((one) => one.printer_id === printer)?.bed;
    assert.equal(bed?.state, 'occupied');
    const clear = (version: number) =>
      farm.api(`/printers/${printer}/bed/clear`, { method: 'POST', json: { bed_version: version } });
    assert.equal((await clear((bed?.version ?? 0) - 1)).status, 409);
    assert.equal((await clear(bed?.version ?? 0)).status, 200);
    assert.equal((await farm.until(second, over))['status'], 'completed');
    assert.equal(farm.truth(printer).filter((line) => line.event === 'start').length, 2);
    assert.deepEqual(await farm.stop(), { code: 0, signal: null });
  });

  for (const { name, kill } of [
    { name: 'Node-RED', kill: (one: RealFarm) => one.killNodeRed() },
    { name: 'everything', kill: (one: RealFarm) => one.kill9() },
  ]) {
    it(`kill -9 of ${name} during three prints: they are adopted, complete, and were started once`, async () => {
      await farm.start({ SIM_SPEED: '120' });
      const model = await farm.upload(writeBox(join(farm.data, 'box.stl'), 30, 30, 25));
      const ids: string[] = [];
      for (const { id } of defaultPrinters) {
        ids.push(
          await farm.submit({ job_name: id, stl_path: model, material_id: 'pla_black_esun', force_printer: id }),
        );
      }
      for (const id of ids) await farm.until(id, (job) => job['status'] === 'printing');
      await kill(farm);
      await farm.start();
      for (const id of ids) {
        const job = await farm.until(id, over, 120_000);
        assert.deepEqual(
          job.history.map((line) => line.to_status),
          path,
          JSON.stringify(job.history),
        );
        assert.equal(job.attempts.length, 1);
      }
      for (const { id } of defaultPrinters) {
        assert.equal(farm.truth(id).filter((line) => line.event === 'start').length, 1);
        assert.equal(farm.truth(id).filter((line) => line.event === 'started').length, 1);
      }
      assert.deepEqual(await farm.stop(), { code: 0, signal: null });
    });
  }

  it('loads filament where it is booked, and prints with the nozzle that it feeds', async () => {
    await farm.start({ SIM_SPEED: '240' });
    const material = 'pla_red_esun';
    const spool = await farm.api('/spools', { method: 'POST', json: { material_id: material, grams: 500 } });
    const json = { spool_id: spool.body['spool_id'] };
    const put = await farm.api('/printers/snapmaker_artisan/slots/nozzle1', { method: 'PUT', json });
    assert.equal(put.status, 200);
    await farm.untilLoaded('snapmaker_artisan', 'nozzle1', material);
    const job = { job_name: 'red cube', stl_path: await farm.upload(cube), material_id: material };
    const printed = await farm.until(await farm.submit(job), over, 120_000);
    assert.equal(printed['status'], 'completed', JSON.stringify(printed.history));
    const finished = farm.truth('snapmaker_artisan').findLast((line) => line.event === 'finished');
    assert.deepEqual(
      finished?.tools?.map((used) => [used.tool, used.material]),
      [[1, material]],
    );
  });

  it('refuses to start on data that another instance uses', async () => {
    await farm.start();
    const other = new RealFarm(farm.data);
    await other.launch();
    await assert.rejects(other.waitReady(), /Another Platewise runs on/);
  });

  it('does the same with external servers: PostgreSQL by DATABASE_URL, RabbitMQ by AMQP_URL', async function () {
    const broker = await rabbitMq();
    if ('skip' in broker) {
      console.log(`      skipped: ${broker.skip}`);
      this.skip();
    }
    const { url, drop } = await ownDatabase();
    try {
      await farm.start({ SIM_SPEED: '240', DATABASE_URL: url, AMQP_URL: broker.url });
      await threeJobs(farm);
      assert.deepEqual(await farm.stop(), { code: 0, signal: null });
    } finally {
      await farm.kill9();
      await drop();
    }
  });
});

/** A separate database on the server of DATABASE_URL, or on the one that the tests run. */
async function ownDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const given = process.env['DATABASE_URL'];
  const name = `platewise_${randomUUID().replaceAll('-', '')}`;
  let url: string;
  if (given) {
    const parsed = new URL(given);
    parsed.pathname = `/${name}`;
    url = parsed.toString();
  } else {
    const { user, host } = await embeddedPostgres();
    url = `postgres://${user}@localhost/${name}?host=${encodeURIComponent(String(host))}`;
  }
  const admin = new Client(given ? { connectionString: given } : await embeddedPostgres());
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  return {
    url,
    drop: async () => {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
