import { strict as assert } from 'node:assert';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PNG } from 'pngjs';
import { PhotoFailedError } from '../../../lib/makes/driver';
import { createMoonrakerDriver, type MoonrakerTiming } from '../../../lib/makes/moonraker/driver';
import { webAddress } from '../../../lib/makes/moonraker/snapshot';
import { type RunningSimulator, startSimulator } from '../../../lib/simulators';
import { capabilities, temporaryDirectory } from '../fixtures';

const key = '0123456789abcdef0123456789abcdef';
const picture = PNG.sync.write(new PNG({ width: 2, height: 2 }));

type Driver = ReturnType<typeof createMoonrakerDriver>;

function driverAt(port: number, timing: Partial<MoonrakerTiming> = {}): Driver {
  const common = { host: '127.0.0.1', capabilities, timeScale: 1, log: () => {} };
  return createMoonrakerDriver({ ...common, port, apiKey: key, timing });
}

async function photograph(driver: Driver) {
  assert.ok(driver.photograph);
  return driver.photograph();
}

describe('A picture of a Moonraker printer', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let simulator: RunningSimulator;
  let port: number;
  before(async () => {
    directory = await temporaryDirectory();
    simulator = await startSimulator('moonraker', { dataDir: directory.path, accessCode: key });
    port = simulator.ready.ports['http'] ?? 0;
  });
  after(async () => {
    await simulator.close();
    await directory.remove();
  });

  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    simulator.actions['webcam']?.({ snapshot_url: '/webcam/?action=snapshot' });
  });

  /** A server other than the printer's program, with all requests that it received. */
  async function serve(answer: RequestListener): Promise<{ port: number; asked: IncomingMessage[]; server: Server }> {
    const asked: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      asked.push(request);
      answer(request, response);
    });
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port, asked, server };
  }

  /** Sets the picture address in the printer's list. */
  const cameraAt = (url: string | null): void => simulator.actions['webcam']?.({ snapshot_url: url });

  it('is that of its camera, at a path of its own address', async () => {
    const photo = await photograph(driverAt(port));
    assert.equal(photo?.type, 'image/png');
    const { width, height } = PNG.sync.read(photo?.bytes ?? Buffer.alloc(0));
    assert.deepEqual([width, height], [320, 240]);
  });

  it('is null if there is no camera, or none with pictures', async () => {
    cameraAt(null);
    assert.equal(await photograph(driverAt(port)), null);
    cameraAt('');
    assert.equal(await photograph(driverAt(port)), null);
  });

  it('may come from another port of its host, which receives no key', async () => {
    const camera = await serve((_request, response) => response.end(picture));
    cameraAt(`http://127.0.0.1:${camera.port}/snap?x=1`);
    assert.deepEqual(await photograph(driverAt(port)), { bytes: picture, type: 'image/png' });
    assert.equal(camera.asked[0]?.url, '/snap?x=1');
    assert.equal(camera.asked[0]?.headers['x-api-key'], undefined);
  });

  for (const address of [
    'http://localhost:PORT/snap',
    '//localhost:PORT/snap',
    'http://127.0.0.1:PORT@localhost:PORT/snap',
    'http://[::ffff:127.0.0.1]:PORT/snap',
    'http://127.0.0.2:PORT/snap',
    'ftp://127.0.0.1:PORT/snap',
    'file:///etc/passwd',
    'http://',
  ]) {
    it(`is not fetched from another host: ${address}`, async () => {
      const elsewhere = await serve((_request, response) => response.end(picture));
      cameraAt(address.replaceAll('PORT', String(elsewhere.port)));
      await assert.rejects(photograph(driverAt(port)), PhotoFailedError);
      assert.equal(elsewhere.asked.length, 0);
    });
  }

  it('is not fetched after a redirect', async () => {
    const elsewhere = await serve((_request, response) => response.end(picture));
    const camera = await serve((_request, response) => {
      response.writeHead(302, { location: `http://localhost:${elsewhere.port}/` }).end();
    });
    cameraAt(`http://127.0.0.1:${camera.port}/`);
    await assert.rejects(photograph(driverAt(port)), /HTTP 302/);
    assert.equal(elsewhere.asked.length, 0);
  });

  it('is a JPEG or a PNG by its content, whatever its name', async () => {
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
    let body = jpeg;
    const camera = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).end(body);
    });
    cameraAt(`http://127.0.0.1:${camera.port}/`);
    assert.deepEqual(await photograph(driverAt(port)), { bytes: jpeg, type: 'image/jpeg' });
    for (const other of ['<html><script>alert(1)</script></html>', '', 'GIF89a', '\x89PN', '<svg xmlns="x"/>']) {
      body = Buffer.from(other, 'latin1');
      await assert.rejects(photograph(driverAt(port)), /neither a JPEG nor a PNG/, other);
    }
  });

  it('is no larger than 5 MiB, announced or not', async () => {
    const large = Buffer.concat([picture, Buffer.alloc(5 * 1024 * 1024)]);
    const announced = await serve((_request, response) => response.end(large));
    cameraAt(`http://127.0.0.1:${announced.port}/`);
    await assert.rejects(photograph(driverAt(port)), /larger than 5242880 bytes/);
    const endless = await serve((request, response) => {
      const more = (): void => {
        if (!request.socket.destroyed) response.write(large, more);
      };
      more();
    });
    cameraAt(`http://127.0.0.1:${endless.port}/`);
    await assert.rejects(photograph(driverAt(port)), /larger than 5242880 bytes/);
  });

  for (const [title, breakOff] of [
    ['ended', (socket) => socket?.end()],
    ['reset', (socket) => socket?.resetAndDestroy()],
  ] satisfies [string, (socket: Socket | null) => unknown][]) {
    it(`is complete, or null: a connection that is ${title}`, async () => {
      const begun = channel('http.client.response.finish');
      let socket: Socket | null = null;
      // The driver has received the start of the answer at this point.
      const onBegun = (): void => {
        if (socket !== null) breakOff(socket);
      };
      const camera = await serve((_request, response) => {
        socket = response.socket;
        response.writeHead(200, { 'content-length': picture.length + 1 });
        response.write(picture);
      });
      cameraAt(`http://127.0.0.1:${camera.port}/`);
      begun.subscribe(onBegun);
      try {
        await assert.rejects(photograph(driverAt(port)), PhotoFailedError);
      } finally {
        begun.unsubscribe(onBegun);
      }
      assert.equal(camera.asked.length, 1);
    });
  }

  it('is aborted if the camera takes too long, from the first byte to the last', async () => {
    const silent = await serve(() => {});
    const halting = await serve((_request, response) => response.write(picture));
    for (const camera of [silent, halting]) {
      cameraAt(`http://127.0.0.1:${camera.port}/`);
      await assert.rejects(photograph(driverAt(port, { photoMs: 300 })), /not in time/);
      assert.equal(camera.asked.length, 1);
    }
    await assert.rejects(photograph(driverAt(silent.port, { photoMs: 300 })), /given up/);
  });

  it('is aborted when the driver is closed', async () => {
    const silent = await serve(() => {});
    cameraAt(`http://127.0.0.1:${silent.port}/`);
    const driver = driverAt(port, { photoMs: 600_000 });
    const asked = once(silent.server, 'request');
    const refused = assert.rejects(photograph(driver), PhotoFailedError);
    await asked;
    await driver.close();
    await refused;
  });

  const list = (...webcams: object[]) => JSON.stringify({ result: { webcams } });
  const lists: [title: string, status: number, body: string, seen: 'picture' | 'none' | 'failure'][] = [
    [
      'the first that is switched on',
      200,
      list({ enabled: false, snapshot_url: '/off' }, { snapshot_url: '/on' }),
      'picture',
    ],
    [
      'the first that is at the printer',
      200,
      list({ snapshot_url: 'http://other.test/' }, { snapshot_url: '/on' }),
      'picture',
    ],
    ['a Moonraker without cameras', 404, '{"error": {"code": 404, "message": "Not Found"}}', 'none'],
    ['an empty list', 200, list(), 'none'],
    ['entries of other types', 200, '{"result": {"webcams": [null, 7, {"snapshot_url": {}}]}}', 'none'],
    ['something else', 200, '[]', 'none'],
    ['a page of a proxy', 200, '<html></html>', 'failure'],
    ['a fault', 500, '{"error": {}}', 'failure'],
  ];
  for (const [title, status, body, seen] of lists) {
    it(`reads the list of cameras: ${title}`, async () => {
      const printer = await serve((request, response) => {
        if (request.url === '/server/webcams/list') response.writeHead(status).end(body);
        else if (request.url === '/on') response.end(picture);
        else response.writeHead(404).end();
      });
      const photo = photograph(driverAt(printer.port));
      if (seen === 'failure') await assert.rejects(photo, PhotoFailedError);
      else assert.equal((await photo)?.type ?? 'none', seen === 'picture' ? 'image/png' : 'none');
      assert.equal(printer.asked[0]?.headers['x-api-key'], key);
    });
  }

  it('is requested from the server beside Moonraker if it has no web server in front of it', () => {
    const at = (host: string, port: number, tls = false): string => webAddress({ host, port, tls }).href;
    assert.equal(at('giga.local', 7125), 'http://giga.local/');
    assert.equal(at('giga.local', 8080), 'http://giga.local:8080/');
    assert.equal(at('10.0.0.7', 7125, true), 'https://10.0.0.7/');
    assert.equal(at('10.0.0.7', 7130, true), 'https://10.0.0.7:7130/');
    assert.equal(at('fe80::1', 80), 'http://[fe80::1]/');
  });
});
