import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import type { Farm } from '../../lib/farm/farm';
import { findJob } from '../../lib/store/jobs';
import { findPrinter, loadedSlots, type Printer } from '../../lib/store/printers';
import { Bench, truthNames } from '../simulators/support';
import { writeBox } from '../support/models';
import { temporaryDirectory } from '../support/servers';

const modules = [
  ...['print-farm', 'bambu-printer', 'elegoo-printer', 'klipper-printer', 'snapmaker-printer'],
  ...['job-submit', 'queue-optimizer', 'scheduler-tick', 'rabbitmq-dispatch'],
].map((type) => require(`../../nodes/${type}/${type}`) as (RED: NodeAPI) => void);

helper.init(require.resolve(process.env['PLATEWISE_TEST_NODE_RED'] ?? 'node-red'));

describe('What a printer node stores about its printer', function () {
  this.timeout(60_000);
  const bench = new Bench();
  let directory: string;
  before((done) => {
    helper.startServer(done);
  });
  after((done) => {
    helper.stopServer(done);
  });
  beforeEach(() => {
    directory = temporaryDirectory('described');
  });
  afterEach(async () => {
    await helper.unload();
    await bench.clean();
  });

  const farmId = 'f0f0f0f0f0f0f0f0';
  const tab = 'tab0000000000000';
  const load = async (
    printer: Record<string, unknown>,
    credentials: Record<string, string> = {},
    others: object[] = [],
  ): Promise<void> => {
    const node = { id: 'a100000000000000', z: tab, farm: farmId, host: '127.0.0.1', wires: [[]], ...printer };
    const flow = [
      { id: tab, type: 'tab' },
      { id: farmId, type: 'print-farm', dataDirectory: directory },
      { id: 'catch00000000000', type: 'catch', scope: null, z: tab, wires: [['caught0000000000']] },
      { id: 'caught0000000000', type: 'helper', z: tab, wires: [] },
      { ...node, timeScale: '600', simulated: 'true' },
      ...others,
    ];
    await helper.load(modules, flow as Parameters<typeof helper.load>[1], { a100000000000000: credentials });
  };
  const farm = (): Promise<Farm> => (helper.getNode(farmId) as Node & { farm(): Promise<Farm> }).farm();
  /** The printer, once this condition holds. */
  const stored = async (id: string, holds: (printer: Printer) => boolean): Promise<Printer> => {
    const { database } = await farm();
    for (;;) {
      const printer = await findPrinter(database, id).catch(() => undefined);
      if (printer && holds(printer)) return printer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const slotsOf = async (id: string): Promise<[string, number][]> => {
    const slots = await loadedSlots((await farm()).database);
    return slots.filter(({ printerId }) => printerId === id).map(({ slot, tool }) => [slot, tool]);
  };

  it('a Klipper printer has the size of its axes, and a slot for each of its extruders', async () => {
    const moonraker = await bench.start('moonraker', { profile: 'modern' });
    await load({ type: 'klipper-printer', printerId: 'voron', port: String(moonraker.ready.ports['http']) });
    const { capabilities, make } = await stored('voron', (one) => one.capabilities.buildVolume.max.x > 0);
    assert.equal(make, 'moonraker');
    assert.deepEqual(capabilities.buildVolume, { min: { x: 0, y: 0, z: 0 }, max: { x: 815.5, y: 805.5, z: 1020 } });
    assert.equal(capabilities.model, undefined);
    assert.ok(['PLA', 'PETG', 'ABS', 'ASA', 'TPU'].every((type) => capabilities.materialTypes.includes(type)));
    assert.deepEqual(await slotsOf('voron'), [['extruder', 0]]);
    moonraker.actions['heads']?.({ count: 2 });
    const fewer = await stored('voron', (one) => one.capabilities.buildVolume.max.x < 500);
    assert.equal(fewer.capabilities.buildVolume.max.x, 405.5);
    // Klipper reports its axes and its extruders one after the other.
    let slots = await slotsOf('voron');
    while (slots.length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      slots = await slotsOf('voron');
    }
    assert.deepEqual(slots, [
      ['extruder', 0],
      ['extruder1', 1],
    ]);
  });

  it('a Klipper printer accepts jobs as soon as it has reported its size', async () => {
    const moonraker = await bench.start('moonraker', { profile: 'modern', speed: 600 });
    const ours = (id: string, type: string, wires: string[]) => ({ id, type, z: tab, farm: farmId, wires: [wires] });
    await load({ type: 'klipper-printer', printerId: 'voron', port: String(moonraker.ready.ports['http']) }, {}, [
      ours('a200000000000000', 'job-submit', ['out0000000000000']),
      ours('a300000000000000', 'queue-optimizer', ['a400000000000000']),
      ours('a400000000000000', 'scheduler-tick', []),
      ours('a500000000000000', 'rabbitmq-dispatch', []),
      { id: 'out0000000000000', type: 'helper', z: tab, wires: [] },
    ]);
    await stored('voron', (one) => one.capabilities.buildVolume.max.x > 0 && one.online);
    const payload = {
      ...{ job_name: 'box', material_id: 'pla_black_esun', force_printer: 'voron' },
      stl_path: writeBox(join(directory, 'files', 'box.stl'), 20, 20, 4),
    };
    const answered = new Promise<{ payload: { job_id: string } }>((resolve) => {
      helper.getNode('out0000000000000').once('input', (message: unknown) => resolve(message as never));
    });
    helper.getNode('a200000000000000').receive({ payload });
    const { job_id: id } = (await answered).payload;
    const { database } = await farm();
    let job = await findJob(database, id);
    while (!['completed', 'failed', 'cancelled'].includes(job.status)) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      job = await findJob(database, id);
    }
    assert.equal(job.status, 'completed', job.statusReason ?? '');
    assert.ok(truthNames(moonraker).includes('finished'));
  });

  it("the owner's values take precedence over reported ones, field by field", async () => {
    const moonraker = await bench.start('moonraker', { profile: 'modern' });
    await load({
      ...{ type: 'klipper-printer', printerId: 'voron', port: String(moonraker.ready.ports['http']) },
      ...{ slots: 'extruder, spare=1', nozzles: '0.4, 0.6', buildX: '300', buildY: '300', buildZ: '250' },
      ...{ acceptsModels: 'Voron 2.4', bedExclusions: '0,0-20,20' },
    });
    const { capabilities } = await stored('voron', (one) => one.report !== null);
    assert.deepEqual(capabilities.buildVolume.max, { x: 300, y: 300, z: 250 });
    assert.deepEqual([capabilities.nozzleDiameters, capabilities.acceptsModels], [[0.4, 0.6], ['Voron 2.4']]);
    assert.deepEqual(capabilities.bedExclusions, [{ min: { x: 0, y: 0 }, max: { x: 20, y: 20 } }]);
    assert.deepEqual(await slotsOf('voron'), [
      ['extruder', 0],
      ['spare', 1],
    ]);
  });

  it('a Bambu that reports its model gets it, whatever model it had before', async () => {
    const bambu = await bench.start('bambu', { profile: 'x1' });
    const { ports, serial, ca_file: caFile, access_code: accessCode = '' } = bambu.ready;
    const reached = { serial, caFile, mqttPort: String(ports['mqtt']), ftpsPort: String(ports['ftps']) };
    await load({ type: 'bambu-printer', printerId: 'carbon', ...reached, slots: 'ams0-0' }, { accessCode });
    const { capabilities, report } = await stored('carbon', (one) => one.capabilities.model !== undefined);
    assert.deepEqual([capabilities.model, capabilities.buildVolume.max], ['BL-P001', { x: 256, y: 256, z: 250 }]);
    assert.deepEqual(capabilities.bedExclusions, [{ min: { x: 0, y: 0 }, max: { x: 18, y: 28 } }]);
    assert.notEqual(report?.state, 'fault');
  });

  it('the printers of the default farm stay exactly as they are', async () => {
    const bambu = await bench.start('bambu');
    const { ports, serial, ca_file: caFile, access_code: accessCode = '' } = bambu.ready;
    const reached = { serial, caFile, mqttPort: String(ports['mqtt']), ftpsPort: String(ports['ftps']) };
    await load({ type: 'bambu-printer', printerId: 'bamboo_h2d', ...reached }, { accessCode });
    const { capabilities } = await stored('bamboo_h2d', (one) => one.capabilities.model !== undefined);
    const { min, max } = capabilities.buildVolume;
    assert.deepEqual([max.x - min.x, max.y - min.y, max.z - min.z], [325, 320, 325]);
    assert.deepEqual([capabilities.model, capabilities.nozzleDiameters], ['O1D', [0.4, 0.4]]);
    assert.deepEqual(
      (await slotsOf('bamboo_h2d')).map(([slot]) => slot),
      ['ams0-0', 'ams0-1', 'ams0-2', 'ams0-3'],
    );
  });

  for (const [field, properties] of [
    ['nozzles', { type: 'klipper-printer', nozzles: '0,4' }],
    ['model', { type: 'bambu-printer', model: 'O1C2', serial: '1' }],
    ['slots', { type: 'snapmaker-printer', slots: 'nozzle0, nozzle0' }],
  ] as const) {
    it(`is rejected at deploy, with field, value and remedy: ${field}`, async () => {
      await load({ printerId: 'wrong', ...properties });
      const node = helper.getNode('a100000000000000') as Node & { error: { args: unknown[][] } };
      const [[text] = []] = node.error.args;
      assert.match(String(text), new RegExp(`${field} is "${String(Reflect.get(properties, field))}"`));
      if (field === 'model') assert.match(String(text), /in the air/);
      const { status } = node as unknown as { status: { args: { text: string }[][] } };
      assert.equal(status.args.at(-1)?.[0]?.text, 'not configured');
    });
  }
});
