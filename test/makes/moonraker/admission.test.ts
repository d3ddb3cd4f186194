import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { type Driver, WrongMachineError } from '../../../lib/makes/driver';
import { createMoonrakerDriver } from '../../../lib/makes/moonraker/driver';
import { StateTracker } from '../../../lib/makes/moonraker/tracker';
import { Deferred } from '../../../lib/makes/waiting';
import type { ToldIdentity } from '../../../lib/model/machine-identity';
import { capabilities, connectionWhere, orderFor, reportWhere, temporaryDirectory } from '../fixtures';

type Fields = Record<string, unknown>;

const board = { mcu: '2C0018000851383531393138' };
const host = { host: '10000000abcdefab /home/pi/printer.cfg' };
const never = 1_000_000;

/** A printer whose Klipper boots, and comes up without a notification. */
class BootingPrinter {
  klippy = 'startup';
  /** The queries that fail, with the error that Moonraker then answers; `configfile` is the query for the configuration. */
  readonly failing: Record<string, Fields> = {};
  /** Resolves when the first connection is closed. */
  readonly firstClosed = new Deferred<void>();
  readonly #server: Server = createServer((_request, response) => response.writeHead(404).end());
  readonly #sockets = new WebSocketServer({ server: this.#server, path: '/websocket' });

  async listen(): Promise<number> {
    this.#sockets.once('connection', (socket) => socket.on('close', () => this.firstClosed.resolve()));
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        const { id, method, params } = JSON.parse(data.toString());
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...this.#answer(method, params ?? {}) }));
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.close();
  }

  #answer(method: string, params: Fields): Fields {
    const asked = Object.keys(params.objects ?? {});
    const error = this.failing[asked.includes('configfile') ? 'configfile' : method];
    if (error !== undefined) return { error };
    switch (method) {
      case 'server.info':
        return { result: { klippy_connected: true, klippy_state: this.klippy } };
      case 'machine.system_info':
        return { result: { system_info: { cpu_info: { serial_number: '10000000abcdefab' } } } };
      case 'printer.info':
        return { result: { state_message: 'Printer is not ready', config_file: '/home/pi/printer.cfg' } };
      case 'printer.objects.query':
      case 'printer.objects.subscribe': {
        const serial = `/dev/serial/by-id/usb-Klipper_stm32f446xx_${board.mcu}-if00`;
        const status = asked.includes('configfile')
          ? { configfile: { settings: { mcu: { serial } } } }
          : { webhooks: { state: 'ready' }, print_stats: { state: 'standby', filename: '' } };
        return { result: { eventtime: 1, status } };
      }
    }
    return { error: { code: -32601, message: 'Method not found' } };
  }
}

describe('The machine behind Moonraker', () => {
  let printer: BootingPrinter;
  let driver: Driver;
  /** The identities that were checked. */
  let told: ToldIdentity[];

  beforeEach(() => {
    printer = new BootingPrinter();
    told = [];
  });
  afterEach(async () => {
    await driver.close();
    printer.close();
  });

  /** Opens the driver; only the timers that are given fire. */
  async function open(timing: object, check: (identity: ToldIdentity) => void | Promise<void>): Promise<void> {
    driver = createMoonrakerDriver({
      ...{ host: '127.0.0.1', capabilities, timeScale: 1, log: () => {}, port: await printer.listen() },
      timing: { heartbeatMs: never, notReadyPollMs: never, firstPauseMs: never, longestPauseMs: never, ...timing },
    });
    driver.admit(async (identity) => {
      told.push(identity);
      await check(identity);
    });
    driver.open();
  }
  const refuse = ({ ids, complete }: ToldIdentity): void => {
    if (complete) throw new WrongMachineError('The machine at this address is not this printer.', ids);
  };

  it('is refused when a poll is the first to see that Klipper is ready', async () => {
    await open({ notReadyPollMs: 20 }, refuse);
    await connectionWhere(driver, 'connected');
    printer.klippy = 'ready';
    const refused = await connectionWhere(driver, 'refused');
    assert.ok(refused.status === 'refused' && refused.error instanceof WrongMachineError);
    assert.deepEqual(refused.error.found, { ...board, ...host });
  });

  it('is refused when a query for a job is the first to see that Klipper is ready', async () => {
    const directory = await temporaryDirectory();
    try {
      await open({}, refuse);
      await connectionWhere(driver, 'connected');
      printer.klippy = 'ready';
      const order = await orderFor(directory.path, 'G28', { extension: '.gcode', slots: [] });
      await assert.rejects(driver.trace(order), WrongMachineError);
      await connectionWhere(driver, 'refused');
    } finally {
      await directory.remove();
    }
  });

  it('is checked on a new connection after the check itself failed', async () => {
    const failure = new Error('The database does not answer.');
    let fails = true;
    await open({ notReadyPollMs: 20, firstPauseMs: 1 }, ({ complete }) => {
      if (complete && fails) throw failure;
    });
    await connectionWhere(driver, 'connected');
    printer.klippy = 'ready';
    const lost = await connectionWhere(driver, 'disconnected');
    assert.deepEqual(lost, { status: 'disconnected', reason: failure });
    fails = false;
    await reportWhere(driver, ({ state }) => state === 'idle');
    assert.deepEqual(told.at(-1), { ids: { ...board, ...host }, complete: true });
  });

  for (const query of ['machine.system_info', 'configfile', 'printer.info']) {
    it(`is not checked before it has reported all: ${query}`, async () => {
      printer.klippy = 'ready';
      printer.failing[query] = { code: 503, message: 'Klippy Host not connected' };
      await open({ firstPauseMs: 1 }, () => {});
      const lost = await connectionWhere(driver, 'disconnected', 15_000, ({ reason }) => reason !== undefined);
      assert.match(lost.reason?.message ?? '', /did not report its identity: Klippy Host not connected/);
      delete printer.failing[query];
      await connectionWhere(driver, 'connected');
      assert.deepEqual(told, [{ ids: { ...board, ...host }, complete: true }]);
    });
  }

  it('has only the ids that its version can report', async () => {
    printer.klippy = 'ready';
    const unknown = { code: -32601, message: 'Method not found' };
    Object.assign(printer.failing, { 'machine.system_info': unknown, 'printer.info': unknown });
    await open({}, () => {});
    await connectionWhere(driver, 'connected');
    assert.deepEqual(told, [{ ids: board, complete: true }]);
  });

  it('is not left connected when its first report cannot be made', async () => {
    const { at } = StateTracker.prototype;
    StateTracker.prototype.at = () => {
      StateTracker.prototype.at = at;
      throw new RangeError('an odd field');
    };
    await open({ firstPauseMs: 1 }, () => {});
    await connectionWhere(driver, 'connected');
    await printer.firstClosed.promise;
  });

  it('does not count as ready before it was checked, whichever query sees it first', async () => {
    const verdict = new Deferred<void>();
    const checked = [new Deferred<void>(), new Deferred<void>()];
    await open({}, ({ complete }) => {
      if (!complete) return undefined;
      checked.find((_, index) => index === told.length - 2)?.resolve();
      return verdict.promise;
    });
    await connectionWhere(driver, 'connected');
    printer.klippy = 'ready';
    const first = driver.observe();
    await checked[0]?.promise;
    const second = driver.observe();
    second.catch(() => {});
    // The second query waits for a check as well.
    await Promise.race([checked[1]?.promise, second.then(() => assert.fail('It was answered before the check.'))]);
    assert.notEqual(driver.report?.state, 'idle');
    verdict.resolve();
    assert.deepEqual([(await first).state, (await second).state], ['idle', 'idle']);
  });
});
