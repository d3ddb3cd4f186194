import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Farm } from '../../lib/farm/farm';
import { syncSpoolman } from '../../lib/integrations/spoolman';
import { PlatewiseError } from '../../lib/model/errors';
import { allMaterials, allSpools } from '../../lib/store/materials';
import { dropFarm, openBareFarm } from '../support/bare-farm';
import { SpoolmanServer } from '../support/spoolman-server';

describe('Spoolman', () => {
  let farm: Farm;
  let server: SpoolmanServer;
  beforeEach(async () => {
    farm = await openBareFarm();
    server = await new SpoolmanServer().start();
  });
  afterEach(async () => {
    await server.stop();
    await dropFarm(farm);
  });

  const sync = () => syncSpoolman(farm, server.url);
  const here = async () => (await allSpools(farm.database)).map((spool) => spool.gramsLeft);
  const there = () => [...server.spools.values()].map((spool) => spool.remaining_weight);
  const use = (grams: number) => farm.database.query('UPDATE spools SET grams_left = grams_left - $1', [grams]);
  const nothing = { imported: 0, pushed: 0, pulled: 0 };

  it('imports its spools and their materials once, even with two processes at the same time', async () => {
    server.add(1, 750);
    server.add(2, 1000, {
      id: 8,
      name: undefined,
      vendor: undefined,
      material: 'pla',
      color_hex: 'zz',
      price: undefined,
      settings_extruder_temp: undefined,
    });
    const rounds = await Promise.all([sync(), sync()]);
    assert.equal(
      rounds.reduce((sum, round) => sum + round.imported, 0),
      2,
    );
    assert.deepEqual(await here(), [750, 1000]);
    const materials = (await allMaterials(farm.database)).filter(({ id }) => id.startsWith('spoolman_'));
    assert.deepEqual(
      materials.map(({ id, type, brand, colourHex, usdPerKg, nozzleTemperature }) => [
        id,
        type,
        brand,
        colourHex,
        usdPerKg,
        nozzleTemperature,
      ]),
      [
        ['spoolman_7', 'PETG', 'Prusament', '1A1A1A', 29.99, 250],
        ['spoolman_8', 'PLA', 'unknown', '808080', 0, 210],
      ],
    );
    assert.deepEqual(await sync(), nothing);
  });

  it('receives what was printed here, and reports what was used elsewhere; both add up', async () => {
    server.add(1, 800);
    await sync();
    await use(100);
    assert.deepEqual(await sync(), { imported: 0, pushed: 1, pulled: 0 });
    assert.deepEqual([await here(), there()], [[700], [700]]);
    const spool = server.spools.get(1);
    assert.ok(spool);
    spool.remaining_weight = 650;
    assert.deepEqual(await sync(), { imported: 0, pushed: 0, pulled: 1 });
    assert.deepEqual(await here(), [650]);
    spool.remaining_weight = 600;
    await use(30);
    assert.deepEqual(await sync(), { imported: 0, pushed: 1, pulled: 1 });
    assert.deepEqual([await here(), there()], [[570], [570]]);
    assert.deepEqual(await sync(), nothing);
  });

  it('updates the size of a spool after a refill there', async () => {
    server.add(1, 800);
    await sync();
    const spool = server.spools.get(1);
    assert.ok(spool);
    spool.remaining_weight = 2500;
    assert.deepEqual(await sync(), { imported: 0, pushed: 0, pulled: 1 });
    const [refilled] = await allSpools(farm.database);
    assert.deepEqual([refilled?.gramsLeft, refilled?.initialGrams], [2500, 2500]);
  });

  it('counts nothing twice if a reply is lost', async () => {
    server.add(1, 800);
    await sync();
    await use(100);
    server.loseNextReply = true;
    await assert.rejects(sync(), (error) => error instanceof PlatewiseError && error.code === 'spoolman_unavailable');
    assert.deepEqual(there(), [700]);
    await use(25);
    await sync();
    assert.deepEqual([await here(), there()], [[675], [675]]);
    assert.deepEqual(await sync(), nothing);
  });

  it('never goes below zero, and reports that a spool is low', async () => {
    server.add(1, 200);
    await sync();
    const spool = server.spools.get(1);
    assert.ok(spool);
    spool.remaining_weight = 40;
    await use(90);
    await sync();
    assert.deepEqual([await here(), there()], [[0], [0]]);
    const { rows } = await farm.database.query(`SELECT 1 FROM outbox WHERE body->>'event' = 'low_stock'`);
    assert.equal(rows.length, 0, 'it was already low when it was used here');
    await farm.database.query('UPDATE spools SET grams_left = 500, spoolman_grams = 500');
    spool.remaining_weight = 100;
    await sync();
    assert.equal((await farm.database.query(`SELECT 1 FROM outbox WHERE body->>'event' = 'low_stock'`)).rows.length, 1);
  });

  it('changes nothing while it is unreachable, and reports what to do', async () => {
    server.add(1, 800);
    await sync();
    const { url } = server;
    await server.stop();
    await assert.rejects(
      syncSpoolman(farm, url),
      (error) => error instanceof PlatewiseError && error.retryable && error.remedy !== '',
    );
    assert.deepEqual(await here(), [800]);
    server = await new SpoolmanServer().start();
  });

  it('is aborted if its answer does not end', async () => {
    let sent = 0;
    const endless = createServer((_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const more = (): void => {
        sent += chunk.length;
        if (!response.destroyed) response.write(chunk, more);
      };
      more();
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    try {
      await assert.rejects(
        syncSpoolman(farm, `http://127.0.0.1:${(endless.address() as AddressInfo).port}`),
        /answer is longer/,
      );
      assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes`);
    } finally {
      endless.closeAllConnections();
      endless.close();
    }
  });
});
