import assert from 'node:assert/strict';
import { Redactor } from '../../lib/model/redact';

describe('Log text', () => {
  it('contains no passwords, keys and codes', () => {
    const redactor = new Redactor();
    redactor.hide('31415926');
    redactor.hide('abc');
    const key = `pw_${'a'.repeat(43)}`;
    assert.equal(
      redactor.text('No answer from postgres://farm:s3cr3t@db.local/farm.'),
      'No answer from postgres://farm:•••@db.local/farm.',
    );
    assert.equal(redactor.text(`Authorization: Bearer ${key}`), 'Authorization: Bearer •••');
    assert.equal(redactor.text(`the key ${key} is old`), 'the key ••• is old');
    assert.equal(redactor.text('code 31415926, abc'), 'code •••, abc', 'a secret that is too short hides nothing');
    assert.deepEqual(redactor.value({ job_id: 'a', nested: [{ accessCode: 'x', password: 'y' }], text: '31415926' }), {
      job_id: 'a',
      nested: [{ accessCode: '•••', password: '•••' }],
      text: '•••',
    });
    assert.equal(redactor.text('see https://example.org/a:b@c'), 'see https://example.org/a:b@c');
  });
});
