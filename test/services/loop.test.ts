import assert from 'node:assert/strict';
import { Loop } from '../../lib/services/loop';

/** Resolves when the n-th round has started. */
function counted(n: number): { rounds: () => number; round: () => void; reached: Promise<void> } {
  let rounds = 0;
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return {
    rounds: () => rounds,
    round: () => {
      rounds++;
      if (rounds === n) reach();
    },
    reached,
  };
}

describe('A loop', () => {
  it('makes one round after the other, and one more for all wake-ups in the meantime', async () => {
    const { rounds, round, reached } = counted(2);
    let atOnce = 0;
    const loop = new Loop({
      work: async () => {
        atOnce++;
        assert.equal(atOnce, 1);
        round();
        if (rounds() === 1) for (let n = 0; n < 5; n++) loop.wake();
        await new Promise((resolve) => setImmediate(resolve));
        atOnce--;
      },
      failed: (error) => assert.fail(String(error)),
    });
    await loop.start();
    await reached;
    await loop.stop();
    assert.equal(rounds(), 2);
  });

  it('continues after a failed round', async () => {
    const { round, reached } = counted(2);
    const failures: unknown[] = [];
    const loop = new Loop({
      work: () => {
        round();
        return Promise.reject(new Error('no'));
      },
      failed: (error) => failures.push(error),
      everyMs: 5,
    });
    await loop.start();
    await reached;
    await loop.stop();
    assert.ok(failures.length >= 1);
  });

  it('works at its intervals although it cannot subscribe, and subscribes later', async () => {
    const { round, reached } = counted(2);
    let asked = 0;
    let ended = 0;
    const loop = new Loop({
      work: async () => round(),
      failed: () => undefined,
      everyMs: 5,
      listen: async () => {
        asked++;
        if (asked === 1) throw new Error('the database is away');
        return () => ended++;
      },
    });
    await loop.start();
    await reached;
    await loop.stop();
    assert.equal(asked, 2);
    assert.equal(ended, 1);
  });

  it('may be stopped twice, and before it was started', async () => {
    const loop = new Loop({ work: async () => undefined, failed: () => undefined });
    await loop.stop();
    await loop.start();
    await loop.start();
    await loop.stop();
    await loop.stop();
    loop.wake();
  });
});
