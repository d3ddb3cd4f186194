import assert from 'node:assert/strict';
import { UploadLimit } from '../../lib/farm/upload-limit';
import { TooManyRequestsError } from '../../lib/model/errors';

describe('The upload limit', () => {
  it('counts each client separately, and returns a retry time', async () => {
    const limit = new UploadLimit(2);
    for (const client of ['a', 'b', 'a', 'b']) await limit.take(client);
    await assert.rejects(limit.take('a'), (error: unknown) => {
      assert.ok(error instanceof TooManyRequestsError);
      assert.ok(error.retryAfterSeconds > 0 && error.retryAfterSeconds <= 60);
      return true;
    });
    await limit.take('c');
  });

  it('is off at 0', async () => {
    const limit = new UploadLimit(0);
    for (let upload = 0; upload < 1000; upload++) await limit.take('a');
  });
});
