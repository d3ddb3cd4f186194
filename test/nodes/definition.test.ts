import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeDef } from 'node-red';
import { currentVersion, upToDate } from '../../nodes/definition';

const flow = (name: string): (NodeDef & Record<string, unknown>)[] =>
  JSON.parse(readFileSync(join(process.cwd(), name), 'utf8')) as (NodeDef & Record<string, unknown>)[];

describe('The configuration of a node from an earlier version', () => {
  const of010 = flow(join('test', 'fixtures', 'flows', 'farm-0.1.0.json')).concat(
    flow(join('test', 'fixtures', 'flows', 'api-0.1.0.json')),
  );

  it('is migrated: its values stay, and new fields get the value that keeps its earlier behaviour', () => {
    const farms = of010.filter(({ type }) => type === 'print-farm');
    assert.ok(farms.length > 0);
    for (const old of of010) {
      const now: Record<string, unknown> = { ...upToDate(old) };
      assert.equal(now['version'], currentVersion);
      for (const [field, value] of Object.entries(old)) assert.deepEqual(now[field], value, `${old.type} ${field}`);
    }
    const [farm] = farms.map((old) => ({ ...upToDate(old) }) as Record<string, unknown>);
    assert.equal(farm?.['quietHours'], '');
    assert.equal(farm?.['uploadsPerMinute'], '');
  });

  it('is unchanged by a second migration, and by any of a later version', () => {
    for (const old of of010) assert.deepEqual(upToDate(upToDate(old)), upToDate(old));
    const later = { id: 'a', type: 'print-farm', z: '', name: '', version: currentVersion + 1, more: 1 };
    assert.deepEqual(upToDate(later as NodeDef), later);
  });
});
