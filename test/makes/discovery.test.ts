import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { createSocket } from 'node:dgram';
import { readAnnouncement } from '../../lib/makes/bambu/discovery';
import { discover } from '../../lib/makes/discovery';
import { readReply } from '../../lib/makes/snapmaker/discovery';
import { Bench } from '../simulators/support';
import { platewise } from '../support/program';

/** A free UDP port. */
function freeUdpPort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

describe('the discovery of printers', () => {
  const bench = new Bench();
  afterEach(() => bench.clean());

  it('finds one of every make', async () => {
    const ssdp = await freeUdpPort();
    const bambu = await bench.start('bambu', { ports: { ssdp }, name: 'H2D in the corner' });
    const moonraker = await bench.start('moonraker');
    const snapmaker = await bench.start('snapmaker', { name: 'Anna@home' });
    const found = await discover({
      timeoutMs: 6000,
      hosts: ['127.0.0.1'],
      ports: {
        ssdp,
        detect: 1,
        snapmaker: snapmaker.ready.ports.discovery ?? 0,
        moonraker: [1, moonraker.ready.ports.http ?? 0],
      },
    });
    deepStrictEqual(
      found.map(({ make, host, serial, model, supported }) => ({ make, host, serial, model, supported })),
      [
        { make: 'bambu', host: '127.0.0.1', serial: bambu.ready.serial, model: 'Bambu Lab H2D', supported: true },
        { make: 'moonraker', host: '127.0.0.1', serial: undefined, model: '', supported: true },
        { make: 'snapmaker', host: '127.0.0.1', serial: undefined, model: 'Snapmaker Artisan', supported: true },
      ],
    );
    deepStrictEqual([found[0]?.name, found[2]?.name], ['H2D in the corner', 'Anna@home']);
    strictEqual(found[1]?.port, moonraker.ready.ports.http);
  });

  it('queries a Bambu directly if announcements do not reach us', async () => {
    const bambu = await bench.start('bambu');
    const found = await discover({
      timeoutMs: 2000,
      hosts: ['127.0.0.1'],
      makes: ['bambu'],
      ports: { ssdp: await freeUdpPort(), detect: bambu.ready.ports.detect ?? 0 },
    });
    deepStrictEqual(
      found.map(({ serial }) => serial),
      [bambu.ready.serial],
    );
  });

  it('reports a Moonraker that requires a key', async () => {
    const moonraker = await bench.start('moonraker', { accessCode: 'a'.repeat(32) });
    const port = moonraker.ready.ports.http ?? 0;
    const [found] = await discover({
      timeoutMs: 1500,
      hosts: ['127.0.0.1'],
      makes: ['moonraker'],
      ports: { moonraker: [port] },
    });
    ok(found?.note?.includes('API key'));
  });

  it('is available as a command', async () => {
    const snapmaker = await bench.start('snapmaker');
    const port = String(snapmaker.ready.ports.discovery);
    const { code, stdout } = await platewise([
      ...['discover', '--json', '--timeout', '1.5', '--make', 'snapmaker', '--snapmaker-port', port],
    ]);
    const { printers } = JSON.parse(stdout) as { printers: { make: string; host: string }[] };
    deepStrictEqual([code, printers[0]?.make, printers[0]?.host], [0, 'snapmaker', '127.0.0.1']);
    const nothing = await platewise(['discover', '--json', '--timeout', '0.5', '--make', 'moonraker']);
    deepStrictEqual([nothing.code, JSON.parse(nothing.stdout)], [1, { printers: [] }]);
    strictEqual((await platewise(['discover', '--make', 'oven'])).code, 2);
  });
});

describe('announcements of printers', () => {
  it('are parsed in any order, with names that contain anything', () => {
    deepStrictEqual(readReply('A@B@192.168.1.60|SACP:1|model:Snapmaker Artisan|status:IDLE', '10.0.0.1'), {
      make: 'snapmaker',
      host: '192.168.1.60',
      name: 'A@B',
      model: 'Snapmaker Artisan',
      supported: true,
    });
    strictEqual(readReply('name@|model:Snapmaker Artisan|SACP:1', '10.0.0.1')?.host, '10.0.0.1');
    strictEqual(readReply('A350@192.168.1.5|model:Snapmaker 2 Model A350|status:IDLE', '')?.supported, false);
    for (const nothing of ['', 'discover', 'x@1.2.3.4']) strictEqual(readReply(nothing, ''), undefined);
  });

  it('are only accepted from Bambu printers', () => {
    const notify = (type: string): string =>
      `NOTIFY * HTTP/1.1\r\nHost: 239.255.255.250:1990\r\nLocation: 192.168.1.9\r\nNT: ${type}\r\nUSN: 0948AB\r\n` +
      'DevModel.bambu.com: N7\r\nDevName.bambu.com: P\r\nDevConnect.bambu.com: cloud\r\n\r\n';
    const found = readAnnouncement(notify('urn:bambulab-com:device:3dprinter:1'), '1.1.1.1');
    deepStrictEqual([found?.host, found?.model, found?.serial], ['192.168.1.9', 'Bambu Lab P2S', '0948AB']);
    ok(found?.note?.includes('LAN Only'));
    strictEqual(readAnnouncement(notify('upnp:rootdevice'), '1.1.1.1'), undefined);
  });
});
