import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSureOfOwner } from '../../lib/store/embedded-postgres';
import { temporaryDirectory } from '../support/servers';

describe('The directory of the embedded database’s socket', () => {
  const directory = temporaryDirectory('socket');

  it('is made private if it was open', () => {
    const own = join(directory, 'own');
    mkdirSync(own);
    chmodSync(own, 0o777);
    makeSureOfOwner(own);
    assert.equal(statSync(own).mode & 0o777, 0o700);
  });

  it('must not be a link or a file', () => {
    const link = join(directory, 'link');
    symlinkSync(join(directory, 'own'), link);
    writeFileSync(join(directory, 'file'), '');
    for (const path of [link, join(directory, 'file')]) {
      assert.throws(() => makeSureOfOwner(path), { code: 'embedded_postgres' });
    }
  });

  it('must not belong to another user', function () {
    if (process.getuid?.() !== 0) return this.skip();
    const foreign = join(directory, 'foreign');
    mkdirSync(foreign);
    chownSync(foreign, 12345, 12345);
    assert.throws(() => makeSureOfOwner(foreign), /belongs to another user/);
  });
});
