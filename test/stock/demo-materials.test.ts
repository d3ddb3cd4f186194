import assert from 'node:assert/strict';
import { addDemoMaterials, demoMaterials } from '../../lib/stock/demo-materials';
import type { Database } from '../../lib/store/database';
import { allMaterials } from '../../lib/store/materials';
import { archiveMaterial, insertMaterial } from '../../lib/store/stock-changes';
import { freshDatabase } from '../support/fresh-database';

describe('The materials of the demonstration', () => {
  let database: Database;
  let drop: () => Promise<void>;
  beforeEach(async () => {
    ({ database, drop } = await freshDatabase());
  });
  afterEach(() => drop());
  const add = () => database.transaction(addDemoMaterials);
  const ids = async () => (await allMaterials(database)).map(({ id }) => id);
  const all = demoMaterials.map(({ id }) => id).sort();

  it('are added to a farm that has none, once, even by several printers at the same time', async () => {
    await Promise.all([add(), add(), add()]);
    assert.deepEqual(await ids(), all);
    assert.deepEqual(
      (await allMaterials(database)).map(({ name }) => name),
      [...demoMaterials].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ name }) => name),
    );
  });

  it('are limited to those in the simulated printers if the farm has materials of its own', async () => {
    const [own] = demoMaterials;
    assert.ok(own);
    await database.transaction((tx) => insertMaterial(tx, { ...own, id: 'mine' as typeof own.id }));
    await add();
    assert.deepEqual(await ids(), ['mine', 'petg_black_esun', 'pla_black_esun', 'pla_white_esun']);
  });

  it('stay archived once they were archived', async () => {
    await add();
    await database.transaction((tx) => archiveMaterial(tx, 'pla_red_esun' as (typeof demoMaterials)[number]['id']));
    await add();
    const { rows } = await database.query('SELECT id FROM materials WHERE archived_at IS NOT NULL');
    assert.deepEqual(rows, [{ id: 'pla_red_esun' }]);
  });
});
