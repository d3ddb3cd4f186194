import assert from 'node:assert/strict';
import { judgeWish, type WishVerdict } from '../../../lib/services/agents/wish-keeper';

const wish = { wanted: 'pause', attemptId: 'a', ageSeconds: 1, problem: null } as Parameters<typeof judgeWish>[0];
const now = { state: 'printing', openAttempt: 'a', sinceAsked: Number.POSITIVE_INFINITY } as const;
type Now = Parameters<typeof judgeWish>[1];

describe("An operator's request to pause or resume a print", () => {
  const cases: [string, Partial<typeof wish>, Partial<Now>, WishVerdict][] = [
    ['is sent to the printer', {}, {}, 'ask'],
    ['is sent to a paused one to resume', { wanted: 'resume' }, { state: 'paused' }, 'ask'],
    ['is done when the printer shows it', {}, { state: 'paused' }, 'drop'],
    ['is done when it prints again', { wanted: 'resume' }, {}, 'drop'],
    ['is dropped once nothing prints', {}, { state: 'idle' }, 'drop'],
    ['does not apply to another print', {}, { openAttempt: 'b' }, 'drop'],
    ['does not apply to a print of ours if it was for a foreign one', { attemptId: null }, {}, 'drop'],
    ['applies to a foreign print if none of ours was open', { attemptId: null }, { openAttempt: null }, 'ask'],
    ['waits for an unreachable printer', {}, { state: null }, 'wait'],
    ['is sent at intervals only', {}, { sinceAsked: 100 }, 'wait'],
    ['is not sent again once it was refused', { problem: 'no' }, {}, 'wait'],
    ['is dropped eventually', { ageSeconds: 601 }, {}, 'drop'],
    ['is forgotten after the clock was set back', { ageSeconds: -5 }, {}, 'drop'],
  ];
  for (const [title, wished, shown, verdict] of cases) {
    it(title, () => {
      assert.equal(judgeWish({ ...wish, ...wished }, { ...now, ...shown }), verdict);
    });
  }
});
