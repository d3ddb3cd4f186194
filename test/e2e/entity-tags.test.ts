import assert from 'node:assert/strict';
import { fixture } from '../fixtures';
import { RealFarm } from '../support/real-farm';

describe('Entity tags of jobs', () => {
  const farm = new RealFarm();
  let id: string;
  before(async () => {
    await farm.start();
    id = await farm.submit({
      job_name: 'cube',
      stl_path: await farm.upload(fixture('models', '20mm-xyz-cube.stl')),
      material_id: 'pla_black_esun',
      hold: true,
    });
  });
  after(() => farm.kill9());

  const look = async (known?: string): Promise<{ status: number; tag: string; text: string }> => {
    const headers = known === undefined ? {} : { 'if-none-match': known };
    const response = await fetch(`${farm.url}/api/fabrication/jobs/${id}`, { headers });
    return { status: response.status, tag: response.headers.get('etag') ?? '', text: await response.text() };
  };
  const change = (
    method: string,
    path: string,
    tag: string | undefined,
    json?: object,
  ): Promise<{ status: number; body: { code?: string; errors?: { field: string }[] } }> =>
    farm.api(`/jobs/${id}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(tag !== undefined && { 'if-match': tag }) },
      ...(json && { body: JSON.stringify(json) }),
    });

  it('let a client skip what it already has', async () => {
    const { status, tag } = await look();
    assert.equal(status, 200);
    assert.match(tag, /^"\d+\.[\w-]{16}"$/);
    const again = await look(tag);
    assert.deepEqual([again.status, again.text], [304, '']);
    assert.equal((await change('PATCH', '/priority', undefined, { priority: 4 })).status, 200);
    const changed = await look(tag);
    assert.equal(changed.status, 200);
    assert.notEqual(changed.tag, tag);
  });

  const changes: [string, string, object?][] = [
    ['PATCH', '', { priority: 2 }],
    ['PATCH', '/priority', { priority: 1 }],
    ['PATCH', '/printer', { force_printer: 'elegoo_giga' }],
    ['POST', '/hold'],
    ['POST', '/release'],
    ['DELETE', ''],
  ];
  for (const [method, path, json] of changes) {
    it(`reject a change that is based on an older version: ${method} ${path}`, async () => {
      const { tag: old } = await look();
      assert.equal((await change('PATCH', '/printer', undefined, { force_printer: null })).status, 200);
      const before = await look();
      for (const stale of [old, '"1.AAAAAAAAAAAAAAAA"', '"something else"', `W/${before.tag}`]) {
        const { status, body } = await change(method, path, stale, json);
        assert.deepEqual([status, body.code, body.errors?.[0]?.field], [412, 'stale_version', 'If-Match']);
      }
      const nonsense = await change(method, path, 'no tag', json);
      assert.deepEqual([nonsense.status, nonsense.body.code], [400, 'malformed_input']);
      assert.deepEqual(await look(), before, 'nothing has changed');
    });
  }

  it('accept only one of several changes that are based on the same version', async () => {
    const { tag } = await look();
    const priorities = [1, 2, 3, 6, 7, 8, 9, 10];
    const answers = await Promise.all(
      priorities.map((priority) => change('PATCH', '/priority', `"old", ${tag}`, { priority })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...priorities.slice(1).map(() => 412)]);
    const winner = priorities[answers.findIndex(({ status }) => status === 200)];
    assert.equal((JSON.parse((await look()).text) as { priority: number }).priority, winner);
  });

  it('accept a change that is based on the current version', async () => {
    for (const [method, path, json] of changes) {
      // A released job may start moving: it may have changed since it was read.
      const tag = path === '' ? '*' : (await look()).tag;
      const { status } = await change(method, path, tag, json);
      assert.ok(status === 200 || status === 202, `${method} ${path}: ${status}`);
    }
  });
});
