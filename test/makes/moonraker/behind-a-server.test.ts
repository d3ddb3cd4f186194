import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type Driver, UploadFailedError } from '../../../lib/makes/driver';
import { createMoonrakerDriver, type MoonrakerOptions } from '../../../lib/makes/moonraker/driver';
import { type RunningSimulator, startSimulator } from '../../../lib/simulators';
import {
  capabilities,
  connectionWhere,
  gcodeLasting,
  orderFor,
  permit,
  reportWhere,
  temporaryDirectory,
} from '../fixtures';

const tls = join(process.cwd(), 'test', 'fixtures', 'tls');
const certificate = readFileSync(join(tls, 'certificate.pem'), 'utf8');
const caFile = join(tls, 'certificate.pem');
const fingerprint = new X509Certificate(certificate).fingerprint256;
const prefix = '/printers/giga';

describe('A Moonraker under a path of a web server with HTTPS', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let simulator: RunningSimulator;
  let server: Server;
  let driver: Driver | undefined;
  /** The headers of each request that arrived; a request that was rejected before never did. */
  const keys: unknown[] = [];
  /** The size limit, beyond which it answers as nginx does. */
  let mostBytes = Number.POSITIVE_INFINITY;

  before(async () => {
    directory = await temporaryDirectory();
    simulator = await startSimulator('moonraker', { dataDir: join(directory.path, 'printer'), speed: 600 });
    simulator.load('extruder', 'PLA');
    const port = simulator.ready.ports['http'] ?? 0;
    server = createServer({ key: readFileSync(join(tls, 'key.pem')), cert: certificate }, (incoming, response) => {
      keys.push(incoming.headers['x-api-key']);
      if (!incoming.url?.startsWith(`${prefix}/`)) {
        response.writeHead(404).end();
      } else if (Number(incoming.headers['content-length'] ?? 0) > mostBytes) {
        incoming.resume();
        response.writeHead(413, { 'content-type': 'text/html' }).end('<html>413</html>');
      } else {
        const { method, headers } = incoming;
        const path = incoming.url.slice(prefix.length);
        const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (reply) => {
          response.writeHead(reply.statusCode ?? 502, reply.headers);
          reply.pipe(response);
        });
        incoming.pipe(outgoing);
      }
    });
    server.on('upgrade', (incoming, socket) => {
      if (!incoming.url?.startsWith(`${prefix}/`)) {
        socket.destroy();
        return;
      }
      const link = connect(port, '127.0.0.1');
      const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}`);
      link.write(`GET ${incoming.url.slice(prefix.length)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      link.on('error', () => socket.destroy()).pipe(socket);
      socket.on('error', () => link.destroy()).pipe(link);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await simulator.close();
    await directory.remove();
  });
  beforeEach(() => keys.splice(0));
  afterEach(async () => {
    await driver?.close();
    mostBytes = Number.POSITIVE_INFINITY;
  });

  const opened = (options: Partial<MoonrakerOptions>): Driver => {
    driver = createMoonrakerDriver({
      ...{ host: '127.0.0.1', capabilities, timeScale: 600, log: () => {} },
      ...{ port: (server.address() as AddressInfo).port, tls: true, pathPrefix: prefix, apiKey: 'secret', ...options },
    });
    driver.open();
    return driver;
  };

  for (const [how, trust] of [
    ['the file of its authority', { caFile }],
    ['a pinned fingerprint', { fingerprint }],
  ] as const) {
    it(`is reached and prints, trusted by ${how}`, async () => {
      const printer = opened(trust);
      await connectionWhere(printer, 'connected');
      const order = await orderFor(directory.path, gcodeLasting(60), { extension: '.gcode', slots: ['extruder'] });
      deepStrictEqual(await printer.preflight(order), []);
      await printer.upload(order, { signal: new AbortController().signal, progress: () => {} });
      await printer.start(order, permit());
      ok(keys.includes('secret'));
      strictEqual((await reportWhere(printer, ({ ending }) => ending !== null)).ending, 'finished');
      simulator.clearPlate();
    });
  }

  it('is refused if its certificate is untrusted or not the pinned one, before it has seen a key', async () => {
    for (const trust of [{}, { fingerprint: '00'.repeat(32) }]) {
      const state = await connectionWhere(opened(trust), 'refused');
      ok(state.status === 'refused' && /certificate/.test(state.error.message), JSON.stringify(trust));
      ok(/CA file|pin the new one/.test(state.error.remedy));
      await driver?.close();
    }
    deepStrictEqual(keys, []);
  });

  it('reports what to do if the server rejects a file of this size', async () => {
    const printer = opened({ fingerprint });
    await connectionWhere(printer, 'connected');
    mostBytes = 1000;
    const order = await orderFor(directory.path, gcodeLasting(600), { extension: '.gcode', slots: ['extruder'] });
    await rejects(
      printer.upload(order, { signal: new AbortController().signal, progress: () => {} }),
      (error) => error instanceof UploadFailedError && !error.retryable && /client_max_body_size/.test(error.remedy),
    );
  });

  it('is not found under another path', async () => {
    const printer = opened({ caFile, pathPrefix: 'printers/other/' });
    await connectionWhere(printer, 'connecting');
    const state = await connectionWhere(printer, 'disconnected');
    ok(state.status === 'disconnected' && state.reason !== undefined);
  });
});
