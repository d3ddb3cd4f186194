import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { isSameJob } from '../../../lib/makes/driver';
import { createMoonrakerDriver } from '../../../lib/makes/moonraker/driver';
import {
  capabilities,
  connectionWhere,
  gcodeLasting,
  orderFor,
  permit,
  reportWhere,
  temporaryDirectory,
} from '../fixtures';

type Fields = Record<string, unknown>;

/**
 * An unfamiliar printer that supports only what printing requires: no tokens, no list of objects, no history, no queue,
 * no folders. It rejects unknown methods as Moonraker does.
 */
class SparsePrinter {
  readonly started: string[] = [];
  readonly stored = new Map<string, number>();
  readonly #server: Server;
  readonly #clients = new Set<WebSocket>();
  #stats: Fields = { state: 'standby', filename: '', print_duration: 0 };

  /** @param objects further objects that it reports on request */
  constructor(private readonly objects: Fields = {}) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method !== 'POST' || request.url !== '/server/files/upload') {
          response.writeHead(404, { 'content-type': 'text/html' }).end('<html>not here</html>');
          return;
        }
        const body = Buffer.concat(chunks).toString('latin1');
        const [, name = '', content = ''] = /filename="([^"]*)".*?\r\n\r\n(.*?)\r\n--/s.exec(body) ?? [];
        this.stored.set(name, content.length);
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ item: { path: name, root: 'gcodes' }, action: 'create_file' }));
      });
    });
    new WebSocketServer({ server: this.#server, path: '/websocket' }).on('connection', (socket) => {
      this.#clients.add(socket);
      socket.on('message', (data) => {
        const { id, method, params } = JSON.parse(data.toString());
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...this.#answer(method, params ?? {}) }));
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const client of this.#clients) client.terminate();
    this.#server.close();
  }

  shows(stats: Fields): void {
    this.#stats = { ...this.#stats, ...stats };
    const text = JSON.stringify({
      jsonrpc: '2.0',
      method: 'notify_status_update',
      params: [{ print_stats: stats }, 1],
    });
    for (const client of this.#clients) client.send(text);
  }

  #answer(method: string, params: Fields): Fields {
    switch (method) {
      case 'server.info':
        return { result: { klippy_connected: true, klippy_state: 'ready' } };
      case 'printer.objects.list':
        if (Object.keys(this.objects).length === 0) break;
        return { result: { objects: ['print_stats', ...Object.keys(this.objects)] } };
      case 'printer.objects.query':
      case 'printer.objects.subscribe': {
        const asked = Object.keys(params.objects ?? {}).filter((name) => name in this.objects);
        const others = Object.fromEntries(asked.map((name) => [name, this.objects[name]]));
        return { result: { eventtime: 1, status: { print_stats: this.#stats, ...others } } };
      }
      case 'server.files.list':
        return { result: [...this.stored].map(([path, size]) => ({ path, size, modified: 1 })) };
      case 'printer.print.start':
        this.started.push(String(params.filename));
        setTimeout(() => this.shows({ state: 'printing', filename: params.filename, print_duration: 1 }), 100);
        return { result: 'ok' };
    }
    return { error: { code: -32601, message: 'Method not found' } };
  }
}

describe('A printer behind Moonraker that supports only what printing requires', () => {
  it('prints, and is observed to the end', async () => {
    const printer = new SparsePrinter();
    const directory = await temporaryDirectory();
    const driver = createMoonrakerDriver({
      ...{ host: '127.0.0.1', capabilities, timeScale: 1, log: () => {}, port: await printer.listen() },
      timing: { heartbeatMs: 500 },
    });
    try {
      driver.open();
      await connectionWhere(driver, 'connected');
      const wanted = await orderFor(directory.path, gcodeLasting(60), { extension: '.gcode', slots: [] });
      deepStrictEqual(await driver.preflight(wanted), []);
      await driver.upload(wanted, { signal: new AbortController().signal, progress: () => {} });
      strictEqual(printer.stored.get(wanted.identity.fileName), wanted.file.size);
      ok(isSameJob(wanted.identity, (await driver.start(wanted, permit())).job));
      deepStrictEqual(printer.started, [wanted.identity.fileName]);
      printer.shows({ state: 'complete' });
      const ended = await reportWhere(driver, (report) => report.ending !== null);
      strictEqual(ended.ending, 'finished');
    } finally {
      await driver.close();
      printer.close();
      await directory.remove();
    }
  });

  it('reports its capabilities by its own configuration, and the extruders that it has a macro for', async () => {
    const extruder = (nozzle_diameter: number): Fields => ({ nozzle_diameter, max_temp: 300 });
    const printer = new SparsePrinter({
      extruder: { temperature: 20, target: 0 },
      extruder1: { temperature: 20, target: 0 },
      heater_bed: { temperature: 20, target: 0 },
      'gcode_macro T1': {},
      toolhead: { axis_minimum: [-2, 0, -5, 0], axis_maximum: [300, 310, 340, 0] },
      configfile: { settings: { extruder: extruder(0.4), extruder1: extruder(0.6), heater_bed: { max_temp: 115 } } },
    });
    const directory = await temporaryDirectory();
    const driver = createMoonrakerDriver({
      ...{ host: '127.0.0.1', capabilities, timeScale: 1, log: () => {}, port: await printer.listen() },
    });
    try {
      driver.open();
      await connectionWhere(driver, 'connected');
      deepStrictEqual(driver.report?.capabilities, {
        nozzleDiameters: [0.4, 0.6],
        maxNozzleTemperature: 300,
        maxBedTemperature: 115,
        buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 300, y: 310, z: 340 } },
      });
      deepStrictEqual(driver.report?.toolHead?.nozzleDiameters, [0.4, 0.6]);
      deepStrictEqual(
        driver.report?.slots.map(({ slot, tool }) => [slot, tool]),
        [
          ['extruder', 0],
          ['extruder1', 1],
        ],
      );
      const wanted = await orderFor(directory.path, gcodeLasting(60), { extension: '.gcode', slots: ['extruder1'] });
      deepStrictEqual(await driver.preflight({ ...wanted, tool: 1 }), []);
      const checks = (await driver.preflight({ ...wanted, tool: 2 })).map(({ check }) => check);
      deepStrictEqual(checks, ['tool_macro']);
    } finally {
      await driver.close();
      printer.close();
      await directory.remove();
    }
  });
});
