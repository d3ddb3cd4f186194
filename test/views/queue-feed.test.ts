import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { cancelJob } from '../../lib/jobs/cancel';
import { hold, reprioritise } from '../../lib/jobs/changes';
import { plannedForAll } from '../../lib/schedule/plan';
import { type NumberedLine, type QueueChanges, QueueFeed, type WholeQueue } from '../../lib/views/queue-feed';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';

/** Applies the changes in a listener, as the page does. */
function applied(jobs: readonly NumberedLine[], told: QueueChanges): NumberedLine[] {
  const byNumber = new Map(jobs.map((job) => [job.number, job]));
  for (const number of told.gone) byNumber.delete(number);
  for (const job of told.changed) byNumber.set(job.number, job);
  for (const [number, estimated_start_time, estimated_end_time] of told.times) {
    const job = byNumber.get(number);
    if (job) byNumber.set(number, { ...job, estimated_start_time, estimated_end_time });
  }
  return (told.order ?? jobs.map(({ number }) => number)).flatMap((number) => byNumber.get(number) ?? []);
}

describe('The queue feed', () => {
  let farm: Farm;
  const feed = new QueueFeed();
  let kept: NumberedLine[] = [];
  let revision = 0;
  const names = (): string[] => kept.map(({ job_name }) => job_name);

  before(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  after(() => dropFarm(farm));

  /** Applies the next change, and returns it. */
  async function listen(): Promise<QueueChanges> {
    await plannedForAll(farm);
    const told = (await feed.tell(farm, false)) as QueueChanges;
    assert.equal(told.revision, revision + 1);
    kept = applied(kept, told);
    revision = told.revision;
    return told;
  }

  it('sends the whole queue once, and then nothing as long as nothing happens', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await addJob(farm, name);
    const whole = (await feed.tell(farm, true)) as WholeQueue;
    assert.deepEqual([whole.total_jobs, whole.queued, whole.printing], [4, 4, 0]);
    kept = whole.jobs;
    revision = whole.revision;
    assert.deepEqual(names(), ['a', 'b', 'c', 'd']);
    assert.equal(await feed.tell(farm, false), undefined);
  });

  it('sends the changed fields of one job, immediately and without a new plan', async () => {
    const b = kept[1]?.job_id ?? '';
    await hold(farm, b, true, 'test');
    const told = (await feed.tell(farm, false)) as QueueChanges;
    assert.deepEqual(
      told.changed.map((line) => [line.job_name, line.hold]),
      [['b', true]],
    );
    kept = applied(kept, told);
    revision = told.revision;
  });

  it('sends a new order by numbers, with removed and added jobs', async () => {
    await reprioritise(farm, kept[3]?.job_id ?? '', { priority: 1 }, 'test');
    const moved = await listen();
    assert.equal(moved.changed.find(({ job_name }) => job_name === 'd')?.priority, 1);
    assert.equal(names()[0], 'd');
    await cancelJob(farm, kept.find(({ job_name }) => job_name === 'a')?.job_id ?? '', 'test');
    assert.equal((await listen()).gone.length, 1);
    assert.ok(!names().includes('a'));
    await addJob(farm, 'e');
    await listen();
    assert.ok(names().includes('e'));
  });

  it('sends changes that add up to the whole queue', async () => {
    const whole = (await feed.tell(farm, true)) as WholeQueue;
    assert.equal(whole.revision, revision);
    const timeless = (lines: NumberedLine[]): unknown[] =>
      lines.map(({ queue_position: _place, waiting_reason: _reason, ...line }) => line);
    assert.deepEqual(timeless(kept), timeless(whole.jobs));
  });

  it('queries the data once for many concurrent callers', async () => {
    await addJob(farm, 'f');
    const told = await Promise.all([feed.tell(farm, false), feed.tell(farm, false), feed.tell(farm, false)]);
    assert.equal(told.filter((one) => one !== undefined).length, 1);
  });
});
