import assert from 'node:assert/strict';
import { analyseFile } from '../../lib/files/analyse-file';
import { UnreadableFileError } from '../../lib/files/unreadable';
import { temporaryDirectory } from '../fixtures';
import { hostileFiles } from '../support/hostile-files';

describe('hostile files of every kind, read in a worker', () => {
  const directory = temporaryDirectory();

  for (const file of hostileFiles) {
    const { refused } = file;
    it(`${refused ? 'refuses' : 'accepts'} ${file.name}`, async () => {
      const analysing = analyseFile(await file.write(directory));
      if (!refused) {
        assert.ok((await analysing).sizeBytes > 0);
        return;
      }
      await assert.rejects(analysing, (error) => {
        assert.ok(error instanceof UnreadableFileError, String(error));
        assert.match(error.reason, refused);
        assert.notEqual(error.remedy, '');
        return true;
      });
    });
  }
});
