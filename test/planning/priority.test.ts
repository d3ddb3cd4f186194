import assert from 'node:assert/strict';
import { inOrder, owedAt, softDueDays, weightOf } from '../../lib/planning/priority';
import type { PlanningJob } from '../../lib/planning/snapshot';
import { hour, job, now } from './subjects';

describe('The priority of a job', () => {
  it('doubles the weight of its hours every two steps', () => {
    assert.deepEqual([1, 3, 5, 7, 9].map(weightOf), [4, 2, 1, 0.5, 0.25]);
    assert.equal(weightOf(10), 2 ** -2.5);
  });

  it('adds half a day for each step to the time in which it should be done', () => {
    assert.deepEqual([1, 2, 5, 10].map(softDueDays), [1.5, 2, 3.5, 6]);
  });

  it('adds half a day for each step to two days until it is owed', () => {
    for (let priority = 1; priority <= 10; priority++) {
      assert.equal(owedAt({ createdAt: now, priority }) - now, (48 + 12 * priority) * hour);
    }
  });
});

describe('The order of a farm without operator hours', () => {
  const kit = { id: 'k', partsDone: 0 };
  /** The latest deadline that is urgent for a job of two hours. */
  const urgentUntil = now + 26 * hour;
  const cases: [by: string, jobs: PlanningJob[], order: string][] = [
    [
      'deadlines within a day, the nearest first, before any priority',
      [
        job('first', { priority: 1 }),
        job('later', { priority: 9, deadline: urgentUntil }),
        job('sooner', { priority: 10, deadline: urgentUntil - 1 }),
      ],
      'sooner later first',
    ],
    [
      'priority, where a deadline is further away',
      [job('far', { priority: 5, deadline: urgentUntil + 1 }), job('high', { priority: 4 })],
      'high far',
    ],
    [
      'age, where the priority is the same',
      [job('b', { createdAt: now - hour }), job('c', { createdAt: now - 2 * hour }), job('a', { createdAt: now })],
      'c b a',
    ],
    [
      'priority before age',
      [job('old', { priority: 6, createdAt: now - 9 * hour }), job('new', { createdAt: now })],
      'new old',
    ],
    [
      'the parts of a kit together, from its oldest part on',
      [
        job('between', { createdAt: now - 2 * hour }),
        job('second', { kit, createdAt: now - hour }),
        job('first', { kit, createdAt: now - 3 * hour }),
      ],
      'first second between',
    ],
    [
      'kit, where another job is as old as the kit',
      [
        job('z', { kit, createdAt: now - hour }),
        job('single', { createdAt: now - hour }),
        job('a', { kit, createdAt: now }),
      ],
      'single z a',
    ],
    ['id, where all else is the same', [job('b'), job('c'), job('a')], 'a b c'],
    ['copies to start: none without', [job('done', { copiesToStart: 0 }), job('open')], 'open'],
  ];
  for (const [by, jobs, order] of cases) {
    it(`goes by ${by}`, () => {
      const ids = (some: PlanningJob[]): string =>
        inOrder({ jobs: some, now })
          .map(({ id }) => id)
          .join(' ');
      assert.equal(ids(jobs), order);
      assert.equal(ids([...jobs].reverse()), order);
    });
  }
});
