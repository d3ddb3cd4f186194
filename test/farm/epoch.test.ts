import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EpochVerdict, FarmRestoredError, judgeEpoch } from '../../lib/farm/epoch';
import type { Farm } from '../../lib/farm/farm';
import { restored } from '../../lib/jobs/restored';
import { allPrinters, clearBed, lockPrinter } from '../../lib/store/printers';
import { health } from '../../lib/views/health';
import { makeReady, openBareFarm } from '../support/bare-farm';
import { OwnDatabase } from '../support/own-database';
import { temporaryDirectory } from '../support/servers';

describe('The comparison of a database with the note kept outside it', () => {
  const note = { farm: 'a', epoch: 5, node: 'n', mark: 10 };
  const cases: [string, typeof note | undefined, { id: string; epoch: number }, number | undefined, EpochVerdict][] = [
    ['no note', undefined, { id: 'a', epoch: 5 }, undefined, 'new'],
    ['another farm', note, { id: 'b', epoch: 1 }, undefined, 'new'],
    ['another farm with a higher count', note, { id: 'b', epoch: 9 }, 20, 'new'],
    ['the same count', note, { id: 'a', epoch: 5 }, 10, 'same'],
    ['a crash before the note was written', note, { id: 'a', epoch: 5 }, 11, 'same'],
    ['a lower count', note, { id: 'a', epoch: 5 }, 9, 'restored'],
    ['no count for this directory', note, { id: 'a', epoch: 5 }, undefined, 'restored'],
    ['an earlier epoch', note, { id: 'a', epoch: 4 }, 20, 'restored'],
    ['a later epoch', note, { id: 'a', epoch: 6 }, undefined, 'treated'],
  ];
  for (const [name, known, farm, mark, verdict] of cases) {
    it(`is "${verdict}" for ${name}`, () => assert.equal(judgeEpoch(known, farm, mark), verdict));
  }
});

describe('The epoch of a farm', () => {
  let own: OwnDatabase;
  let data: string;
  let farms: Farm[];
  let log: string[];
  beforeEach(async () => {
    own = await new OwnDatabase().create();
    data = temporaryDirectory('epoch');
    farms = [];
    log = [];
  });
  afterEach(async () => {
    for (const farm of farms) await farm.close();
    await own.drop();
  });

  async function open(dataDirectory = data): Promise<Farm> {
    const databaseUrl = await own.url();
    const options = { dataDirectory, databaseUrl, schema: 'public' };
    const farm = await openBareFarm({ ...options, log: (level, message) => log.push(`${level} ${message}`) });
    farms.push(farm);
    return farm;
  }
  const note = (directory = data): { epoch: number; mark: number; farm: string } =>
    JSON.parse(readFileSync(join(directory, 'epoch.json'), 'utf8')) as { epoch: number; mark: number; farm: string };
  const told = (): number => log.filter((line) => line.includes('it was restored')).length;
  const beds = async (farm: Farm): Promise<string[]> =>
    (await allPrinters(farm.database)).map(({ bedState }) => bedState);
  /** The operator's action after inspecting a bed. */
  const clear = (farm: Farm): Promise<unknown> =>
    farm.database.transaction(async (tx) => clearBed(tx, await lockPrinter(tx, 'elegoo_giga'), undefined, 'operator'));

  it('is kept in a file that only its user can read, and counts each start of the farm', async () => {
    await (await open()).close();
    assert.equal(statSync(join(data, 'epoch.json')).mode & 0o777, 0o600);
    const before = note();
    await (await open()).close();
    assert.ok(note().mark > before.mark);
    assert.deepEqual([note().epoch, note().farm], [before.epoch, before.farm]);
    assert.equal(told(), 0);
  });

  it('counts each intent to start, before the start is sent', async () => {
    const farm = await open();
    const before = note().mark;
    const noted = await farm.database.transaction((tx) => farm.epoch.remember(tx));
    assert.equal(note().mark, before, 'not before it is committed');
    await noted();
    assert.equal(note().mark, before + 1);
    await assert.rejects(
      farm.database.transaction(async (tx) => {
        await farm.epoch.remember(tx);
        throw new Error('undone');
      }),
      /undone/,
    );
    assert.equal(note().mark, before + 1);
  });

  it('detects a restored database, once, and health reports it until the beds were inspected', async () => {
    const farm = await open();
    await makeReady(farm);
    await farm.close();
    const backup = await own.backUp();
    await (await open()).close();
    await own.putBack(backup);
    const again = await open();
    assert.equal(told(), 1);
    assert.deepEqual(await beds(again), ['occupied', 'occupied', 'occupied']);
    assert.ok((await health(again)).reasons.some(({ code }) => code === 'database_restored'));
    for (const { id } of await allPrinters(again.database)) {
      await again.database.transaction(async (tx) => clearBed(tx, await lockPrinter(tx, id), undefined, 'operator'));
    }
    assert.ok(!(await health(again)).reasons.some(({ code }) => code === 'database_restored'));
    await again.close();
    const later = await open();
    assert.equal(told(), 1);
    assert.deepEqual(await beds(later), ['clear', 'clear', 'clear']);
  });

  it('detects it in a running process, which then starts nothing', async () => {
    await (await open()).close();
    const backup = await own.backUp();
    const running = await open();
    await own.putBack(backup);
    await assert.rejects(
      running.database.transaction((tx) => running.epoch.remember(tx)),
      FarmRestoredError,
    );
    await running.epoch.check();
    assert.equal(told(), 1);
    const noted = await running.database.transaction((tx) => running.epoch.remember(tx));
    await noted();
  });

  it('handles it once when several nodes of the farm start', async () => {
    const other = temporaryDirectory('epoch-other');
    await (await open()).close();
    await (await open(other)).close();
    const backup = await own.backUp();
    await (await open()).close();
    await (await open(other)).close();
    await own.putBack(backup);
    const first = await open();
    await clear(first);
    const second = await open(other);
    assert.equal(told(), 1);
    assert.ok((await beds(second)).includes('clear'), 'a bed that was cleared since then stays clear');
    assert.equal(note(other).epoch, note().epoch);
  });

  it('detects a restore to a state before an earlier restore', async () => {
    await (await open()).close();
    const backup = await own.backUp();
    await (await open()).close();
    await own.putBack(backup);
    await (await open()).close();
    await own.putBack(backup);
    await open();
    assert.equal(told(), 2);
  });

  it('recognises a new node, a new data directory and another farm', async () => {
    await clear(await open());
    const newNode = await open(temporaryDirectory('epoch-new'));
    assert.ok((await beds(newNode)).includes('clear'));
    for (const farm of farms.splice(0)) await farm.close();
    const first = note().farm;
    const old = own;
    own = await new OwnDatabase().create();
    try {
      await open();
      assert.notEqual(note().farm, first);
      assert.equal(told(), 0);
    } finally {
      await old.drop();
    }
  });

  it('continues if the note cannot be read, and reports what to do', async () => {
    await clear(await open());
    for (const farm of farms.splice(0)) await farm.close();
    writeFileSync(join(data, 'epoch.json'), '{"farm":');
    const farm = await open();
    assert.ok((await beds(farm)).includes('clear'));
    assert.ok(log.some((line) => line.includes('platewise restored')));
    assert.ok(note().mark > 0);
  });

  it('does not repeat what "platewise restored" has already done', async () => {
    await (await open()).close();
    const backup = await own.backUp();
    await (await open()).close();
    await own.putBack(backup);
    const elsewhere = await open(temporaryDirectory('epoch-command'));
    await restored(elsewhere.database, 'ada');
    await clear(elsewhere);
    const farm = await open();
    assert.equal(told(), 0);
    assert.ok((await beds(farm)).includes('clear'));
  });
});
