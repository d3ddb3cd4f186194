import assert from 'node:assert/strict';
import { problemHeaders, problemOf } from '../../lib/api/problem';
import { MalformedInputError, NotFoundError, TooManyRequestsError } from '../../lib/model/errors';
import { DatabaseUnavailableError } from '../../lib/store/database';

describe('Problem details', () => {
  it('reveal nothing about unexpected errors, nor their causes', () => {
    const internal = problemOf(
      new TypeError("Cannot read properties of undefined (reading 'x') at /home/farm/a.js:1:2"),
    );
    assert.deepEqual([internal.status, internal.code], [500, 'internal']);
    assert.doesNotMatch(JSON.stringify(internal), /undefined|home/);
    const away = problemOf(new DatabaseUnavailableError(new Error('connect ENOENT /run/platewise/.s.PGSQL.5432')));
    assert.deepEqual([away.status, away.code], [503, 'database_unavailable']);
    assert.doesNotMatch(JSON.stringify(away), /\/run\/|ENOENT/);
    assert.match(away.detail, /^PostgreSQL cannot be reached: see the log/);
  });

  it('repeat sent values only if they are short', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    const wrong = ['short', 'x'.repeat(1e6), deep, { a: 'y'.repeat(1e6) }].map((value, index) => ({
      field: `f${index}`,
      value,
      remedy: 'r',
    }));
    const problem = problemOf(new MalformedInputError('Wrong.', wrong));
    assert.equal(problem.errors[0]?.value, 'short');
    assert.ok(JSON.stringify(problem).length < 2000);
    assert.ok(JSON.stringify(problemOf(new NotFoundError('job', 'x'.repeat(1e6)))).length < 5000);
  });

  it('are sent with their headers', () => {
    const error = new TooManyRequestsError('3 files a minute', 17);
    assert.equal(problemHeaders(error, problemOf(error))['retry-after'], '17');
  });
});
