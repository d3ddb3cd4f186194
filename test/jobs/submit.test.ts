import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { previewJob } from '../../lib/jobs/preview';
import { submitJob } from '../../lib/jobs/submit';
import { MalformedInputError, UnacceptableInputError } from '../../lib/model/errors';
import { StandingPlan } from '../../lib/schedule/standing-plan';
import { DatabaseUnavailableError } from '../../lib/store/database';
import { addDefaultFarm } from '../support/default-farm';
import { writeBox } from '../support/models';
import { SimulatedFarm } from '../support/simulated-farm';

describe('A submission', () => {
  let farm: SimulatedFarm;
  let box: string;
  before(async () => {
    farm = await new SimulatedFarm({ printers: [] }).start();
    await addDefaultFarm(farm.farm.database);
    box = writeBox(join(farm.directory, 'files', 'box.stl'), 20, 20, 20);
  });
  after(async () => {
    await farm.stop();
  });

  const submit = (more: Record<string, unknown>) => {
    const body = { job_name: 'box', stl_path: box, material_id: 'pla_black_esun', ...more };
    // As it arrives over the wire: undefined fields are missing.
    return submitJob(farm.farm, JSON.parse(JSON.stringify(body)), 'test');
  };
  const stored = async (): Promise<number> => {
    const { rows } = await farm.farm.database.query<{ count: number }>('SELECT count(*) FROM print_jobs');
    return rows[0]?.count ?? -1;
  };

  const malformed: [string, Record<string, unknown>, string][] = [
    ['without a name', { job_name: undefined }, 'job_name'],
    ['with an empty name', { job_name: '' }, 'job_name'],
    ['with a priority of 0', { priority: 0 }, 'priority'],
    ['with a priority of 11', { priority: 11 }, 'priority'],
    ['with a priority in words', { priority: 'high' }, 'priority'],
    ['with a deadline that is no time', { deadline_at: 'tomorrow' }, 'deadline_at'],
    ['with a setting that does not exist', { print_settings: { colour: 'red' } }, 'print_settings.colour'],
    ['with half a copy', { copies: 0.5 }, 'copies'],
    ['with a field that does not exist', { stl: 'x' }, 'stl'],
  ];
  for (const [what, more, field] of malformed) {
    it(`${what} is malformed, names ${field}, and stores nothing`, async () => {
      const before = await stored();
      await assert.rejects(submit(more), (error) => {
        assert.ok(error instanceof MalformedInputError, String(error));
        assert.equal(error.errors[0]?.field, field);
        assert.ok((error.errors[0]?.remedy.length ?? 0) > 5);
        return true;
      });
      assert.equal(await stored(), before);
    });
  }

  const unacceptable: [string, () => Record<string, unknown>, string][] = [
    ['with an unknown material', () => ({ material_id: 'unobtainium' }), 'material_id'],
    ['with a deadline in the past', () => ({ deadline_at: '2020-01-01T00:00:00Z' }), 'deadline_at'],
    ['with a file that does not exist', () => ({ stl_path: join(farm.directory, 'files', 'none.stl') }), 'stl_path'],
    ['with a file outside the permitted folders', () => ({ stl_path: '/etc/passwd' }), 'stl_path'],
    ['with a path that leaves the permitted folders', () => ({ stl_path: '../../../../../../etc/passwd' }), 'stl_path'],
    ['with an unreadable model', () => ({ stl_path: garbage() }), 'stl_path'],
    [
      'with a part that fits no printer',
      () => ({ stl_path: writeBox(join(farm.directory, 'files', 'huge.stl'), 900, 20, 20) }),
      'stl_path',
    ],
    [
      'with a printer that the part does not fit',
      () => ({
        stl_path: writeBox(join(farm.directory, 'files', 'tall.stl'), 20, 20, 500),
        force_printer: 'snapmaker_artisan',
      }),
      'force_printer',
    ],
    ['with a printer that does not exist', () => ({ force_printer: 'nobody' }), 'force_printer'],
    ['with a preference for a printer that does not exist', () => ({ prefer_printer: 'nobody' }), 'prefer_printer'],
    [
      'with a temperature that no printer reaches',
      () => ({ print_settings: { nozzle_temp: 480 } }),
      'print_settings.nozzle_temp',
    ],
    [
      'that depends on a job that does not exist',
      () => ({ depends_on: ['00000000-0000-4000-8000-000000000000'] }),
      'depends_on',
    ],
  ];
  const garbage = (): string => {
    const path = join(farm.directory, 'files', 'garbage.stl');
    writeFileSync(path, '<html>not found</html>');
    return path;
  };
  for (const [what, more, field] of unacceptable) {
    it(`${what} is rejected, names ${field}, and stores nothing`, async () => {
      const before = await stored();
      await assert.rejects(submit(more()), (error) => {
        assert.ok(error instanceof UnacceptableInputError, String(error));
        assert.equal(error.errors[0]?.field, field);
        assert.ok((error.errors[0]?.remedy.length ?? 0) > 5);
        return true;
      });
      assert.equal(await stored(), before);
    });
  }

  it('lists every invalid field at once', async () => {
    await assert.rejects(
      submit({ material_id: 'unobtainium', deadline_at: '2020-01-01T00:00:00Z', stl_path: '/nowhere.stl' }),
      (error) => {
        assert.ok(error instanceof UnacceptableInputError);
        assert.deepEqual(error.errors.map((one) => one.field).sort(), ['deadline_at', 'material_id', 'stl_path']);
        return true;
      },
    );
  });

  describe('to printers that were never connected', () => {
    const connect = (id: string, when: string) =>
      farm.farm.database.query(`UPDATE printers SET first_connected_at = ${when} WHERE id = $1`, [id]);
    afterEach(async () => {
      for (const id of ['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan']) await connect(id, 'now()');
    });

    it('is rejected with that reason, and stores nothing', async () => {
      await connect('elegoo_giga', 'NULL');
      const before = await stored();
      const large = writeBox(join(farm.directory, 'files', 'large.stl'), 700, 20, 20);
      for (const [more, field] of [
        [{ stl_path: large }, 'stl_path'],
        [{ force_printer: 'elegoo_giga' }, 'force_printer'],
      ] as const) {
        await assert.rejects(submit(more), (error) => {
          assert.ok(error instanceof UnacceptableInputError, String(error));
          assert.equal(error.code, 'never_connected');
          assert.equal(error.errors[0]?.field, field);
          assert.match(error.remedy, /Giga has never been connected/);
          return true;
        });
      }
      assert.equal(await stored(), before);
      await connect('elegoo_giga', 'now()');
      assert.equal((await submit({ stl_path: large })).status, 'queued', 'it is only offline');
    });

    it('is accepted if another printer accepts it, with the others as the reason', async () => {
      for (const id of ['elegoo_giga', 'snapmaker_artisan']) await connect(id, 'NULL');
      assert.equal((await submit({})).status, 'queued');
      const { printers } = await previewJob(farm.farm, {
        job_name: 'box',
        stl_path: box,
        material_id: 'pla_black_esun',
      });
      assert.deepEqual(
        printers.map(({ printer_id, fits, reasons }) => [printer_id, fits, reasons[0]?.code]),
        [
          ['bamboo_h2d', true, 'offline'],
          ['elegoo_giga', true, 'never_connected'],
          ['snapmaker_artisan', true, 'never_connected'],
        ],
      );
    });
  });

  it('is accepted with its place, its estimates and the reason for waiting', async () => {
    const answer = await submit({ priority: 3 });
    assert.equal(answer.status, 'queued');
    assert.ok((answer.queue_position ?? 0) >= 1);
    const { rows } = await farm.farm.database.query<{
      estimated_grams: number;
      estimated_duration_hours: number;
      model_x_mm: number;
    }>('SELECT * FROM print_jobs WHERE id = $1', [answer.job_id]);
    assert.ok((rows[0]?.estimated_grams ?? 0) > 1 && (rows[0]?.estimated_grams ?? 0) < 20);
    assert.ok((rows[0]?.estimated_duration_hours ?? 0) > 0.05 && (rows[0]?.estimated_duration_hours ?? 0) < 1);
    assert.equal(rows[0]?.model_x_mm, 20);
  });

  describe('that is stored although its planning', () => {
    const { make } = StandingPlan.prototype;
    let giveUp: (error: Error) => void = () => undefined;
    afterEach(() => {
      StandingPlan.prototype.make = make;
      giveUp(new Error('the test is over'));
    });
    const accepted = async (key?: string): Promise<Awaited<ReturnType<typeof submitJob>>> => {
      const before = await stored();
      const body = { job_name: 'box', stl_path: box, material_id: 'pla_black_esun' };
      const answer = await submitJob(farm.farm, body, 'test', key);
      assert.equal(await stored(), before + 1);
      return answer;
    };

    it('fails is accepted', async () => {
      StandingPlan.prototype.make = () =>
        Promise.reject(new DatabaseUnavailableError(new Error('terminating connection due to administrator command')));
      const answer = await accepted('planless');
      assert.equal(answer.status, 'queued');
      assert.equal(answer.estimated_start_time, null);
      assert.equal(answer.queue_position, null);
      assert.match(answer.waiting_reason ?? '', /the plan is being made/);
      const again = { job_name: 'box', stl_path: box, material_id: 'pla_black_esun' };
      assert.equal((await submitJob(farm.farm, again, 'test', 'planless')).job_id, answer.job_id);
    });

    it('takes long is answered without waiting', async () => {
      const never = new Promise<never>((_resolve, reject) => {
        giveUp = reject;
      });
      never.catch(() => undefined);
      StandingPlan.prototype.make = () => never;
      assert.match((await accepted()).waiting_reason ?? '', /the plan is being made/);
    });

    it('is stored although the answer to its COMMIT was lost', async () => {
      const { database } = farm.farm;
      const { transaction } = database;
      database.transaction = async (work) => {
        await transaction.call(database, work);
        database.transaction = transaction;
        throw new DatabaseUnavailableError(new Error('Connection terminated unexpectedly'));
      };
      assert.equal((await accepted()).status, 'queued');
    });
  });

  describe('with an Idempotency-Key', () => {
    const keyed = (key: string, more: Record<string, unknown> = {}) =>
      submitJob(farm.farm, { job_name: 'box', stl_path: box, material_id: 'pla_black_esun', ...more }, 'test', key);

    it('creates one job, however often and however concurrently it is sent', async () => {
      const before = await stored();
      const answers = await Promise.all(Array.from({ length: 8 }, () => keyed('order-1')));
      answers.push(
        await submitJob(farm.farm, { material_id: 'pla_black_esun', stl_path: box, job_name: 'box' }, 'x', 'order-1'),
      );
      assert.equal(new Set(answers.map(({ job_id }) => job_id)).size, 1);
      assert.equal(await stored(), before + 1);
      assert.notEqual((await keyed('order-2')).job_id, answers[0]?.job_id);
    });

    it('is rejected for a different submission, and with a malformed key', async () => {
      await keyed('order-4');
      const before = await stored();
      await assert.rejects(
        keyed('order-4', { job_name: 'another' }),
        (error) => error instanceof UnacceptableInputError && error.code === 'idempotency_key_reused',
      );
      for (const key of ['', 'two words', 'x'.repeat(256)]) await assert.rejects(keyed(key), MalformedInputError);
      assert.equal(await stored(), before);
    });
  });
});
