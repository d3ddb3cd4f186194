import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpoints as table } from '../../lib/api/endpoints';
import type { Scope } from '../../lib/model/scope';
import { platewise } from '../support/program';
import { RealFarm } from '../support/real-farm';

/** Every endpoint of the API, called for things that do not exist. */
const endpoints = table.map(({ method, path }) => ({
  method,
  path: path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000'),
}));

/** The scope that each endpoint must require, repeated here on purpose. */
function needed({ method, path }: { method: string; path: string }): Scope | null {
  if (path === '/health') return null;
  if (method === 'GET' || ['/what-if', '/jobs/preview'].includes(path)) return 'read';
  return ['/jobs', '/files'].includes(path) ? 'submit' : 'operate';
}

const rank: Scope[] = ['read', 'submit', 'operate', 'admin'];

describe('Keys for the HTTP API', () => {
  const farm = new RealFarm();
  before(() => farm.start());
  after(() => farm.kill9());

  const keys = async (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    platewise(['keys', ...args], { PLATEWISE_DATA: farm.data, DATABASE_URL: '' });
  const made: Partial<Record<Scope, string>> = {};

  const ask = async (
    { method, path }: { method: string; path: string },
    key?: string,
  ): Promise<{ status: number; code: string | undefined; challenge: string | null }> => {
    const response = await fetch(`${farm.url}/api/fabrication${path}`, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(method !== 'GET' && { 'content-type': 'application/json' }),
      },
      ...(method !== 'GET' && { body: '{}' }),
    });
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    if (!isJson) await response.body?.cancel();
    const body = isJson ? ((await response.json()) as { code?: string }) : {};
    return { status: response.status, code: body.code, challenge: response.headers.get('www-authenticate') };
  };

  it('are not required until there is one', async () => {
    for (const endpoint of endpoints.filter(({ method }) => method === 'GET')) {
      const { status } = await ask(endpoint);
      assert.ok(status === 200 || status === 404, `${endpoint.path}: ${status}`);
    }
    assert.match((await keys('list')).stdout, /no key/);
  });

  it('close a stream that was opened before there was one', async () => {
    const stream = await fetch(`${farm.url}/api/fabrication/events`);
    assert.equal(stream.status, 200);
    assert.equal((await keys('create', '--name', 'first', '--scope', 'read')).code, 0);
    await stream.text();
  });

  it('are created, shown once, and rejected with invalid arguments', async () => {
    for (const scope of rank) {
      const { code, stdout, stderr } = await keys('create', '--name', `a ${scope} user`, '--scope', scope);
      assert.equal(code, 0, stderr);
      made[scope] = stdout.trim();
      assert.match(made[scope] ?? '', /^pw_[\w-]{43}$/);
    }
    assert.equal((await keys('create', '--name', 'x')).code, 2);
    assert.match((await keys('create', '--name', 'x', '--scope', 'god')).stderr, /no such scope/);
    assert.match((await keys('create', '--name', 'a read user', '--scope', 'read')).stderr, /already/);
    const list = (await keys('list', '--json')).stdout;
    assert.equal((JSON.parse(list) as unknown[]).length, 5);
    for (const key of Object.values(made)) assert.ok(!list.includes(key), 'a key is never shown again');
  });

  for (const endpoint of endpoints) {
    it(`guard ${endpoint.method} ${endpoint.path}`, async () => {
      const scope = needed(endpoint);
      const open = await ask(endpoint);
      if (scope === null) {
        assert.equal(open.status, 200);
        return;
      }
      assert.deepEqual([open.status, open.code], [401, 'unauthorized']);
      assert.match(open.challenge ?? '', /^Bearer/);
      assert.equal((await ask(endpoint, 'pw_made-up')).status, 401);
      for (const held of rank) {
        const { status, code } = await ask(endpoint, made[held]);
        if (rank.indexOf(held) < rank.indexOf(scope)) assert.deepEqual([status, code], [403, 'forbidden'], held);
        else assert.ok(status !== 401 && status !== 403 && status < 500, `${held}: ${status}`);
      }
    });
  }

  it('close the streams opened with them when they are revoked', async () => {
    const { stdout } = await keys('create', '--name', 'screen', '--scope', 'read');
    const stream = await fetch(`${farm.url}/api/fabrication/events`, {
      headers: { authorization: `Bearer ${stdout.trim()}` },
    });
    assert.equal(stream.status, 200);
    assert.equal((await keys('revoke', '--name', 'screen')).code, 0);
    // Resolves when the other side has closed it.
    await stream.text();
  });

  it('appear by name in the history, and are useless once revoked', async () => {
    const authorization = `Bearer ${made.admin}`;
    const form = new FormData();
    form.append('file', new Blob([readFileSync(join('test', 'fixtures', 'models', '20mm-xyz-cube.stl'))]), 'cube.stl');
    const { body: file } = await farm.api<{ stl_path: string }>('/files', {
      method: 'POST',
      body: form,
      headers: { authorization },
    });
    const { body } = await farm.api<{ job_id: string }>('/jobs', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ job_name: 'cube', stl_path: file.stl_path, material_id: 'pla_black_esun', hold: true }),
    });
    const job = await farm.api<{ history: { changed_by: string }[] }>(`/jobs/${body.job_id}`, {
      headers: { authorization },
    });
    assert.equal(job.body.history[0]?.changed_by, 'api:a admin user');
    for (const scope of rank) assert.equal((await keys('revoke', '--name', `a ${scope} user`)).code, 0);
    assert.equal((await ask({ method: 'GET', path: '/queue' }, made.admin)).status, 401, 'it stays locked');
    assert.equal((await keys('revoke', '--name', 'nobody')).code, 1);
    for (const key of Object.values(made)) assert.ok(!farm.output.includes(key), 'no key in the log');
  });
});
