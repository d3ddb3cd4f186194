import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fixture } from '../fixtures';
import { browserFor } from '../support/browser';
import { platewise } from '../support/program';
import { freePort, temporaryDirectory } from '../support/servers';
import { DashboardClient } from '../support/socket-io';

const nodeRed = process.env['PLATEWISE_TEST_NODE_RED'] ?? 'node-red';
const root = process.cwd();
const adminPassword = 'an admin’s password';
const dashboardPassword = 'an operator’s password';
const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** A reverse proxy that only forwards. */
function passOn(port: number): Server {
  const target = (incoming: IncomingMessage): object => ({
    host: '127.0.0.1',
    port,
    method: incoming.method,
    path: incoming.url,
    headers: { ...incoming.headers, 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' },
  });
  const proxy = createServer((incoming, outgoing) => {
    const passed = request(target(incoming), (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  proxy.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const passed = request(target(incoming));
    passed.on('upgrade', (answer, other: Socket, first: Buffer) => {
      const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('\r\n')}\r\n\r\n`);
      other.write(head);
      socket.write(first);
      other.pipe(socket).pipe(other);
      for (const end of [socket, other]) end.on('error', () => undefined);
    });
    passed.on('response', () => socket.destroy());
    passed.on('error', () => socket.destroy());
    passed.end();
  });
  return proxy;
}

describe('The access controls that docs/operating.md describes, behind a reverse proxy', () => {
  let runtime: ChildProcess;
  let proxy: Server;
  let url: string;
  let data: string;
  let log = '';
  let key = '';

  before(async function () {
    this.timeout(120_000);
    const userDirectory = temporaryDirectory('locks');
    data = join(userDirectory, 'data');
    mkdirSync(join(userDirectory, 'node_modules', '@platewise'), { recursive: true });
    mkdirSync(join(userDirectory, 'node_modules', '@flowfuse'), { recursive: true });
    const link = (target: string, name: string): void =>
      symlinkSync(target, join(userDirectory, 'node_modules', name), 'junction');
    link(root, '@platewise/node-red-platewise');
    link(join(root, 'node_modules', '@flowfuse', 'node-red-dashboard'), '@flowfuse/node-red-dashboard');
    const flows = new Map<string, unknown>();
    for (const name of ['api.json', 'dashboard.json']) {
      for (const node of JSON.parse(readFileSync(join(root, 'examples', name), 'utf8')) as { id: string }[])
        flows.set(node.id, node);
    }
    writeFileSync(join(userDirectory, 'flows.json'), JSON.stringify([...flows.values()]));
    const port = await freePort();
    const [, described = ''] =
      /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs', 'operating.md'), 'utf8')) ?? [];
    const more = { uiPort: port, flowFile: 'flows.json', credentialSecret: 'test', telemetry: { enabled: false } };
    const settings = `${described}\nObject.assign(module.exports, ${JSON.stringify(more)}, { editorTheme: { tours: false } });\n`;
    writeFileSync(join(userDirectory, 'settings.js'), settings);
    const program = join(dirname(require.resolve(`${nodeRed}/package.json`)), 'red.js');
    const { hashSync } = createRequire(program)('bcryptjs') as { hashSync(text: string, rounds: number): string };
    const { DATABASE_URL: _database, AMQP_URL: _broker, ...inherited } = process.env;
    runtime = spawn(process.execPath, [program, '--userDir', userDirectory], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...inherited,
        PLATEWISE_DATA: data,
        ADMIN_PASSWORD_HASH: hashSync(adminPassword, 8),
        DASHBOARD_PASSWORD: dashboardPassword,
      },
    });
    for (const stream of [runtime.stdout, runtime.stderr]) stream?.on('data', (text) => (log += String(text)));
    proxy = passOn(port);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const end = Date.now() + 100_000;
    for (;;) {
      const answer = await fetch(`${url}/api/fabrication/health`).catch(() => undefined);
      // No flow here dispatches anything, which health correctly reports.
      if (answer?.ok && ((await answer.json()) as { database: string }).database === 'ok') break;
      if (Date.now() > end || runtime.exitCode !== null) throw new Error(`Node-RED did not answer:\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { code, stdout, stderr } = await platewise(['keys', 'create', '--name', 'shop', '--scope', 'operate'], {
      PLATEWISE_DATA: data,
      DATABASE_URL: '',
    });
    assert.equal(code, 0, stderr);
    key = stdout.trim();
  });
  after(async () => {
    proxy?.closeAllConnections();
    proxy?.close();
    if (!runtime || runtime.exitCode !== null) return;
    const ended = new Promise((resolve) => runtime.once('exit', resolve));
    runtime.kill('SIGTERM');
    await ended;
  });

  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${url}${path}`, { headers })).status;

  it('deny everyone everything but the health check', async () => {
    for (const path of ['/flows', '/nodes', '/dashboard', '/dashboard/_setup', '/api/fabrication/queue']) {
      assert.equal(await status(path), 401, path);
      assert.equal(await status(path, basic('operator', 'undefined')), 401, path);
    }
    assert.equal(await status('/api/fabrication/health'), 200);
    const test = await fetch(`${url}/platewise/elegoo-printer/discover`, { method: 'POST' });
    assert.equal(test.status, 401);
  });

  it('give each user access where it belongs, and nowhere else', async () => {
    const operator = basic('operator', dashboardPassword);
    assert.equal(await status('/dashboard', operator), 200);
    assert.equal(await status('/flows', operator), 401);
    assert.equal(await status('/api/fabrication/queue', operator), 401);
    const bearer = { authorization: `Bearer ${key}` };
    assert.equal(await status('/api/fabrication/queue', bearer), 200);
    assert.equal(await status('/dashboard', bearer), 401);
    assert.equal(await status('/flows', bearer), 401);
    const login = await fetch(`${url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope: '*',
        username: 'admin',
        password: adminPassword,
      }),
    });
    const { access_token } = (await login.json()) as { access_token: string };
    assert.equal(await status('/flows', { authorization: `Bearer ${access_token}` }), 200);
    assert.equal(await status('/api/fabrication/queue', { authorization: `Bearer ${access_token}` }), 401);
  });

  it('forward uploads and events as a stream', async () => {
    const authorization = `Bearer ${key}`;
    const ended = new AbortController();
    const events = await fetch(`${url}/api/fabrication/events`, { headers: { authorization }, signal: ended.signal });
    assert.equal(events.status, 200);
    const form = new FormData();
    form.append('file', new Blob([readFileSync(fixture('models', '20mm-xyz-cube.stl'))]), 'cube.stl');
    const stored = await fetch(`${url}/api/fabrication/files`, {
      method: 'POST',
      headers: { authorization },
      body: form,
    });
    assert.equal(stored.status, 201);
    // The flow has no printers, so no job would be accepted.
    const paused = await fetch(`${url}/api/fabrication/farm/pause`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(paused.status, 200);
    let told = '';
    for await (const chunk of events.body as unknown as AsyncIterable<Uint8Array>) {
      told += Buffer.from(chunk).toString('utf8');
      // Without a dispatcher in the flow no message gets a number; the plan change is still reported.
      if (/^event: (job|changed)$/m.test(told)) break;
    }
    ended.abort();
  });

  it('protect the dashboard, and its websocket too', async function () {
    const browser = await browserFor(this);
    try {
      const context = await browser.newContext({
        httpCredentials: { username: 'operator', password: dashboardPassword },
      });
      const page = await context.newPage();
      await page.goto(`${url}/dashboard`);
      await page.waitForSelector('.pw');
      await context.close();
    } finally {
      await browser.close();
    }
    const polling = '/dashboard/socket.io/?EIO=4&transport=polling';
    const opening = await fetch(`${url}${polling}`);
    const { sid } = JSON.parse((await opening.text()).slice(1)) as { sid: string };
    await fetch(`${url}${polling}&sid=${sid}`, { method: 'POST', body: '40' });
    assert.match(await (await fetch(`${url}${polling}&sid=${sid}`)).text(), /^44.*Who are you\?/);
  });

  it('give a page of another site no socket, although the browser sends the password along', async () => {
    const operator = basic('operator', dashboardPassword);
    const { port } = new URL(url);
    for (const strange of [
      { origin: 'http://127.0.0.1:8080' },
      { origin: 'null' },
      { origin: `http://evil.example:${port}`, host: `evil.example:${port}` },
    ]) {
      const headers = { ...operator, ...strange };
      await assert.rejects(new DashboardClient(`${url}/dashboard`, headers).open(), /Who are you|hang up/);
    }
    for (const own of [{}, { origin: url }]) {
      (await new DashboardClient(`${url}/dashboard`, { ...operator, ...own }).open()).close();
    }
    const strangeName = request(`${url}/flows`, { headers: { host: 'evil.example' } });
    strangeName.end();
    const [answer] = (await once(strangeName, 'response')) as [IncomingMessage];
    answer.resume();
    assert.equal(answer.statusCode, 403);
  });
});
