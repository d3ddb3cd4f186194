import assert from 'node:assert/strict';
import { materialId } from '../../lib/model/ids';
import type { Snapshot } from '../../lib/planning/snapshot';
import { SpoolPromises } from '../../lib/planning/stock';
import { giga, now } from './subjects';

const pla = materialId('pla');
const petg = materialId('petg');
const onShelf = (spoolId: string, grams: number, material = pla) => ({ spoolId, materialId: material, grams });
const promises = (more: Partial<Snapshot>): SpoolPromises =>
  new SpoolPromises({ now, jobs: [], printers: [], clearMinutes: 5, changeMinutes: 12, ...more });

describe('The spool that a change of filament is promised', () => {
  it('is the one of the shelf with the least left that is enough, and each is promised once', () => {
    const shelf = [onShelf('full', 1000), onShelf('little', 10), onShelf('half', 500), onShelf('other', 60, petg)];
    const stock = promises({ shelf });
    const taken = [1, 2, 3].map(() => stock.take(pla, 50)?.spoolId ?? null);
    assert.deepEqual(taken, ['half', 'full', null]);
    assert.deepEqual(
      shelf.map(({ spoolId }) => spoolId),
      ['full', 'little', 'half', 'other'],
      'the snapshot is as it was',
    );
  });

  it('is of the same weight the first by its id', () => {
    for (const ids of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      assert.equal(promises({ shelf: ids.map((id) => onShelf(id, 100)) }).take(pla, 100)?.spoolId, 'a');
    }
  });

  it('is one that lies in a slot of an idle printer where the shelf has none', () => {
    const stock = promises({ shelf: [onShelf('little', 10)], printers: [giga] });
    assert.deepEqual(stock.take(pla, 50), { spoolId: null, where: 'slot one of giga' });
    assert.equal(stock.take(pla, 50), null);
    const busy = { ...giga, busy: { with: 'a print', until: now } };
    assert.equal(promises({ shelf: [], printers: [busy] }).take(pla, 50), null);
  });

  it('is some spool where nobody knows the stock', () => {
    assert.deepEqual(promises({}).take(pla, 50), { spoolId: null, where: null });
  });
});
