import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import {
  isSameJob,
  type StartOrder,
  StartRejectedError,
  StartUnconfirmedError,
  UploadFailedError,
} from '../../../lib/makes/driver';
import { pause } from '../../../lib/makes/waiting';
import { isActive } from '../../../lib/model/printer';
import { connectionWhere, permit } from '../../makes/fixtures';
import { Wire } from '../../support/wire';
import type { Stage } from '../stage';
import { lastFilament } from '../subjects';

/** One situation that every printer gets into. Returns the driver's verdict in a few words, for the table. */
export interface Scenario {
  name: string;
  /** The simulator has the last tool of its make, and a filament for that tool alone. */
  lastTool?: true;
  run(stage: Stage): Promise<string>;
}

/** A job that is over soon, and one that outlasts every test (printer seconds). */
const short = 300;
const long = 3600;

/** A permit that allows a start whatever the printer does. */
const reckless = (): ReturnType<typeof permit> => ({ ...permit(), check: () => {} });

const finish: Scenario = {
  name: 'finish',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order(short);
    const parts: number[] = [];
    await stage.upload(wanted, (part) => parts.push(part));
    strictEqual(parts.at(-1), 1);
    await stage.upload(wanted);
    const given = permit();
    const started = await stage.driver.start(wanted, given);
    ok(isSameJob(wanted.identity, started.job));
    deepStrictEqual([given.checks, given.sentCount], [1, 1]);
    const ended = await stage.ended(wanted);
    strictEqual(ended.state, 'idle');
    strictEqual(stage.count(wanted, 'start'), 1);
    const [stored] = stage.truth().filter((entry) => entry.event === 'upload');
    deepStrictEqual([stored?.sha256, stored?.size], [wanted.identity.sha256, wanted.file.size]);
    strictEqual(await stage.traced(wanted), 'ended finished');
    return `${ended.ending}`;
  },
};

const cancelByUs: Scenario = {
  name: 'cancel by us',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.running(long);
    await stage.driver.stop(wanted.identity);
    const ended = await stage.ended(wanted);
    strictEqual(await stage.traced(wanted), 'ended cancelled');
    strictEqual(stage.count(wanted, 'stopped'), 1);
    return `${ended.ending}`;
  },
};

const cancelAtScreen: Scenario = {
  name: 'cancel at the screen',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.running(long);
    await stage.reportWhere((report) => report.state === 'printing');
    stage.simulator.cancelAtScreen();
    return `${(await stage.ended(wanted)).ending}`;
  },
};

const failure: Scenario = {
  name: 'failure',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order(short);
    await stage.upload(wanted);
    await stage.simulator.setFault('print_fails', { times: 1 });
    await stage.driver.start(wanted, permit());
    const ended = await stage.ended(wanted);
    strictEqual(await stage.traced(wanted), 'ended failed');
    return `${ended.ending}`;
  },
};

const runOut: Scenario = {
  name: 'run-out and resume',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order(short);
    await stage.upload(wanted);
    await stage.simulator.setFault('runout', { times: 1 });
    await stage.driver.start(wanted, permit());
    // That the filament is the cause shows in the faults, the message, or the sensor.
    const paused = await stage.reportWhere(
      (report) =>
        report.state === 'paused' &&
        (report.slots.some((slot) => slot.present === false) ||
          /filament/i.test(`${report.message} ${report.faults.map((fault) => fault.message)}`)),
      20_000,
    );
    strictEqual(paused.ending, null);
    if (stage.subject.make === 'snapmaker') {
      await rejects(stage.driver.resume(), { code: 'command_refused' });
      await stage.simulator.setFault('filament_empty', { on: false });
    }
    await stage.driver.resume();
    return `paused, then ${(await stage.ended(wanted)).ending}`;
  },
};

const foreignJob: Scenario = {
  name: 'foreign job',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order();
    await stage.upload(wanted);
    stage.simulator.startForeignJob('stranger.gcode', 60);
    const report = await stage.reportWhere((later) => isActive(later.state));
    strictEqual(isSameJob(wanted.identity, report.job), false);
    await rejects(stage.driver.stop(wanted.identity), { code: 'job_not_running' });
    await rejects(stage.driver.start(wanted, permit()), { code: 'start_not_sent' });
    ok(isActive((await stage.driver.observe()).state));
    strictEqual(await stage.traced(wanted), 'none');
    return 'shown, left alone';
  },
};

const reconnect: Scenario = {
  name: 'reconnect while printing',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.running(2 * short);
    stage.driver.reset();
    await connectionWhere(stage.driver, 'disconnected');
    await connectionWhere(stage.driver, 'connected');
    strictEqual(await stage.traced(wanted), 'active');
    return `found again, ${(await stage.ended(wanted)).ending}`;
  },
};

const powerCycle: Scenario = {
  name: 'power cycle after finish',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.running(short);
    strictEqual((await stage.ended(wanted)).ending, 'finished');
    const gone = connectionWhere(stage.driver, 'disconnected');
    await stage.simulator.powerCycle();
    await gone;
    await connectionWhere(stage.driver, 'connected', 20_000);
    const after = await stage.reportWhere((report) => report.state === 'idle', 20_000);
    // Whatever the printer still remembers, it reports neither a running job nor a different ending.
    ok(after.ending === null || after.ending === 'finished' || after.ending === 'unknown', `${after.ending}`);
    strictEqual(stage.count(wanted, 'started'), 1);
    const trace = await stage.traced(wanted);
    return trace === 'none' ? 'idle, remembers nothing' : `idle, history: ${trace}`;
  },
};

const neverHappening: Scenario = {
  name: 'start accepted, never happening',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order();
    await stage.upload(wanted);
    await stage.simulator.setFault('start_ignored', { times: 1 });
    const given = permit();
    await rejects(stage.driver.start(wanted, given), StartUnconfirmedError);
    strictEqual(given.sentCount, 1);
    await connectionWhere(stage.driver, 'connected', 20_000);
    strictEqual(await stage.traced(wanted), 'none');
    deepStrictEqual([stage.count(wanted, 'start'), stage.count(wanted, 'started')], [1, 0]);
    return 'unconfirmed, no trace';
  },
};

const slowStart: Scenario = {
  name: 'slow start',
  async run(stage) {
    await stage.connect();
    // The end of the previous job is still shown while the next one is accepted.
    const before = await stage.running(60);
    strictEqual((await stage.ended(before)).ending, 'finished');
    const wanted = await stage.order(short);
    await stage.upload(wanted);
    await stage.simulator.setFault('slow_start', { times: 1, seconds: 3 });
    const started = await stage.driver.start(wanted, permit());
    ok(isSameJob(wanted.identity, started.job));
    strictEqual(stage.count(wanted, 'start'), 1);
    return `started, ${(await stage.ended(wanted)).ending}`;
  },
};

const lostReply: Scenario = {
  name: 'lost reply',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order(long);
    await stage.upload(wanted);
    await stage.simulator.setFault('start_reply_lost', { times: 1 });
    await rejects(stage.driver.start(wanted, permit()), StartUnconfirmedError);
    await connectionWhere(stage.driver, 'connected', 20_000);
    strictEqual(await stage.traced(wanted), 'active');
    deepStrictEqual([stage.count(wanted, 'start'), stage.count(wanted, 'started')], [1, 1]);
    return 'unconfirmed, found running';
  },
};

const busyPrinter: Scenario = {
  name: 'busy printer',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order();
    await stage.upload(wanted);
    stage.simulator.startForeignJob('stranger.gcode', 60);
    await stage.reportWhere((later) => isActive(later.state));
    ok((await stage.driver.preflight(wanted)).some((found) => found.check === 'not_busy'));
    await rejects(stage.driver.start(wanted, reckless()), StartRejectedError);
    const report = await stage.driver.observe();
    ok(isActive(report.state) && !isSameJob(wanted.identity, report.job));
    strictEqual(stage.count(wanted, 'started'), 0);
    return 'named before, rejected';
  },
};

const noStorage: Scenario = {
  name: 'storage missing or full',
  async run(stage) {
    await stage.connect();
    const wanted = await stage.order();
    const named: string[] = [];
    for (const fault of ['storage_missing', 'storage_full']) {
      await stage.simulator.setFault(fault, { on: true });
      if ((await stage.driver.preflight(wanted)).some((found) => found.check === 'storage')) named.push(fault);
      await rejects(stage.upload(wanted), UploadFailedError);
      await stage.simulator.setFault(fault, { on: false });
      await connectionWhere(stage.driver, 'connected', 20_000);
    }
    await stage.upload(wanted);
    const before = named.length === 2 ? 'both named before' : named.length === 1 ? 'missing named before' : '';
    return before === '' ? 'upload failed' : `${before}, upload failed`;
  },
};

const wrongCredentials: Scenario = {
  name: 'wrong credentials',
  async run(stage) {
    const { refusal } = stage.subject;
    if (refusal !== undefined) await stage.simulator.setFault(refusal, { on: true });
    await stage.recast({ credentials: 'wrong' });
    let tries = 0;
    stage.driver.on('connection', ({ status }) => {
      if (status === 'connecting') tries++;
    });
    stage.driver.open();
    const state = await connectionWhere(stage.driver, 'refused');
    ok(state.status === 'refused' && state.error.code === 'printer_refused' && state.error.remedy !== '');
    ok(state.status === 'refused' && !state.error.message.includes('87654321'));
    // Longer than any delay after a lost connection; after a refusal the driver waits 30 s.
    await pause(1500);
    strictEqual(stage.driver.connection.status, 'refused');
    strictEqual(tries, 1);
    return 'refused, not tried again at once';
  },
};

const timeOuts: Scenario = {
  name: 'time-outs of each call',
  async run(stage) {
    const wires = new Map<string, Wire>();
    for (const [name, port] of Object.entries(stage.simulator.ready.ports)) {
      if (['mqtt', 'ftps', 'http', 'sacp'].includes(name)) {
        wires.set(name, await new Wire({ host: '127.0.0.1', port }).listen());
      }
    }
    const all = (act: (wire: Wire) => void): void => [...wires.values()].forEach(act);
    const heal = async (): Promise<void> => {
      all((wire) => wire.cut());
      all((wire) => wire.pass());
      if (stage.driver.connection.status === 'connected') await connectionWhere(stage.driver, 'disconnected');
      await connectionWhere(stage.driver, 'connected', 20_000);
    };
    try {
      await stage.recast({ ports: Object.fromEntries([...wires].map(([name, wire]) => [name, wire.port])) });
      all((wire) => wire.silence('both'));
      stage.driver.open();
      await connectionWhere(stage.driver, 'connecting');
      await connectionWhere(stage.driver, 'disconnected', 20_000);
      all((wire) => wire.cut());
      all((wire) => wire.pass());
      await connectionWhere(stage.driver, 'connected', 20_000);
      const wanted = await stage.running(long);
      const other = await stage.order();
      const silent = async (call: (order: StartOrder) => Promise<unknown>): Promise<void> => {
        all((wire) => wire.silence('both'));
        await rejects(call(wanted));
        await heal();
      };
      const { driver } = stage;
      await silent(() => driver.observe());
      await silent((order) => driver.preflight(order));
      await silent(() => stage.upload(other));
      await silent(() => driver.pause());
      await silent(() => driver.resume());
      await silent((order) => driver.stop(order.identity));
      await silent((order) => driver.trace(order));
      // Despite the silence, the start itself reaches the wire.
      await driver.stop(wanted.identity);
      await stage.ended(wanted);
      await stage.upload(other);
      const sent = { ...reckless(), sent: () => all((wire) => wire.silence('both')) };
      await rejects(driver.start(other, sent), StartUnconfirmedError);
      // A disconnect message and a file removal also end, without an error.
      await driver.forget(other.identity);
      await driver.close();
      return 'every call ends';
    } finally {
      all((wire) => wire.close());
    }
  },
};

const lastTool: Scenario = {
  name: 'prints with the tool that the slot feeds',
  lastTool: true,
  async run(stage) {
    const { tool } = stage.subject.lastTool;
    await stage.connect();
    const wanted = await stage.orderOfLastTool(short);
    deepStrictEqual(await stage.driver.preflight(wanted), []);
    await stage.upload(wanted);
    await stage.driver.start(wanted, permit());
    strictEqual((await stage.ended(wanted)).ending, 'finished');
    const printed = stage.truth().filter((entry) => entry.event === 'started' || entry.event === 'finished');
    for (const { tools = [] } of printed) {
      deepStrictEqual(
        tools.map((entry) => [entry.tool, entry.material]),
        [[tool, lastFilament]],
      );
      ok((tools[0]?.grams ?? 0) > 0);
    }
    strictEqual(printed.length, 2);
    return `tool ${tool}, in its filament`;
  },
};

/** Every scenario, in the order of the table. */
export const scenarios: readonly Scenario[] = [
  finish,
  lastTool,
  cancelByUs,
  cancelAtScreen,
  failure,
  runOut,
  foreignJob,
  reconnect,
  powerCycle,
  neverHappening,
  slowStart,
  lostReply,
  busyPrinter,
  noStorage,
  wrongCredentials,
  timeOuts,
];
