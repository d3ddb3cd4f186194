import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptId } from '../../../lib/model/ids';
import { Lease } from '../../../lib/services/agents/lease';
import type { Database } from '../../../lib/store/database';

const claim = { attemptId: 'attempt' as AttemptId, fence: 1, owner: 'agent' };
const seconds = 0.3;

describe('A lease', () => {
  let lease: Lease | undefined;
  afterEach(() => lease?.end(false));

  /** A lease whose statements return `answer`: the number of rows that they change. */
  function held(answer: (sql: string) => Promise<number>, claimedAt = performance.now()) {
    const asked: string[] = [];
    const warnings: string[] = [];
    const query = async (sql: string) => {
      asked.push(sql);
      return { rowCount: await answer(sql) };
    };
    lease = new Lease({
      claim,
      database: { query } as unknown as Database,
      seconds,
      claimedAt,
      log: (level, text) => warnings.push(`${level}: ${text}`),
    });
    return { lease, asked, warnings };
  }

  it('certainly holds for its duration after the claim', () => {
    assert.equal(held(async () => 1).lease.held, true);
    assert.equal(held(async () => 1, performance.now() - seconds * 1000 - 1).lease.held, false);
  });

  it('is renewed at a third of its duration, and still holds', async () => {
    const { lease: one, asked } = held(async () => 1);
    await pause(seconds * 1000 + 150);
    assert.ok(asked.length >= 3, `renewed ${asked.length} times`);
    assert.equal(one.held, true);
    assert.equal(one.lost.aborted, false);
  });

  it('is lost immediately and permanently when the database reports it', async () => {
    const { lease: one, asked } = held(async () => 0);
    await new Promise((resolve) => one.lost.addEventListener('abort', resolve));
    assert.equal(one.held, false);
    assert.match(String(one.lost.reason), /claim of the attempt was lost/);
    await pause(seconds * 1000);
    assert.equal(asked.length, 1, 'it is not requested again');
  });

  it('no longer certainly holds if it could not be renewed in time, but is not lost', async () => {
    const { lease: one, warnings } = held(() => Promise.reject(new Error('no database')));
    await pause(seconds * 1000 + 50);
    assert.equal(one.held, false);
    assert.equal(one.lost.aborted, false);
    assert.match(warnings[0] ?? '', /^warn: .*could not be renewed: no database/);
  });

  it('counts from the moment of the request, with one request at a time', async () => {
    let answer: () => void = () => undefined;
    const { lease: one, asked } = held(
      () =>
        new Promise((resolve) => {
          answer = () => resolve(1);
        }),
    );
    await pause(seconds * 1000 + 250);
    assert.equal(asked.length, 1);
    answer();
    await pause(1);
    assert.equal(one.held, false, 'an answer that came late does not extend it');
  });

  it('is released at the end only if another agent may have it', async () => {
    const kept = held(async () => 1);
    await kept.lease.end(false);
    await pause(seconds * 500);
    assert.equal(kept.asked.length, 0);
    const released = held(async () => 1);
    await released.lease.end(true);
    assert.match(released.asked.join(), /interval '1 second'/);
  });

  it('ends although it cannot be released', async () => {
    await held(() => Promise.reject(new Error('no database'))).lease.end(true);
  });
});
