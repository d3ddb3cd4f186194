import assert from 'node:assert/strict';
import { holdBack, Lanes } from '../../lib/services/lanes';

const one = { id: 1, lane: 'job' };
const other = { id: 2, lane: 'bed' };
const alone = { id: 3, lane: null };
const free = { lanes: [], ids: [] };

describe('The lanes of the outbox', () => {
  let lanes: Lanes;
  beforeEach(() => {
    lanes = new Lanes();
  });

  it('are free at first', () => assert.deepEqual([lanes.flying, lanes.busy(0)], [0, free]));

  it('are busy while one of their messages is being published; a message without a lane counts by itself', () => {
    for (const message of [one, other, alone]) lanes.depart(message);
    assert.deepEqual([lanes.flying, lanes.busy(0)], [3, { lanes: ['job', 'bed'], ids: [3] }]);
    lanes.land(one);
    assert.deepEqual([lanes.flying, lanes.busy(0)], [2, { lanes: ['bed'], ids: [3] }]);
    for (const message of [other, alone]) lanes.land(message);
    assert.deepEqual([lanes.flying, lanes.busy(0)], [0, free]);
  });

  it('hold back the messages behind a failed one, for a while, and nothing else', () => {
    for (const message of [one, alone]) lanes.depart(message);
    lanes.land(one, 1000);
    lanes.land(alone, 2000);
    assert.deepEqual([lanes.flying, lanes.busy(1000 + holdBack - 1)], [0, { lanes: ['job'], ids: [3] }]);
    assert.deepEqual(lanes.busy(1000 + holdBack), { lanes: [], ids: [3] });
    assert.deepEqual(lanes.busy(2000 + holdBack), free);
  });

  it('hold nothing back once the broker is back', () => {
    lanes.depart(other);
    lanes.depart(one);
    lanes.land(one, 1000);
    lanes.release();
    assert.deepEqual(lanes.busy(1001), { lanes: ['bed'], ids: [] });
  });
});
