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

describe('The spool that is promised to a filament change', () => {
  it('is the one in stock with the least filament that is enough, and each is promised once', () => {
    const shelf = [onShelf('full', 1000), onShelf('little', 10), onShelf('half', 500), onShelf('other', 60, petg)];
    const stock = promises({ shelf });
    const taken = [1, 2, 3].map(() => stock.take(pla, 50)?.spoolId ?? null);
    assert.deepEqual(taken, ['half', 'full', null]);
    assert.deepEqual(
      shelf.map(({ spoolId }) => spoolId),
      ['full', 'little', 'half', 'other'],
      'the snapshot is unchanged',
    );
  });

  it('is the first by id of those with the same weight', () => {
    for (const ids of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      assert.equal(promises({ shelf: ids.map((id) => onShelf(id, 100)) }).take(pla, 100)?.spoolId, 'a');
    }
  });

  it('is one in a slot of an idle printer if none is in stock', () => {
    const stock = promises({ shelf: [onShelf('little', 10)], printers: [giga] });
    assert.deepEqual(stock.take(pla, 50), { spoolId: null, where: 'slot one of giga' });
    assert.equal(stock.take(pla, 50), null);
    const busy = { ...giga, busy: { with: 'a print', until: now } };
    assert.equal(promises({ shelf: [], printers: [busy] }).take(pla, 50), null);
  });

  it('is an unspecified spool if the stock is unknown', () => {
    assert.deepEqual(promises({}).take(pla, 50), { spoolId: null, where: null });
  });
});
