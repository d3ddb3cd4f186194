import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpoints } from '../../lib/api/endpoints';

const root = process.cwd();
const { 'node-red': nodeRed } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  'node-red': { nodes: Record<string, string> };
};
const ours = Object.keys(nodeRed.nodes);
const core = [
  ...['tab', 'group', 'subflow', 'comment', 'inject', 'debug', 'catch', 'complete', 'status', 'link in', 'link out'],
  ...['link call', 'function', 'switch', 'change', 'range', 'template', 'delay', 'trigger', 'rbe', 'json', 'split'],
  ...[
    'join',
    'sort',
    'batch',
    'http in',
    'http response',
    'http request',
    'tls-config',
    'file',
    'file in',
    'mqtt out',
    'mqtt-broker',
  ],
];

interface FlowNode {
  id: string;
  type: string;
  z?: string;
  farm?: string;
  wires?: string[][];
  url?: string;
  method?: string;
  upload?: boolean;
  statusCode?: string;
  info?: string;
}

const directory = join(root, 'examples');
const names = [
  ...readdirSync(directory),
  ...readdirSync(join(directory, 'nodes')).map((name) => join('nodes', name)),
].filter((name) => name.endsWith('.json'));
const load = (name: string): FlowNode[] => JSON.parse(readFileSync(join(root, 'examples', name), 'utf8')) as FlowNode[];

for (const name of names) {
  describe(`The example ${name}`, () => {
    const flow = load(name);

    it('is an array of nodes with their own ids', () => {
      assert.ok(Array.isArray(flow));
      for (const { id } of flow) assert.match(id, /^[0-9a-f]{16}$/);
      assert.equal(new Set(flow.map(({ id }) => id)).size, flow.length);
    });

    it('needs only installed packages', () => {
      for (const { type } of flow) {
        const known = ours.includes(type) || core.includes(type);
        assert.ok(known || (name.startsWith('dashboard') && type.startsWith('ui-')), type);
      }
    });

    it('contains the farm that its nodes use', () => {
      const farms = flow.filter(({ type }) => type === 'print-farm').map(({ id }) => id);
      for (const node of flow) {
        if (ours.includes(node.type) && node.type !== 'print-farm') assert.ok(farms.includes(node.farm ?? ''), node.id);
      }
    });

    it('has no dangling wire, and no node outside its tabs', () => {
      const ids = new Set(flow.map(({ id }) => id));
      for (const node of flow) {
        for (const target of (node.wires ?? []).flat()) assert.ok(ids.has(target), `${node.id} → ${target}`);
        if (node.z !== undefined) assert.ok(ids.has(node.z), node.id);
      }
    });

    it('describes its purpose on its tab', () => {
      for (const tab of flow.filter(({ type }) => type === 'tab')) assert.ok((tab.info ?? '').length > 40);
    });
  });
}

describe('The example dashboard.json', () => {
  it('is built from the pages beside it', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'dashboard.mjs'), '--check']);
    assert.equal(status, 0, String(stderr));
  });
});

describe('The examples together', () => {
  it('show every node type', () => {
    const shown = new Set(names.flatMap((name) => load(name).map(({ type }) => type)));
    assert.deepEqual(
      ours.filter((type) => !shown.has(type)),
      [],
    );
  });

  it('show each node in an example of its own', () => {
    for (const type of ours.filter((one) => one !== 'print-farm')) {
      assert.ok(
        load(join('nodes', `${type}.json`)).some((node) => node.type === type),
        type,
      );
    }
  });

  it('can be imported one after the other: they share only the farm', () => {
    const farms = new Map<string, string>();
    const owners = new Map<string, string>();
    for (const name of names) {
      for (const node of load(name)) {
        if (node.type === 'print-farm') farms.set(node.id, JSON.stringify(node));
        else if (owners.has(node.id)) assert.fail(`${node.id} is in ${owners.get(node.id)} and in ${name}`);
        else owners.set(node.id, name);
      }
    }
    assert.equal(farms.size, 1);
  });
});

describe('The example of the HTTP API', () => {
  const flow = load('api.json');
  const byId = new Map(flow.map((node) => [node.id, node]));
  const requests = flow.filter(({ type }) => type === 'http in');

  it('has a route for every method below the base path, once', () => {
    assert.deepEqual(
      requests.map(({ method, url }) => `${method} ${url}`).sort(),
      ['delete', 'get', 'patch', 'post', 'put'].map((method) => `${method} /api/fabrication/*`),
    );
  });

  it('is one node between request and response, which sets the status itself', () => {
    for (const request of requests) {
      assert.equal(request.upload, false, 'the upload would be read into memory');
      const [node] = (request.wires ?? []).flat().map((id) => byId.get(id));
      assert.equal(node?.type, 'fabrication-api');
      const [response] = (node?.wires ?? []).flat().map((id) => byId.get(id));
      assert.equal(response?.type, 'http response');
      assert.equal(response?.statusCode, '');
    }
  });
});

describe('The flow of the HTTP API as 0.1.0 shipped it', () => {
  const flow = JSON.parse(
    readFileSync(join(root, 'test', 'fixtures', 'flows', 'api-0.1.0.json'), 'utf8'),
  ) as (FlowNode & {
    action?: string;
    question?: string;
  })[];

  it('names only nodes, actions and questions that still exist', () => {
    const actions = endpoints.flatMap(({ action }) => action?.name ?? []);
    const questions = endpoints.flatMap(({ question }) => question?.name ?? []);
    for (const { type, action, question } of flow) {
      assert.ok(ours.includes(type) || core.includes(type), type);
      if (type === 'job-control') assert.ok(actions.includes(action ?? ''), action);
      if (type === 'queue-status') assert.ok(questions.includes(question ?? ''), question);
    }
  });

  it('routes to endpoints that are still in the table', () => {
    const known = endpoints.map(({ method, path }) => `${method} ${path}`);
    for (const { type, method = '', url = '' } of flow) {
      if (type !== 'http in') continue;
      const path = url.replace('/api/fabrication', '').replace(/:(\w+)/g, '{$1}');
      assert.ok(known.includes(`${method.toUpperCase()} ${path}`), url);
    }
  });
});
