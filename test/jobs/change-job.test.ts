import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import { changeJob } from '../../lib/jobs/change-job';
import { tick } from '../../lib/jobs/tick';
import { UnacceptableInputError } from '../../lib/model/errors';
import type { JobId } from '../../lib/model/ids';
import { attemptsOf } from '../../lib/store/attempts';
import { changeStatus, findJob, historyOf, lockJob } from '../../lib/store/jobs';
import { whyJob } from '../../lib/views/why';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';

const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
const later = new Date(Date.now() + 2 * 86_400_000).toISOString();

describe('Changing a job', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  after(() => dropFarm(farm));

  const end = (id: JobId, status: 'failed' | 'cancelled') =>
    farm.database.transaction(async (tx) =>
      changeStatus(tx, await lockJob(tx, id), status, { reason: 'for the test', actor: 'test' }),
    );
  const fieldsOf = async (change: Promise<unknown>): Promise<string[]> => {
    try {
      await change;
    } catch (error) {
      assert.ok(error instanceof UnacceptableInputError, String(error));
      for (const one of error.errors) assert.ok(one.remedy !== '' && one.value !== undefined);
      return error.errors.map(({ field }) => field);
    }
    return [];
  };

  it('stores every field, increments the version, and records it in the history', async () => {
    const first = await addJob(farm, 'first', { hold: true });
    const id = await addJob(farm, 'second', { hold: true });
    const before = await findJob(farm.database, id);
    const wanted = {
      job_name: 'renamed',
      priority: 2,
      deadline_at: later,
      not_before: tomorrow,
      copies: 4,
      depends_on: [first],
    };
    const { version, ...answer } = await changeJob(farm, id, wanted, 'ada', [before.version]);
    assert.deepEqual(answer, { job_id: id, ...wanted });
    assert.equal(version, (await findJob(farm.database, id)).version);
    const line = (await historyOf(farm.database, id)).at(-1);
    assert.equal(line?.changed_by, 'ada');
    assert.match(line?.reason ?? '', /name second changed to renamed; priority 5 changed to 2; deadline none changed/);
    const cleared = await changeJob(farm, id, { deadline_at: null, not_before: null, depends_on: [] }, 'ada');
    assert.deepEqual([cleared.deadline_at, cleared.not_before, cleared.depends_on], [null, null, []]);
    await assert.rejects(changeJob(farm, id, { priority: 1 }, 'ada', [before.version]), { code: 'stale_version' });
  });

  it('rejects unknown fields, and an empty change', async () => {
    const id = await addJob(farm, 'one', { hold: true });
    for (const body of [{ plate_sharing: 'jobs' }, { material_id: 'x' }, {}, { copies: 0 }]) {
      await assert.rejects(changeJob(farm, id, body, 'ada'), { code: 'malformed_input' });
    }
  });

  it('unblocks a job whose dependency was cancelled, and reports before that it never follows', async () => {
    const a = await addJob(farm, 'a', { hold: true });
    const b = await addJob(farm, 'b', { dependsOn: [a] });
    await end(a, 'cancelled');
    const why = await whyJob(farm, b);
    assert.match(why.because, new RegExp(`never follow.*${a} \\(cancelled\\)`));
    assert.match(why.would_help.join('; '), /drop the dependency/);
    await changeJob(farm, b, { depends_on: [] }, 'ada');
    const { assignments } = await tick(farm, undefined, 'scheduler');
    assert.ok(assignments.some((one) => one.jobId === b));
  });

  it('rejects dependencies that would never let it start', async () => {
    const [a, b, c, gone] = await Promise.all(
      ['a', 'b', 'c', 'gone'].map((name) => addJob(farm, name, { hold: true })),
    );
    assert.ok(a && b && c && gone);
    await changeJob(farm, b, { depends_on: [a] }, 'ada');
    await changeJob(farm, c, { depends_on: [b] }, 'ada');
    await end(gone, 'cancelled');
    for (const other of [a, b, c, gone, randomUUID()]) {
      assert.deepEqual(await fieldsOf(changeJob(farm, a, { depends_on: [other] }, 'ada')), ['depends_on'], other);
    }
  });

  it('rejects fewer copies than are done or under way, and inconsistent times', async () => {
    const id = await addJob(farm, 'three', { copies: 3, priority: 1 });
    await tick(farm, undefined, 'scheduler');
    const { rows } = await farm.database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM print_attempts WHERE job_id = $1',
      [id],
    );
    const open = rows[0]?.count ?? 0;
    assert.ok(open > 1);
    assert.deepEqual(await fieldsOf(changeJob(farm, id, { copies: open - 1 }, 'ada')), ['copies']);
    assert.equal((await changeJob(farm, id, { copies: open }, 'ada')).copies, open);
    assert.deepEqual(await fieldsOf(changeJob(farm, id, { deadline_at: '2001-01-01T00:00:00Z' }, 'ada')), [
      'deadline_at',
    ]);
    await changeJob(farm, id, { not_before: later }, 'ada');
    assert.deepEqual(await fieldsOf(changeJob(farm, id, { deadline_at: tomorrow }, 'ada')), ['deadline_at']);
  });

  it('records the old value of each changed field, and no unchanged fields', async () => {
    const [one, two] = [await addJob(farm, 'one', { hold: true }), await addJob(farm, 'two', { hold: true })];
    const id = await addJob(farm, 'job', { hold: true, dependsOn: [one] });
    const told = async (change: Record<string, unknown>): Promise<string | null> => {
      const before = (await historyOf(farm.database, id)).length;
      const { version } = await findJob(farm.database, id);
      const changed = await changeJob(farm, id, change, 'ada');
      const lines = (await historyOf(farm.database, id)).slice(before);
      if (lines.length === 0) assert.equal(changed.version, version);
      return lines[0]?.reason ?? null;
    };
    assert.equal(await told({ priority: 5 }), null);
    assert.equal(await told({ job_name: 'job', copies: 1, deadline_at: null, depends_on: [one.toUpperCase()] }), null);
    assert.equal(await told({ copies: 2 }), 'copies 1 changed to 2');
    assert.equal(await told({ not_before: later }), `not before none changed to ${later}`);
    assert.equal(await told({ not_before: null }), `not before ${later} changed to none`);
    const both = await told({ depends_on: [two], priority: 1 });
    assert.equal(both, `priority 5 changed to 1; depends on ${two}; no longer depends on ${one}`);
    assert.equal(
      await told({ deadline_at: new Date(later).toISOString().replace('Z', '+00:00') }),
      `deadline none changed to ${later}`,
    );
  });

  it('keeps a dependency that was cancelled since, and accepts no new cancelled one', async () => {
    const [kept, gone] = [await addJob(farm, 'kept', { hold: true }), await addJob(farm, 'gone', { hold: true })];
    const id = await addJob(farm, 'job', { hold: true, dependsOn: [kept] });
    await end(kept, 'cancelled');
    await end(gone, 'cancelled');
    assert.deepEqual((await changeJob(farm, id, { depends_on: [kept], priority: 3 }, 'ada')).depends_on, [kept]);
    assert.deepEqual(await fieldsOf(changeJob(farm, id, { depends_on: [kept, gone] }, 'ada')), ['depends_on']);
  });

  it('requires more copies than are done, and states the minimum', async () => {
    const id = await addJob(farm, 'copies', { hold: true, copies: 3 });
    await farm.database.query('UPDATE print_jobs SET copies_done = 2 WHERE id = $1', [id]);
    await assert.rejects(changeJob(farm, id, { copies: 2 }, 'ada'), (error: UnacceptableInputError) => {
      const remedy = '2 copies are done and 0 under way. Give at least 3, or cancel the job if no more are wanted.';
      assert.deepEqual(error.errors, [{ field: 'copies', value: 2, remedy }]);
      return true;
    });
    assert.equal((await changeJob(farm, id, { copies: 3 }, 'ada')).copies, 3);
  });

  it('names a cycle', async () => {
    const a = await addJob(farm, 'a', { hold: true });
    const b = await addJob(farm, 'b', { hold: true, dependsOn: [a] });
    await assert.rejects(changeJob(farm, a, { depends_on: [b] }, 'ada'), (error: UnacceptableInputError) => {
      const remedy = 'That job depends on this one; remove it from the list.';
      assert.deepEqual(error.errors, [{ field: 'depends_on', value: b, remedy }]);
      return true;
    });
  });

  it('rejects a job that is being cancelled', async () => {
    const id = await addJob(farm, 'cancelled', { hold: true });
    await farm.database.query('UPDATE print_jobs SET cancel_requested_at = now() WHERE id = $1', [id]);
    const remedy = 'Choose an open job, or submit it again.';
    await assert.rejects(changeJob(farm, id, { priority: 1 }, 'ada'), {
      message: 'The job is being cancelled; it cannot be changed.',
      remedy,
    });
    await end(id, 'cancelled');
    await assert.rejects(changeJob(farm, id, { priority: 1 }, 'ada'), {
      message: 'The job is cancelled; it cannot be changed.',
      remedy,
    });
  });

  it('gives the next copies numbers within those that are still wanted', async () => {
    const other = await openBareFarm();
    try {
      await makeReady(other);
      const id = await addJob(other, 'three', { copies: 3 });
      assert.equal((await tick(other, undefined, 'scheduler')).assignments.length, 3);
      const [first] = (await attemptsOf(other.database, id)).filter(({ copy }) => copy === 1);
      await other.database.query(
        `UPDATE print_attempts SET phase = 'ended', outcome = 'withdrawn', ended_at = now() WHERE id = $1`,
        [first?.id],
      );
      await changeJob(other, id, { copies: 2 }, 'ada');
      const open = (await attemptsOf(other.database, id)).filter(({ phase }) => phase !== 'ended');
      assert.deepEqual(open.map(({ copy }) => copy).sort(), [1, 2]);
    } finally {
      await dropFarm(other);
    }
  });

  it('rejects a job that has ended', async () => {
    const id = await addJob(farm, 'over', { hold: true });
    await end(id, 'failed');
    await assert.rejects(changeJob(farm, id, { priority: 1 }, 'ada'), { code: 'conflict' });
  });
});
