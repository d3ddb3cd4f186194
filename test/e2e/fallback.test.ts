import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture } from '../fixtures';
import { RealFarm } from '../support/real-farm';

interface FlowNode {
  id: string;
  type: string;
  z?: string;
}

/** Flows as an earlier version brought them: they route what that version had, and nothing since. */
function removeApi(path: string): void {
  const flows = JSON.parse(readFileSync(path, 'utf8')) as FlowNode[];
  const api = flows.filter(({ type }) => type === 'fabrication-api' || type === 'http in');
  assert.ok(api.length > 1, 'the demonstration routes the API');
  writeFileSync(path, JSON.stringify(flows.filter((node) => !api.includes(node))));
}

describe('Endpoints that no flow routes', () => {
  const farm = new RealFarm();
  before(async () => {
    await farm.start();
    await farm.stop();
    removeApi(join(farm.data, 'node-red', 'flows.json'));
    await farm.start();
  });
  after(() => farm.kill9());

  it('are answered by the print-farm node', async () => {
    const { status, body } = await farm.api<{ printers: unknown[] }>('/printers');
    assert.deepEqual([status, body.printers.length], [200, 3]);
  });

  it('accept files and jobs, and follow them', async () => {
    const stl_path = await farm.upload(fixture('models', '20mm-xyz-cube.stl'));
    const id = await farm.submit({ job_name: 'cube', stl_path, material_id: 'pla_black_esun', hold: true });
    assert.equal((await farm.until(id, ({ status }) => status === 'queued')).job_name, 'cube');
  });

  it('reject what no endpoint is', async () => {
    const response = await fetch(`${farm.url}/api/fabrication/nothing`);
    const { code } = (await response.json()) as { code: string };
    assert.deepEqual([response.status, code], [404, 'not_found']);
  });

  it('reject a request from another site', async () => {
    const headers = { origin: 'http://elsewhere.example', 'content-type': 'application/json' };
    const response = await fetch(`${farm.url}/api/fabrication/pause`, { method: 'POST', headers, body: '{}' });
    assert.equal(response.status, 403);
    assert.equal((await farm.api<{ paused: unknown }>('/health')).status, 200);
  });

  it('stream events', async () => {
    const abort = new AbortController();
    const response = await fetch(`${farm.url}/api/fabrication/events`, { signal: abort.signal });
    assert.match(response.headers.get('content-type') ?? '', /text\/event-stream/);
    abort.abort();
  });
});
