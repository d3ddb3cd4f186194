import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { endpoints as table } from '../../lib/api/endpoints';
import { RealFarm } from '../support/real-farm';
import { DashboardClient } from '../support/socket-io';

const cube = join('test', 'fixtures', 'models', '20mm-xyz-cube.stl');
const json = { 'content-type': 'application/json' };

/** Every API endpoint that changes something. */
const changes = table
  .filter(({ method }) => method !== 'GET')
  .map(({ method, path }) => ({
    method,
    path: `/api/fabrication${path}`.replace(/\{id\}/g, 'elegoo_giga').replace(/\{\w+\}/g, 'extruder'),
  }));

describe('An attacker on a farm without keys', () => {
  const farm = new RealFarm();
  before(() => farm.start());
  after(() => farm.kill9());

  /** `fetch` sets no Host, and no header that is reserved for browsers. */
  const ask = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<{ status: number; body: { code?: string; errors?: { field: string; remedy: string }[] } }> =>
    new Promise((resolve, reject) => {
      const asked = request(`${farm.url}${path}`, { method, headers }, (answer: IncomingMessage) => {
        text(answer).then((answered) => {
          const isJson = /\bjson\b/.test(answer.headers['content-type'] ?? '');
          resolve({ status: answer.statusCode ?? 0, body: isJson ? JSON.parse(answered) : {} });
        }, reject);
      });
      asked.on('error', reject);
      asked.end(body, 'latin1');
    });

  const bedOf = async (id: string): Promise<{ state: string; version: number }> => {
    const { body } = await farm.api<{ printers: { printer_id: string; bed: { state: string; version: number } }[] }>(
      '/printers',
    );
    const found = body.printers.find(({ printer_id }) => printer_id === id);
    assert.ok(found);
    return found.bed;
  };

  for (const { method, path } of changes) {
    it(`cannot call ${method} ${path} from another site`, async () => {
      for (const [field, value] of [
        ['Origin', 'http://localhost:8080'],
        ['Origin', 'null'],
        ['Sec-Fetch-Site', 'same-site'],
        ['Sec-Fetch-Site', 'cross-site'],
      ] as const) {
        const { status, body } = await ask(method, path, { ...json, [field]: value });
        assert.deepEqual([status, body.code, body.errors?.[0]?.field], [403, 'foreign_source', field]);
        assert.match(body.errors?.[0]?.remedy ?? '', /PLATEWISE_HOSTS/);
      }
    });
  }

  it('cannot upload from another site, nor in anything but a form', async () => {
    const form = [
      '--x',
      'Content-Disposition: form-data; name="file"; filename="a.stl"',
      '',
      readFileSync(cube, 'latin1'),
      '--x--',
      '',
    ];
    const sent = (headers: Record<string, string>) =>
      ask(
        'POST',
        '/api/fabrication/files',
        { 'content-type': 'multipart/form-data; boundary=x', ...headers },
        form.join('\r\n'),
      );
    assert.equal((await sent({ origin: 'http://localhost:8080' })).status, 403);
    assert.equal((await sent({ 'content-type': 'multipart/mixed; boundary=x' })).status, 400);
    assert.equal((await sent({ origin: farm.url, 'sec-fetch-site': 'same-origin' })).status, 201);
  });

  it('cannot submit anything but JSON', async () => {
    const job = JSON.stringify({ job_name: 'x', stl_path: 'x', material_id: 'pla_black_esun' });
    for (const headers of [{}, { 'content-type': 'text/plain;json' }, { 'content-type': 'text/json' }]) {
      assert.equal((await ask('POST', '/api/fabrication/jobs', headers, job)).status, 400);
    }
    assert.equal((await ask('POST', '/api/fabrication/jobs', json, job)).status, 422, 'understood');
  });

  it('cannot clear a bed without having seen it', async () => {
    const { version } = await bedOf('elegoo_giga');
    for (const body of [undefined, '{}']) {
      const { status, body: problem } = await ask(
        'POST',
        '/api/fabrication/printers/elegoo_giga/bed/clear',
        json,
        body,
      );
      assert.deepEqual([status, problem.errors?.[0]?.field], [422, 'bed_version']);
    }
    const seen = await farm.api('/printers/elegoo_giga/bed/clear', { method: 'POST', json: { bed_version: version } });
    assert.equal(seen.status, 200);
  });

  it('cannot read the API, the editor or the dashboard under a foreign host name', async () => {
    for (const path of ['/api/fabrication/printers', '/flows', '/', '/dashboard', '/dashboard/_setup']) {
      for (const host of ['evil.example', `evil.example:${new URL(farm.url).port}`]) {
        assert.equal((await ask('GET', path, { host })).status, 403, `${path} as ${host}`);
      }
      for (const host of ['localhost', new URL(farm.url).host]) {
        assert.ok((await ask('GET', path, { host })).status < 400, `${path} as ${host}`);
      }
    }
  });

  it('cannot connect to the sockets of dashboard and editor', async () => {
    const { port, host } = new URL(farm.url);
    const strange = [
      { origin: 'http://localhost:8080' },
      { origin: 'null' },
      { origin: `http://evil.example:${port}`, host: `evil.example:${port}` },
    ];
    for (const headers of strange) {
      await assert.rejects(
        new DashboardClient(`${farm.url}/dashboard`, headers).open(),
        /refused|another site|hang up/,
      );
      await assert.rejects(once(new WebSocket(`ws://${host}/comms`, { headers }), 'open'), /hang up|ECONNRESET/);
    }
    for (const headers of [{}, { origin: farm.url }]) {
      (await new DashboardClient(`${farm.url}/dashboard`, headers).open()).close();
      const comms = new WebSocket(`ws://${host}/comms`, { headers });
      await once(comms, 'open');
      comms.close();
    }
  });

  it('cannot keep the event stream open with a HEAD request', async () => {
    const { status } = await ask('HEAD', '/api/fabrication/events', {});
    assert.equal(status, 200);
  });

  it("cannot read the farm's files as another user of the machine", () => {
    const settings = join(farm.data, 'node-red', 'settings.js');
    for (const [path, mode] of [
      [farm.data, 0o700],
      [join(farm.data, 'node-red'), 0o700],
      [settings, 0o600],
      [join(farm.data, 'simulators', 'bamboo_h2d', 'ready.json'), 0o600],
    ] as const) {
      assert.equal(statSync(path).mode & 0o777, mode, path);
    }
  });

  it('cannot forge a line in the log', async () => {
    const job_name = 'Lid\n28 Nov 12:00:00 - [info] forged\u001b[2J';
    const stl_path = await farm.upload(cube);
    const job = await farm.submit({ job_name, stl_path, material_id: 'pla_black_esun', force_printer: 'bamboo_h2d' });
    await farm.until(job, ({ status }) => status !== 'queued' && status !== 'scheduled');
    await farm.api(`/jobs/${job}`, { method: 'DELETE' });
    assert.doesNotMatch(farm.output, /^28 Nov 12:00:00 - \[info\] forged/m);
    assert.ok(!farm.output.includes('\u001b[2J'));
    assert.match(farm.output, /Lid\\n28 Nov/, 'its name was logged');
  });

  it('cannot put a page of the farm into a frame', async () => {
    for (const path of ['/dashboard', '/dashboard/farm', '/', '/api/fabrication/printers']) {
      const { headers } = await fetch(`${farm.url}${path}`);
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'self'/, path);
      assert.equal(headers.get('x-frame-options'), 'SAMEORIGIN', path);
    }
  });
});
