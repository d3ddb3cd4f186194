import assert from 'node:assert/strict';
import { judgeWish, type WishVerdict } from '../../../lib/services/agents/wish-keeper';

const wish = { wanted: 'pause', attemptId: 'a', ageSeconds: 1, problem: null } as Parameters<typeof judgeWish>[0];
const now = { state: 'printing', openAttempt: 'a', sinceAsked: Number.POSITIVE_INFINITY } as const;
type Now = Parameters<typeof judgeWish>[1];

describe('What an operator wants of a print', () => {
  const cases: [string, Partial<typeof wish>, Partial<Now>, WishVerdict][] = [
    ['is asked of the printer', {}, {}, 'ask'],
    ['is asked of a paused one to go on', { wanted: 'resume' }, { state: 'paused' }, 'ask'],
    ['is done where the printer shows it', {}, { state: 'paused' }, 'drop'],
    ['is done where it prints again', { wanted: 'resume' }, {}, 'drop'],
    ['means nothing once nothing prints', {}, { state: 'idle' }, 'drop'],
    ['means no other print', {}, { openAttempt: 'b' }, 'drop'],
    ['means no print of ours, if it was for a foreign one', { attemptId: null }, {}, 'drop'],
    ['is for a foreign print, if none of ours was open', { attemptId: null }, { openAttempt: null }, 'ask'],
    ['waits for a printer that is away', {}, { state: null }, 'wait'],
    ['is asked once in a while only', {}, { sinceAsked: 100 }, 'wait'],
    ['is not asked again once it was refused', { problem: 'no' }, {}, 'wait'],
    ['is forgotten in the end', { ageSeconds: 601 }, {}, 'drop'],
    ['is forgotten after the clock was set back', { ageSeconds: -5 }, {}, 'drop'],
  ];
  for (const [title, wished, shown, verdict] of cases) {
    it(title, () => {
      assert.equal(judgeWish({ ...wish, ...wished }, { ...now, ...shown }), verdict);
    });
  }
});
