import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import { readCapabilities } from '../../nodes/printer/printer-fields';
import { Bench } from '../simulators/support';
import { temporaryDirectory } from '../support/servers';

const modules = ['print-farm', 'bambu-printer', 'elegoo-printer', 'klipper-printer', 'snapmaker-printer'].map(
  (type) => require(`../../nodes/${type}/${type}`) as (RED: NodeAPI) => void,
);

interface Answer {
  ready: boolean;
  report: { state: string } | null;
  checks: { check: string; message: string; remedy: string }[];
}

interface Table {
  models: { token: string; name: string; defaults: Record<string, string> }[];
  refused: { token: string; name: string; reason: string }[];
  fallback: Record<string, string>;
}

helper.init(require.resolve(process.env['PLATEWISE_TEST_NODE_RED'] ?? 'node-red'));

describe('The buttons of a printer form', function () {
  this.timeout(60_000);
  const bench = new Bench();
  before((done) => {
    helper.startServer(done);
  });
  after((done) => {
    helper.stopServer(done);
  });
  beforeEach(() => helper.load(modules, []));
  afterEach(async () => {
    await helper.unload();
    await bench.clean();
  });

  const test = async (type: string, body: object): Promise<Answer> => {
    const reply = await helper.request().post(`/platewise/${type}/test`).send(body);
    assert.equal(reply.status, 200, reply.text);
    return reply.body as Answer;
  };

  it('reject a search from a page of another site', async () => {
    for (const name of ['test', 'discover']) {
      for (const headers of [
        { origin: 'http://evil.example' },
        { 'sec-fetch-site': 'same-site' },
        { host: 'evil.example' },
      ]) {
        const reply = await helper.request().post(`/platewise/elegoo-printer/${name}`).set(headers).send({});
        assert.equal(reply.status, 403, reply.text);
      }
    }
  });

  it('test a connection to each make, with the values in the form', async () => {
    const bambu = await bench.start('bambu');
    const moonraker = await bench.start('moonraker', { accessCode: 'c'.repeat(32) });
    const snapmaker = await bench.start('snapmaker');
    const { ports } = bambu.ready;
    const properties = {
      printerId: 'p',
      host: '127.0.0.1',
      serial: bambu.ready.serial,
      caFile: bambu.ready.ca_file,
      mqttPort: String(ports['mqtt']),
      ftpsPort: String(ports['ftps']),
    };
    const accessCode = bambu.ready.access_code;
    const seen = [
      await test('bambu-printer', { id: 'new', properties, credentials: { accessCode } }),
      await test('elegoo-printer', {
        properties: { host: '127.0.0.1', port: String(moonraker.ready.ports['http']), printerId: 'p' },
        credentials: { apiKey: 'c'.repeat(32) },
      }),
      await test('snapmaker-printer', {
        properties: { host: '127.0.0.1', port: String(snapmaker.ready.ports['sacp']), printerId: 'p' },
        credentials: { token: 'ours' },
      }),
    ];
    for (const answer of seen) {
      assert.deepEqual([answer.ready, answer.checks, answer.report?.state], [true, [], 'idle']);
    }
    assert.deepEqual((seen[1] as Answer & { defaults?: Record<string, string> }).defaults?.['buildX'], '800');
    const [h2d] = seen as (Answer & { defaults?: Record<string, string> })[];
    assert.deepEqual([h2d?.defaults?.['buildX'], h2d?.defaults?.['acceptsModels']], ['325', 'Bambu Lab H2D, O1D']);
    const wrong = await test('bambu-printer', { id: 'new', properties, credentials: { accessCode: 'wrong000' } });
    assert.deepEqual([wrong.ready, wrong.report, wrong.checks[0]?.check], [false, null, 'printer_refused']);
    assert.ok(!JSON.stringify(wrong).includes('wrong000'));
    const other = await test('bambu-printer', {
      id: 'new',
      properties: { ...properties, model: 'N1' },
      credentials: { accessCode },
    });
    assert.equal(other.ready, false);
    assert.match(
      other.checks[0]?.message ?? '',
      /set up as a Bambu Lab A1 mini, and reports that it is a Bambu Lab H2D/,
    );
  });

  it('use the connection of a deployed node, because an Artisan accepts one client only', async () => {
    const snapmaker = await bench.start('snapmaker');
    const port = String(snapmaker.ready.ports['sacp']);
    const node = {
      id: 'a100000000000000',
      type: 'snapmaker-printer',
      z: 'tab0000000000000',
      farm: 'f0f0f0f0f0f0f0f0',
      printerId: 'artisan',
      host: '127.0.0.1',
      port,
      timeScale: '60',
      simulated: 'true',
      ...{ buildX: '400', buildY: '400', buildZ: '400', slots: '', wires: [[]] },
    };
    const farm = { id: 'f0f0f0f0f0f0f0f0', type: 'print-farm', dataDirectory: temporaryDirectory('routes') };
    const tab = { id: 'tab0000000000000', type: 'tab' };
    await helper.unload();
    await helper.load(modules, [tab, farm, node] as Parameters<typeof helper.load>[1], {
      a100000000000000: { token: 'ours' },
    });
    while (snapmaker.state()['connected'] !== true) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const properties = { host: '127.0.0.1', port, printerId: 'artisan' };
    const answer = await test('snapmaker-printer', { id: node.id, properties, credentials: { token: '__PWRD__' } });
    assert.deepEqual([answer.ready, answer.checks], [true, []]);
  });

  it('return the models, the effective values of empty fields, and the unsupported models with the reason', async () => {
    const bambu = (await helper.request().get('/platewise/bambu-printer/models')).body as Table;
    const byToken = new Map(bambu.models.map(({ token, ...model }) => [token, model]));
    assert.deepEqual(byToken.get('BL-P001')?.name, 'Bambu Lab X1 Carbon');
    const { buildX, nozzles, bedExclusions, acceptsModels, slots } = byToken.get('O1D')?.defaults ?? {};
    assert.deepEqual([buildX, nozzles, bedExclusions], ['325', '0.4, 0.4', undefined]);
    assert.deepEqual([acceptsModels, slots], ['Bambu Lab H2D, O1D', 'ams0-0, ams0-1, ams0-2, ams0-3']);
    assert.equal(byToken.get('C12')?.defaults['bedExclusions'], '0,0-18,28');
    assert.deepEqual(
      bambu.refused.map(({ token, reason }) => [token, reason.length > 20]),
      [
        ['O1C2', true],
        ['N9', true],
      ],
    );
    const klipper = (await helper.request().get('/platewise/klipper-printer/models')).body as Table;
    assert.deepEqual([klipper.refused, klipper.fallback['buildX']], [[], undefined]);
    const neptune = klipper.models.find(({ token }) => token === 'neptune_4_pro')?.defaults ?? {};
    assert.deepEqual([neptune['buildZ'], neptune['acceptsModels']], ['265', 'Elegoo Neptune 4 Pro, Neptune 4 Pro']);
    const elegoo = (await helper.request().get('/platewise/elegoo-printer/models')).body as Table;
    assert.deepEqual([elegoo.fallback['buildX'], elegoo.fallback['slots']], ['800', 'extruder']);
    // The form shows what the server reads.
    for (const { defaults } of [...bambu.models, { defaults: elegoo.fallback }]) {
      assert.doesNotThrow(() => readCapabilities(defaults, () => 0));
    }
  });

  it('return the printers that were found', async () => {
    const reply = await helper.request().post('/platewise/snapmaker-printer/discover').send({ host: '127.0.0.1' });
    assert.equal(reply.status, 200);
    assert.ok(Array.isArray((reply.body as { printers: unknown }).printers));
  });

  it('reject an invalid address, and name the field', async () => {
    for (const host of ['', 'http://printer/', 7]) {
      const reply = await helper.request().post('/platewise/elegoo-printer/test').send({ properties: { host } });
      assert.equal(reply.status, 400);
      assert.match(reply.headers['content-type'] ?? '', /problem\+json/);
      const [error] = (JSON.parse(reply.text) as { errors: { field: string; remedy: string }[] }).errors;
      assert.equal(error?.field, 'properties.host');
      assert.ok(error?.remedy);
    }
  });

  it('are only for users who may write', () => {
    const asked: string[] = [];
    const routes: [string, string][] = [];
    const guard = (): void => {};
    const RED = {
      auth: {
        needsPermission: (permission: string) => {
          asked.push(permission);
          return guard;
        },
      },
      httpAdmin: {
        post: (path: string, first: unknown) => routes.push([path, first === guard ? 'guarded' : 'open']),
        get: (path: string, first: unknown) => routes.push([path, first === guard ? 'guarded' : 'open']),
      },
      nodes: { registerType: () => {} },
    } as unknown as NodeAPI;
    for (const register of modules.slice(1)) register(RED);
    const kinds = ['bambu', 'elegoo', 'klipper', 'snapmaker'];
    assert.deepEqual(
      asked,
      kinds.flatMap((kind) => [`${kind}-printer.write`, `${kind}-printer.read`]),
    );
    assert.deepEqual(
      routes,
      kinds.flatMap((kind) =>
        ['test', 'models', 'discover'].map((name) => [`/platewise/${kind}-printer/${name}`, 'guarded']),
      ),
    );
  });
});
