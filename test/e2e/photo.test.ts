import assert from 'node:assert/strict';
import { PNG } from 'pngjs';
import { fixture } from '../fixtures';
import { RealFarm } from '../support/real-farm';

describe('Photos over HTTP', () => {
  const farm = new RealFarm();
  let path: string;
  before(async () => {
    await farm.start({ SIM_SPEED: '240' });
    path = await farm.upload(fixture('models', '20mm-xyz-cube.stl'));
  });
  after(() => farm.kill9());

  const submit = (more: Record<string, unknown>): Promise<string> =>
    farm.submit({ job_name: 'cube', stl_path: path, material_id: 'pla_black_esun', ...more });
  const photoOf = (id: string, query = ''): Promise<Response> =>
    fetch(`${farm.url}/api/fabrication/jobs/${id}/photo${query}`);

  it('show the bed at the end of a print to a permitted client, and are not cached on the way', async () => {
    const id = await submit({ force_printer: 'elegoo_giga' });
    const job = await farm.until(id, ({ attempts }) => attempts[0]?.photo === true);
    assert.equal(job['status'], 'completed');
    for (const query of ['', `?attempt_id=${job.attempts[0]?.attempt_id}`]) {
      const answer = await photoOf(id, query);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'image/png');
      assert.equal(answer.headers.get('cache-control'), 'private');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(PNG.sync.read(Buffer.from(await answer.arrayBuffer())).width, 320);
    }
    const other = await farm.api<{ code: string }>(`/jobs/${id}/photo?attempt_id=${id}`);
    assert.deepEqual([other.status, other.body.code], [404, 'not_found']);
  });

  it('are missing if nothing was printed, or if there is no camera', async () => {
    const held = await submit({ hold: true });
    const bambu = await submit({ force_printer: 'bamboo_h2d' });
    const job = await farm.until(bambu, ({ attempts }) => attempts[0]?.outcome === 'completed');
    assert.equal(job.attempts[0]?.photo, false);
    for (const id of [held, bambu, '8b0f7c1e-5d2a-4c3b-9e4f-0a1b2c3d4e5f', 'x']) {
      const { status, body } = await farm.api<{ code: string }>(`/jobs/${id}/photo`);
      assert.deepEqual([status, body.code], [404, 'not_found'], id);
    }
  });
});
