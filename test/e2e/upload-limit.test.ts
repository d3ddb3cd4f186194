import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fixture } from '../fixtures';
import { platewise } from '../support/program';
import { RealFarm } from '../support/real-farm';

describe('Too many uploads', () => {
  const farm = new RealFarm();
  before(() => farm.start({ PLATEWISE_UPLOADS_PER_MINUTE: '3' }));
  after(() => farm.kill9());

  const cube = readFileSync(fixture('models', '20mm-xyz-cube.stl'));
  const send = async (key?: string): Promise<{ status: number; retryAfter: string | null; code: unknown }> => {
    const form = new FormData();
    form.append('file', new Blob([cube]), 'cube.stl');
    const response = await fetch(`${farm.url}/api/fabrication/files`, {
      method: 'POST',
      body: form,
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
    const { code } = (await response.json()) as { code?: unknown };
    return { status: response.status, retryAfter: response.headers.get('retry-after'), code };
  };

  it('are rejected with a retry time, for one client and not for another', async () => {
    for (let upload = 0; upload < 3; upload++) assert.equal((await send()).status, 201);
    const refused = await send();
    assert.deepEqual([refused.status, refused.code], [429, 'too_many_requests']);
    assert.ok(Number(refused.retryAfter) > 0 && Number(refused.retryAfter) <= 60, String(refused.retryAfter));
    // The shape of the answer is checked here against the description.
    const form = new FormData();
    form.append('file', new Blob([cube]), 'cube.stl');
    assert.equal((await farm.api('/files', { method: 'POST', body: form })).status, 429);
    assert.equal((await farm.api('/queue')).status, 200, 'nothing else is limited');

    const made = await platewise(['keys', 'create', '--name', 'shop', '--scope', 'submit'], {
      PLATEWISE_DATA: farm.data,
      DATABASE_URL: '',
    });
    assert.equal((await send(made.stdout.trim())).status, 201, 'another client');
  });
});
