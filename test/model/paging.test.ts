import assert from 'node:assert/strict';
import { MalformedInputError } from '../../lib/model/errors';
import { pageOf } from '../../lib/model/paging';

describe('A paginated list', () => {
  const list = Array.from({ length: 25 }, (_, index) => ({ id: `item ${index}` }));
  const page = (of: readonly { id: string }[], input: Record<string, unknown>) => pageOf(of, input, ({ id }) => id);

  it('is complete, each item once, in order', () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const part: ReturnType<typeof page> = page(list, { limit: '10', ...(cursor !== null && { cursor }) });
      seen.push(...part.items.map(({ id }) => id));
      cursor = part.next_cursor;
    } while (cursor !== null);
    assert.deepEqual(
      seen,
      list.map(({ id }) => id),
    );
  });

  it('continues correctly if earlier items, or the last one itself, are gone', () => {
    const { next_cursor } = page(list, { limit: 10 });
    assert.equal(page(list.slice(5), { limit: 1, cursor: next_cursor }).items[0]?.id, 'item 10');
    const without = list.filter(({ id }) => id !== 'item 9');
    assert.equal(page(without, { limit: 1, cursor: next_cursor }).items[0]?.id, 'item 10');
  });

  it('rejects a malformed parameter, and names it', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ limit: '0' }, 'limit'],
      [{ limit: '1.5' }, 'limit'],
      [{ limit: '5000' }, 'limit'],
      [{ cursor: 'x' }, 'cursor'],
      [{ cursor: Buffer.from('[1]').toString('base64url') }, 'cursor'],
    ];
    for (const [input, field] of cases) {
      assert.throws(
        () => page(list, input),
        (error: unknown) => error instanceof MalformedInputError && error.errors[0]?.field === field,
        JSON.stringify(input),
      );
    }
  });
});
