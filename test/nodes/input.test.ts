import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Node } from 'node-red';
import type { Farm } from '../../lib/farm/farm';
import { onInput } from '../../nodes/input';

/** Passes a failing input to a node, and returns what it reports to the flow. */
async function failing(whileUnderWay: (state: { open: Farm | undefined }) => void): Promise<unknown> {
  const node = new EventEmitter();
  const state: { open: Farm | undefined } = { open: {} as Farm };
  const access = { farm: () => Promise.reject(new Error('not asked')), openFarm: () => state.open };
  onInput(node as unknown as Node, { access, scope: 'read' }, async () => {
    whileUnderWay(state);
    throw new Error('it cannot be read');
  });
  return new Promise((resolve) => node.emit('input', {}, assert.fail, resolve));
}

describe('An error while a node works', () => {
  it('is reported to the flow', async () => {
    assert.match(String(await failing(() => undefined)), /it cannot be read/);
  });

  it('is ignored once the farm was closed in the meantime', async () => {
    assert.equal(
      await failing((state) => {
        state.open = undefined;
      }),
      undefined,
    );
  });
});
