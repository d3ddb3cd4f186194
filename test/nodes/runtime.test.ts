import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import { openFarm } from '../../lib/runtime';
import type { PrintFarmNode } from '../../nodes/print-farm/print-farm-node';
import { addDefaultFarm } from '../support/default-farm';
import { writeBox } from '../support/models';
import { temporaryDirectory } from '../support/servers';

// The modules as Node-RED loads them: `export =` of one function each.
const modules = [
  'print-farm',
  'job-submit',
  'queue-optimizer',
  'scheduler-tick',
  'rabbitmq-dispatch',
  'status-bus',
  'queue-status',
  'job-control',
  'bambu-printer',
  'elegoo-printer',
  'snapmaker-printer',
].map((type) => require(`../../nodes/${type}/${type}`) as (RED: NodeAPI) => void);

type Message = Record<string, unknown> & { payload: Record<string, unknown>; statusCode?: number };

helper.init(require.resolve(process.env['PLATEWISE_TEST_NODE_RED'] ?? 'node-red'));

describe('The nodes', () => {
  let directory: string;
  let hours: Record<string, string> = {};
  const farmNode = () => ({
    id: 'f0f0f0f0f0f0f0f0',
    type: 'print-farm',
    name: 'farm',
    dataDirectory: directory,
    ...hours,
  });
  const ours = (id: string, type: string, more: Record<string, unknown> = {}) => ({
    id,
    type,
    farm: 'f0f0f0f0f0f0f0f0',
    wires: [['out0000000000000']],
    z: 'tab0000000000000',
    ...more,
  });
  const tab = { id: 'tab0000000000000', type: 'tab', label: 'test' };
  const out = { id: 'out0000000000000', type: 'helper', z: 'tab0000000000000', wires: [] };
  const catcher = {
    id: 'catch00000000000',
    type: 'catch',
    scope: null,
    z: 'tab0000000000000',
    wires: [['caught0000000000']],
  };
  const caught = { id: 'caught0000000000', type: 'helper', z: 'tab0000000000000', wires: [] };

  before((done) => {
    helper.startServer(done);
  });
  after((done) => {
    helper.stopServer(done);
  });
  beforeEach(() => {
    directory = temporaryDirectory('nodes');
    hours = {};
  });
  afterEach(async () => {
    await helper.unload();
  });

  const load = async (...nodes: Record<string, unknown>[]): Promise<void> => {
    await helper.load(modules, [tab, farmNode(), out, catcher, caught, ...nodes] as Parameters<typeof helper.load>[1]);
  };
  /** Adds printers and materials to the farm, once it is open. */
  const equip = async (): Promise<void> => {
    const { database } = await (helper.getNode('f0f0f0f0f0f0f0f0') as unknown as PrintFarmNode).farm();
    await addDefaultFarm(database);
  };
  const next = (id = 'out0000000000000'): Promise<Message> =>
    new Promise((resolve) => helper.getNode(id).once('input', (message: unknown) => resolve(message as Message)));
  const ask = async (id: string, message: Record<string, unknown>): Promise<Message> => {
    const answer = next();
    helper.getNode(id).receive(message);
    return answer;
  };
  const model = (): string => writeBox(join(directory, 'files', 'box.stl'), 20, 20, 20);
  const job = (): Record<string, unknown> => ({ job_name: 'box', stl_path: model(), material_id: 'pla_black_esun' });

  it('job-submit accepts a job from a wire and keeps the rest of the message', async () => {
    await load(ours('a100000000000000', 'job-submit'));
    await equip();
    const answer = await ask('a100000000000000', { payload: job(), order: 42 });
    assert.equal(answer.payload['status'], 'queued');
    assert.equal(answer['order'], 42);
    assert.equal(answer.statusCode, undefined);
  });

  it('a rejected job goes to the Catch node with its code, not further on the wire', async () => {
    await load(ours('a100000000000000', 'job-submit'));
    const error = next('caught0000000000');
    helper.getNode('a100000000000000').receive({ payload: { ...job(), material_id: 'unobtainium' } });
    const { error: told } = (await error) as unknown as { error: { message: string; code?: string } };
    assert.match(told.message, /material_id/);
  });

  it('with msg.req a node answers with a status code and problem details instead', async () => {
    await load(ours('a100000000000000', 'job-submit'));
    await equip();
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    const request = { method: 'POST', headers, params: {}, query: {} };
    const accepted = await ask('a100000000000000', { req: { ...request, body: job() } });
    assert.equal(accepted.statusCode, 201);
    const refused = await ask('a100000000000000', { req: { ...request, body: { ...job(), priority: 11 } } });
    assert.equal(refused.statusCode, 400);
    assert.equal(refused.payload['code'], 'malformed_input');
    assert.equal((refused['headers'] as Record<string, string>)['content-type'], 'application/problem+json');
  });

  it('queue-status and job-control work on the job that was submitted', async () => {
    await load(
      ours('a100000000000000', 'job-submit'),
      ours('a200000000000000', 'queue-status', { question: 'queue' }),
      ours('a300000000000000', 'job-control', { action: '' }),
      ours('a400000000000000', 'queue-status', { question: 'job' }),
    );
    await equip();
    const { payload } = await ask('a100000000000000', { payload: job() });
    const queue = await ask('a200000000000000', { payload: {} });
    assert.equal(queue.payload['total_jobs'], 1);
    const changed = await ask('a300000000000000', {
      payload: { action: 'priority', job_id: payload['job_id'], priority: 2 },
    });
    assert.equal(changed.payload['priority'], 2);
    const cancelled = await ask('a300000000000000', {
      payload: { action: 'cancel', job_id: payload['job_id'] },
      actor: 'ada',
    });
    assert.equal(cancelled.payload['status'], 'cancelled');
    const detail = await ask('a400000000000000', { payload: { job_id: payload['job_id'] } });
    const history = detail.payload['history'] as { changed_by: string }[];
    assert.equal(history.at(-1)?.changed_by, 'ada');
  });

  it('queue-optimizer plans by itself when a job arrives, and its plan can be ticked', async () => {
    await load(
      ours('a100000000000000', 'job-submit', { wires: [[]] }),
      ours('a500000000000000', 'queue-optimizer', { interval: 3600, wires: [['plan000000000000']] }),
      { id: 'plan000000000000', type: 'helper', z: 'tab0000000000000', wires: [] },
      ours('a600000000000000', 'scheduler-tick'),
    );
    await equip();
    const submitted = new Promise<Message>((resolve) => {
      const seen = helper.getNode('plan000000000000');
      const look = (message: unknown): void => {
        const plan = message as Message;
        if (Object.keys(plan.payload['positions'] as object).length === 0) return;
        seen.removeListener('input', look);
        resolve(plan);
      };
      seen.on('input', look);
    });
    helper.getNode('a100000000000000').receive({ payload: job() });
    const plan = await submitted;
    // Nothing can start: no printer node is deployed, so no printer is online.
    const ticked = await ask('a600000000000000', { payload: plan.payload });
    assert.equal(ticked.payload['scheduled_jobs'], 0);
    const error = next('caught0000000000');
    helper.getNode('a600000000000000').receive({ payload: { lines: 'all' } });
    assert.match(String(((await error)['error'] as { message: string }).message), /plan/);
  });

  it('status-bus reports each change that rabbitmq-dispatch publishes', async () => {
    await load(
      ours('a100000000000000', 'job-submit', { wires: [[]] }),
      ours('a700000000000000', 'rabbitmq-dispatch', { wires: [[]] }),
      ours('a800000000000000', 'status-bus', { events: 'job' }),
    );
    await until('a800000000000000', 'listening');
    await equip();
    const told = next();
    helper.getNode('a100000000000000').receive({ payload: job() });
    const { payload, ...rest } = await told;
    assert.equal(rest['topic'], 'job');
    assert.equal(payload['to_status'], 'queued');
    assert.equal(payload['job_seq'], 1);
  });

  it('a node without a farm reports it', async () => {
    await load({ ...ours('a100000000000000', 'job-submit'), farm: '' });
    const error = next('caught0000000000');
    helper.getNode('a100000000000000').receive({ payload: job() });
    assert.match(String(((await error)['error'] as { message: string }).message), /no print-farm/);
  });

  it('a farm with invalid hours stays closed, and each node reports what to fix', async () => {
    hours = { quietHours: '22:99-06:00' };
    await load(ours('a100000000000000', 'job-submit'));
    const error = next('caught0000000000');
    helper.getNode('a100000000000000').receive({ payload: job() });
    assert.match(String(((await error)['error'] as { message: string }).message), /quiet_hours "22:99-06:00".*HH:MM/);
    const request = { method: 'POST', headers: { host: '127.0.0.1' }, params: {}, query: {} };
    const refused = await ask('a100000000000000', { req: { ...request, body: job() } });
    assert.deepEqual([refused.statusCode, refused.payload['code']], [503, 'farm_not_open']);
  });

  it('a second process on the same data is rejected with an explanation', async () => {
    await load(ours('a200000000000000', 'queue-status', { question: 'queue' }));
    await ask('a200000000000000', { payload: {} });
    await assert.rejects(
      openFarm({ dataDirectory: directory, log: () => undefined }),
      /Another Platewise uses the data directory/,
    );
  });

  /** Resolves when a node shows this status. */
  function until(id: string, text: string): Promise<void> {
    return new Promise((resolve) => {
      const node = helper.getNode(id) as Node;
      node.on(
        'call:status' as 'close',
        ((call: { args: [{ text?: string }] }) => {
          if (call.args[0].text === text) resolve();
        }) as unknown as () => void,
      );
    });
  }
});
