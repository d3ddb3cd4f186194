import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import { openFarm } from '../../lib/runtime';
import { addDefaultFarm } from '../support/default-farm';
import { writeBox } from '../support/models';
import { temporaryDirectory } from '../support/servers';

type NodeModule = (RED: NodeAPI) => void;
type FlowNode = Record<string, unknown> & { id: string; type: string };

const nodeRed = require.resolve(process.env['PLATEWISE_TEST_NODE_RED'] ?? 'node-red');
const core = dirname(require.resolve('@node-red/nodes/package.json', { paths: [dirname(nodeRed)] }));
const coreModules = [
  'common/20-inject',
  'common/90-comment',
  'function/89-delay',
  'function/15-change',
  'sequence/17-split',
  'network/10-mqtt',
];
const ourModules = ['print-farm', 'job-submit', 'queue-status', 'status-bus', 'rabbitmq-dispatch'];
const modules = [
  ...coreModules.map((path) => require(join(core, 'core', `${path}.js`)) as NodeModule),
  ...ourModules.map((type) => require(`../../nodes/${type}/${type}`) as NodeModule),
];
const example = JSON.parse(readFileSync(join('examples', 'home-assistant.json'), 'utf8')) as FlowNode[];

// Only ECMAScript modules may import it by name.
const loadBroker = async () => (await import('aedes')).Aedes;
type Broker = InstanceType<Awaited<ReturnType<typeof loadBroker>>>;

helper.init(nodeRed);

describe('The example for Home Assistant, on a real MQTT broker', () => {
  let broker: Broker;
  let server: Server;
  const kept = new Map<string, unknown>();
  let heard: () => void = () => undefined;

  before(async () => {
    broker = await (await loadBroker()).createBroker();
    server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    broker.on('publish', ({ topic, payload, retain }, client) => {
      if (!client) return;
      assert.equal(retain, true, topic);
      const text = payload.toString();
      kept.set(topic, text.startsWith('{') ? JSON.parse(text) : text);
      heard();
    });
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
  });
  after(async () => {
    await helper.unload();
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    server.close();
  });

  const until = async (satisfied: () => boolean): Promise<void> => {
    while (!satisfied()) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };

  it('announces every printer and the queue, and reports a new job immediately', async () => {
    const directory = temporaryDirectory('home-assistant');
    const flow = example.map((node) => {
      if (node.type === 'mqtt-broker') return { ...node, port: String((server.address() as AddressInfo).port) };
      if (node.type === 'print-farm') return { ...node, dataDirectory: directory };
      // Once is enough: the rest must come from the status bus.
      return node.type === 'inject' ? { ...node, repeat: '' } : node;
    });
    const farm = example.find(({ type }) => type === 'print-farm')?.id;
    const z = example[0]?.id;
    const ours = [
      { id: 'a100000000000000', type: 'job-submit', z, farm, wires: [[]] },
      { id: 'a200000000000000', type: 'rabbitmq-dispatch', z, farm, wires: [[]] },
    ];
    const made = await openFarm({ dataDirectory: directory, log: () => undefined });
    await addDefaultFarm(made.database);
    await made.close();
    await helper.load(modules, [...flow, ...ours] as Parameters<typeof helper.load>[1]);
    await until(() => kept.has('platewise/queue/state') && kept.has('platewise/availability'));
    assert.equal(kept.get('platewise/availability'), 'online');
    assert.deepEqual(kept.get('platewise/queue/state'), { queued: 0, printing: 0 });
    for (const id of ['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan']) {
      assert.ok(kept.has(`homeassistant/sensor/platewise_printer_${id}/state/config`), id);
      assert.ok(kept.has(`homeassistant/binary_sensor/platewise_printer_${id}/bed/config`), id);
      assert.equal((kept.get(`platewise/printer_${id}/state`) as { bed?: string }).bed, 'occupied');
    }
    helper.getNode('a100000000000000').receive({
      payload: {
        job_name: '+/#/{{ states }}',
        stl_path: writeBox(join(directory, 'files', 'box.stl'), 20, 20, 20),
        material_id: 'pla_black_esun',
      },
    });
    await until(() => (kept.get('platewise/queue/state') as { queued: number }).queued === 1);
    for (const topic of kept.keys()) assert.match(topic, /^[\w/-]+$/);
  });
});
