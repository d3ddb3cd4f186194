import assert from 'node:assert/strict';
import { isSameType } from '../../lib/model/material';
import { contradictionOf } from '../../lib/model/printer';

describe('the type of a filament', () => {
  it('is the same under names with insignificant differences', () => {
    for (const [one, other] of [
      ['PLA', 'pla'],
      ['PLA', 'PLA+'],
      ['PLA Silk', 'PLA'],
      ['TPU-AMS', 'TPU'],
      ['PA6-CF', 'PA-CF'],
    ] as const) {
      assert.ok(isSameType(one, other), `${one} ${other}`);
    }
  });

  it('differs if it melts differently or has fibres', () => {
    for (const [one, other] of [
      ['PLA', 'PETG'],
      ['PLA', 'PLA-CF'],
      ['PETG-CF', 'PET-CF'],
      ['PA-CF', 'PA-GF'],
      ['ABS', 'ASA'],
    ] as const) {
      assert.ok(!isSameType(one, other), `${one} ${other}`);
    }
  });

  it('is contradicted by what a printer can detect, not by what it cannot', () => {
    assert.equal(contradictionOf({ slot: 'a', present: true, materialType: 'PETG' }, 'PLA'), 'PETG');
    assert.equal(contradictionOf({ slot: 'a', present: false }, 'PLA'), 'nothing');
    assert.equal(contradictionOf({ slot: 'a', present: null }, 'PLA'), null);
    assert.equal(contradictionOf({ slot: 'a', present: true, materialType: 'PLA' }, 'PLA'), null);
  });
});
