import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isActive } from '../../lib/model/printer';
import { createBambuDriver } from '../../lib/printers/bambu/driver';
import {
  type Driver,
  isSameJob,
  StartNotSentError,
  type StartOrder,
  StartRejectedError,
  StartUnconfirmedError,
  UploadFailedError,
} from '../../lib/printers/driver';
import { createMoonrakerDriver } from '../../lib/printers/moonraker/driver';
import { createSnapmakerDriver } from '../../lib/printers/snapmaker/driver';
import { startSimulator } from '../../lib/simulators';
import type { RunningSimulator, SimulatorMake } from '../../lib/simulators/simulator';
import {
  capabilities,
  connectionWhere,
  gcodeLasting,
  orderFor,
  permit,
  reportWhere,
  temporaryDirectory,
} from '../printers/fixtures';
import { sliced3mf } from '../printers/sliced-3mf';

const speed = 60;
const log =
  process.env.PLATEWISE_TEST_LOG === undefined ? () => {} : (level: string, text: string) => console.log(level, text);

interface Subject {
  make: SimulatorMake;
  simulator: { accessCode?: string; profile?: string };
  driver(simulator: RunningSimulator, credentials: 'right' | 'wrong'): Driver;
  /** A file that prints for this many printer seconds. */
  file(seconds: number): Promise<Buffer | string>;
  extension: string;
  slot: string;
  /** How long a driver asks for nothing less than the whole answer of a start (ms). */
  wrongCredentials: boolean;
}

const reconnect = { firstPauseMs: 100, longestPauseMs: 1000 };
const portOf = (simulator: RunningSimulator, name: string): number => simulator.ready.ports[name] ?? 0;
const common = { host: '127.0.0.1', capabilities, timeScale: speed, log };

const subjects: Subject[] = [
  {
    make: 'bambu',
    simulator: { accessCode: '12345678' },
    driver: (simulator, credentials) =>
      createBambuDriver({
        ...common,
        serial: simulator.ready.serial ?? '',
        accessCode: credentials === 'right' ? '12345678' : '87654321',
        mqttPort: portOf(simulator, 'mqtt'),
        ftpsPort: portOf(simulator, 'ftps'),
        ...(simulator.ready.ca_file === undefined ? {} : { caFile: simulator.ready.ca_file }),
        timing: { ...reconnect, startSignMs: 6000, startActiveMs: 6000, answerMs: 3000 },
      }),
    file: (seconds) => sliced3mf(gcodeLasting(seconds)),
    extension: '.gcode.3mf',
    slot: 'ams0-0',
    wrongCredentials: true,
  },
  ...(['legacy-giga', 'modern-giga', 'modern'] as const).map(
    (profile): Subject => ({
      make: 'moonraker',
      simulator: { accessCode: '0123456789abcdef0123456789abcdef', profile },
      driver: (simulator, credentials) =>
        createMoonrakerDriver({
          ...common,
          port: portOf(simulator, 'http'),
          apiKey: credentials === 'right' ? '0123456789abcdef0123456789abcdef' : 'ffffffffffffffffffffffffffffffff',
          timing: { ...reconnect, startAnswerMs: 5000, shownMs: 3000, heartbeatMs: 1000, historyMs: 1500 },
        }),
      file: async (seconds) => gcodeLasting(seconds),
      extension: '.gcode',
      slot: 'extruder',
      wrongCredentials: true,
    }),
  ),
  {
    make: 'snapmaker',
    simulator: {},
    driver: (simulator) =>
      createSnapmakerDriver({
        ...common,
        port: portOf(simulator, 'sacp'),
        token: 'a-token-of-ours',
        timing: { ...reconnect, startMs: 8000, pushPeriodMs: 500, helloMs: 1500, noticeMs: 1500 },
      }),
    file: async (seconds) => gcodeLasting(seconds),
    extension: '.gcode',
    slot: 'nozzle0',
    wrongCredentials: false,
  },
];

for (const subject of subjects) {
  describe(`driver contract: ${subject.make} ${subject.simulator.profile ?? ''}`, function () {
    this.timeout(40_000);
    let directory: { path: string; remove(): Promise<void> };
    let simulator: RunningSimulator;
    let driver: Driver;

    beforeEach(async () => {
      directory = await temporaryDirectory();
      simulator = await startSimulator(subject.make, {
        dataDir: join(directory.path, 'simulator'),
        speed,
        ...subject.simulator,
      });
      driver = subject.driver(simulator, 'right');
    });

    afterEach(async () => {
      await driver.close();
      await simulator.close();
      await directory.remove();
    });

    const connected = async (): Promise<void> => {
      driver.open();
      await connectionWhere(driver, 'connected');
    };
    const order = async (seconds = 1200): Promise<StartOrder> =>
      orderFor(directory.path, await subject.file(seconds), {
        extension: subject.extension,
        slots: [subject.slot],
        estimatedSeconds: seconds,
      });
    const upload = (wanted: StartOrder, progress: (part: number) => void = () => {}): Promise<void> =>
      driver.upload(wanted, { signal: new AbortController().signal, progress });
    const truth = (): { event: string; file_name?: string; sha256?: string; size?: number }[] =>
      readFileSync(simulator.ready.truth_log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    const events = (wanted: StartOrder, event: string): unknown[] =>
      truth().filter((entry) => entry.event === event && entry.file_name === wanted.identity.fileName);
    const running = async (seconds?: number): Promise<StartOrder> => {
      const wanted = await order(seconds);
      await upload(wanted);
      await driver.start(wanted, permit());
      return wanted;
    };

    it('connects, reports and observes', async () => {
      await connected();
      const report = await reportWhere(driver, () => true);
      strictEqual(report.state, 'idle');
      strictEqual(report.timeScale, speed);
      ok(report.slots.some((slot) => slot.slot === subject.slot));
      const called = performance.now();
      const observed = await driver.observe();
      ok(observed.receivedAt >= called);
    });

    it('finds nothing against a fitting order', async () => {
      await connected();
      deepStrictEqual(await driver.preflight(await order()), []);
    });

    it('names what forbids an order', async () => {
      await connected();
      const wanted = await order();
      const failures = await driver.preflight({ ...wanted, slots: ['nowhere'] });
      deepStrictEqual(
        failures.map((failure) => failure.check),
        ['slot'],
      );
    });

    it('uploads, twice if asked to, starts once and sees the end', async () => {
      await connected();
      const wanted = await order(600);
      const parts: number[] = [];
      await upload(wanted, (part) => parts.push(part));
      strictEqual(parts.at(-1), 1);
      await upload(wanted);
      const given = permit();
      const started = await driver.start(wanted, given);
      ok(isSameJob(wanted.identity, started.job));
      deepStrictEqual([given.checks, given.sentCount], [1, 1]);
      await reportWhere(driver, (report) => report.state === 'printing');
      const ended = await reportWhere(
        driver,
        (report) => report.ending !== null && isSameJob(wanted.identity, report.job),
        35_000,
      );
      strictEqual(ended.ending, 'finished');
      strictEqual(ended.state, 'idle');
      strictEqual(events(wanted, 'start').length, 1);
      const [stored] = truth().filter((entry) => entry.event === 'upload');
      deepStrictEqual([stored?.sha256, stored?.size], [wanted.identity.sha256, wanted.file.size]);
      const trace = await driver.trace(wanted);
      deepStrictEqual([trace.verdict, 'ending' in trace ? trace.ending : null], ['ended', 'finished']);
    });

    it('cancels a job of ours', async () => {
      await connected();
      const wanted = await running();
      await driver.stop(wanted.identity);
      const ended = await reportWhere(
        driver,
        (report) => report.ending !== null && isSameJob(wanted.identity, report.job),
      );
      strictEqual(ended.ending, 'cancelled');
      const trace = await driver.trace(wanted);
      deepStrictEqual([trace.verdict, 'ending' in trace ? trace.ending : null], ['ended', 'cancelled']);
    });

    it('tells a cancel at the screen from a failure', async () => {
      await connected();
      const wanted = await running();
      await reportWhere(driver, (report) => report.state === 'printing');
      simulator.cancelAtScreen();
      const ended = await reportWhere(
        driver,
        (report) => report.ending !== null && isSameJob(wanted.identity, report.job),
      );
      strictEqual(ended.ending, 'cancelled');
    });

    it('pauses and resumes', async () => {
      await connected();
      await running();
      await reportWhere(driver, (report) => report.state === 'printing');
      await driver.pause();
      await reportWhere(driver, (report) => report.state === 'paused');
      await driver.resume();
      await reportWhere(driver, (report) => report.state === 'printing');
    });

    it('finds its job again after a lost connection', async () => {
      await connected();
      const wanted = await running();
      driver.reset();
      await connectionWhere(driver, 'disconnected');
      await connectionWhere(driver, 'connected');
      const trace = await driver.trace(wanted);
      strictEqual(trace.verdict, 'active');
    });

    it('finds no trace of a job that never was', async () => {
      await connected();
      strictEqual((await driver.trace(await order())).verdict, 'none');
    });

    it('sends nothing when the check forbids it', async () => {
      await connected();
      const wanted = await order();
      await upload(wanted);
      const given = {
        ...permit(),
        check(): void {
          throw new Error('not now');
        },
      };
      await rejects(driver.start(wanted, given), StartNotSentError);
      strictEqual((await driver.observe()).state, 'idle');
      strictEqual(given.sentCount, 0);
      deepStrictEqual(events(wanted, 'start'), []);
    });

    it('sends nothing after its time', async () => {
      await connected();
      const wanted = await order();
      await upload(wanted);
      const given = { ...permit(), notAfter: performance.now() - 1 };
      await rejects(driver.start(wanted, given), StartNotSentError);
      strictEqual((await driver.observe()).state, 'idle');
      deepStrictEqual(events(wanted, 'start'), []);
    });

    it('sends nothing without a connection', async () => {
      const wanted = await order();
      await rejects(driver.start(wanted, permit()), StartNotSentError);
    });

    it('does not call a start of a missing file a success', async () => {
      await connected();
      const wanted = await order();
      await rejects(
        driver.start(wanted, permit()),
        (error) => error instanceof StartRejectedError || error instanceof StartUnconfirmedError,
      );
      deepStrictEqual(events(wanted, 'started'), []);
    });

    it('says that a start is unconfirmed if the printer vanishes', async () => {
      await connected();
      const wanted = await order();
      await upload(wanted);
      const given = permit();
      const start = driver.start(wanted, {
        ...given,
        sent: () => {
          simulator.setFault('offline', { on: true }).catch(() => {});
        },
      });
      await rejects(start, StartUnconfirmedError);
      strictEqual(driver.connection.status === 'connected', false);
      await simulator.setFault('offline', { on: false });
      await connectionWhere(driver, 'connected', 20_000);
      const sent = events(wanted, 'start').length;
      await driver.observe();
      strictEqual(events(wanted, 'start').length, sent);
    });

    it('says that a start is unconfirmed if the printer never does it', async () => {
      await connected();
      const wanted = await order();
      await upload(wanted);
      await simulator.setFault('start_ignored', { times: 1 });
      const given = permit();
      await rejects(driver.start(wanted, given), StartUnconfirmedError);
      strictEqual(given.sentCount, 1);
      await connectionWhere(driver, 'connected', 20_000);
      strictEqual((await driver.trace(wanted)).verdict, 'none');
      deepStrictEqual(events(wanted, 'started'), []);
    });

    it('sees a start whose reply is lost', async () => {
      await connected();
      const wanted = await order();
      await upload(wanted);
      await simulator.setFault('start_reply_lost', { times: 1 });
      const outcome = await driver.start(wanted, permit()).catch((error: unknown) => error);
      if (outcome instanceof StartUnconfirmedError) {
        await connectionWhere(driver, 'connected', 20_000);
        strictEqual((await driver.trace(wanted)).verdict, 'active');
      } else ok(!(outcome instanceof Error), String(outcome));
      strictEqual(events(wanted, 'started').length, 1);
    });

    it('calls a print that broke off failed', async () => {
      await connected();
      const wanted = await order(600);
      await upload(wanted);
      await simulator.setFault('print_fails', { times: 1 });
      await driver.start(wanted, permit());
      const ended = await reportWhere(
        driver,
        (report) => report.ending !== null && isSameJob(wanted.identity, report.job),
        30_000,
      );
      strictEqual(ended.ending, 'failed');
    });

    it('notices that an upload broke, and brings it to its end when asked again', async () => {
      await connected();
      const wanted = await order();
      await simulator.setFault('upload_breaks', { times: 1 });
      await rejects(upload(wanted), UploadFailedError);
      await connectionWhere(driver, 'connected', 20_000);
      await upload(wanted);
      const last = truth()
        .filter((entry) => entry.event === 'upload')
        .at(-1);
      strictEqual(last?.sha256, wanted.identity.sha256);
    });

    it('shows a foreign job and leaves it alone', async () => {
      await connected();
      simulator.startForeignJob('stranger.gcode', 30);
      const report = await reportWhere(driver, (later) => isActive(later.state));
      const wanted = await order();
      strictEqual(isSameJob(wanted.identity, report.job), false);
      await rejects(driver.stop(wanted.identity), { code: 'job_not_running' });
      await rejects(driver.start(wanted, permit()), StartNotSentError);
      ok(isActive((await driver.observe()).state));
    });

    it('gives up an upload when told to', async () => {
      await connected();
      const wanted = await order();
      await rejects(driver.upload(wanted, { signal: AbortSignal.abort(), progress: () => {} }), UploadFailedError);
    });

    if (subject.wrongCredentials) {
      it('stops trying with wrong credentials', async () => {
        await driver.close();
        driver = subject.driver(simulator, 'wrong');
        driver.open();
        const state = await connectionWhere(driver, 'refused');
        ok(state.status === 'refused' && state.error.code === 'printer_refused');
        ok(state.status === 'refused' && !state.error.message.includes('87654321'));
      });
    }
  });
}
