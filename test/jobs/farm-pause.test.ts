import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import type { FarmOptions } from '../../lib/farm/options';
import { pauseFarm, resumeFarm } from '../../lib/jobs/farm-pause';
import { tick } from '../../lib/jobs/tick';
import { printerId } from '../../lib/model/ids';
import { currentPlan, planMessage, plannedNow } from '../../lib/schedule/plan';
import { attemptsOf } from '../../lib/store/attempts';
import { findJob } from '../../lib/store/jobs';
import { health } from '../../lib/views/health';
import { queue } from '../../lib/views/queries';
import { QueueFeed } from '../../lib/views/queue-feed';
import { whyJob, whyPrinter } from '../../lib/views/why';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import { bringAttemptTo, bringJobTo } from '../support/stages';

const modes: [string, Partial<FarmOptions>][] = [
  ['without operator hours', {}],
  ['with operator hours', { operator: { timeZone: 'UTC', begin: 0, end: 0 } }],
];
const giga = printerId('elegoo_giga');

for (const [mode, options] of modes) {
  describe(`A pause of the farm, ${mode}`, () => {
    let farm: Farm;
    beforeEach(async () => {
      farm = await openBareFarm(options);
      await makeReady(farm);
    });
    afterEach(() => dropFarm(farm));

    it('lets nothing new start, whatever a plan says, until the farm is resumed', async () => {
      const id = await addJob(farm, 'part');
      const before = await currentPlan(farm);
      assert.ok(before.lines.some((line) => line.ready));
      const { paused } = await pauseFarm(farm, { reason: 'fire drill' }, 'ada');
      assert.deepEqual([paused.by, paused.reason], ['ada', 'fire drill']);
      assert.deepEqual(await tick(farm, before, 'scheduler'), { assignments: [], refused: [] });
      assert.deepEqual((await tick(farm, undefined, 'scheduler')).assignments, []);
      assert.equal((await findJob(farm.database, id)).status, 'queued');
      assert.deepEqual(await resumeFarm(farm, {}), { paused: null });
      assert.deepEqual(
        (await tick(farm, undefined, 'scheduler')).assignments.map(({ jobId }) => jobId),
        [id],
      );
    });

    it('is shown by the plan, the queue, its feed, why and health', async () => {
      const id = await addJob(farm, 'part');
      const feed = new QueueFeed();
      assert.equal((await feed.tell(farm, true))?.paused, null);
      const { paused } = await pauseFarm(farm, { reason: 'fire drill' }, 'ada');
      const planned = await plannedNow(farm);
      const message = planMessage(planned);
      assert.deepEqual(message.paused, paused);
      assert.deepEqual(
        message.lines.map((line) => [line.ready, line.start, line.end]),
        [[false, null, null]],
      );
      assert.match(message.waiting[id] ?? '', /the farm is paused \(fire drill\)/);
      const shown = await queue(farm, {});
      assert.deepEqual(shown.paused, paused);
      assert.match(shown.jobs[0]?.waiting_reason ?? '', /paused/);
      assert.deepEqual((await feed.tell(farm, false))?.paused, paused);
      const why = await whyJob(farm, id);
      assert.match(why.because, /the farm is paused \(fire drill\)/);
      assert.match(why.would_help.join(), /POST farm\/resume/);
      const printer = await whyPrinter(farm, giga);
      assert.match(printer.because, /the farm is paused/);
      const { reasons } = await health(farm);
      const told = reasons.find(({ code }) => code === 'farm_paused');
      assert.ok(told && !told.text.includes('fire drill'), 'health is public, so it shows no more');
    });

    it('withdraws what has certainly not started, and lets a running print continue', async () => {
      const jobs = [await addJob(farm, 'a'), await addJob(farm, 'b'), await addJob(farm, 'c')];
      assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 3);
      const [running] = jobs;
      assert.ok(running);
      await bringJobTo(farm.database, running, 'printing');
      const [begun] = await attemptsOf(farm.database, running);
      await bringAttemptTo(farm.database, begun?.id ?? '', 'printing');
      const { taken_back } = await pauseFarm(farm, {}, 'ada');
      assert.deepEqual(taken_back.sort(), jobs.slice(1).sort());
      assert.equal((await findJob(farm.database, running)).status, 'printing');
      assert.equal((await attemptsOf(farm.database, running))[0]?.phase, 'printing');
      for (const id of jobs.slice(1)) {
        const job = await findJob(farm.database, id);
        assert.deepEqual([job.status, job.retryCount, job.failedOn], ['queued', 0, null]);
      }
    });

    it('is stored although a job is locked, whose print then ends by itself before it starts', async () => {
      const id = await addJob(farm, 'a');
      await tick(farm, undefined, 'scheduler');
      const forgetful = await farm.database.connect();
      try {
        await forgetful.query('BEGIN');
        await forgetful.query('SELECT 1 FROM print_jobs WHERE id = $1 FOR UPDATE', [id]);
        assert.deepEqual((await pauseFarm(farm, {}, 'ada')).taken_back, []);
      } finally {
        await forgetful.query('ROLLBACK');
        await forgetful.end();
      }
    });

    it('may be requested again with another reason, and ended again', async () => {
      const first = await pauseFarm(farm, {}, 'ada');
      assert.equal(first.paused.reason, null);
      const second = await pauseFarm(farm, { reason: 'still' }, 'bob');
      assert.deepEqual(second.paused, { since: first.paused.since, by: 'bob', reason: 'still' });
      await resumeFarm(farm, {});
      assert.deepEqual(await resumeFarm(farm, { reason: 'over' }), { paused: null });
      await assert.rejects(pauseFarm(farm, { because: 'x' }, 'ada'), { code: 'malformed_input' });
    });
  });
}
