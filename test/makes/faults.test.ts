import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { type BambuOptions, createBambuDriver } from '../../lib/makes/bambu/driver';
import { MqttSession } from '../../lib/makes/bambu/mqtt-session';
import {
  type Driver,
  isSameJob,
  PrinterUnavailableError,
  type StartOrder,
  StartRejectedError,
  UploadFailedError,
  WrongMachineError,
} from '../../lib/makes/driver';
import { createMoonrakerDriver } from '../../lib/makes/moonraker/driver';
import { createSnapmakerDriver } from '../../lib/makes/snapmaker/driver';
import type { PrinterReport } from '../../lib/model/printer';
import { type RunningSimulator, type SimulatorMake, type SimulatorOptions, startSimulator } from '../../lib/simulators';
import { simulatedLoads } from '../support/simulated-filament';
import {
  capabilities,
  connectionWhere,
  gcodeLasting,
  orderFor,
  permit,
  reportWhere,
  temporaryDirectory,
} from './fixtures';
import { sliced3mf } from './sliced-3mf';

const common = { host: '127.0.0.1', capabilities, timeScale: 60, log: (): void => {} };
const timing = { firstPauseMs: 100, longestPauseMs: 500 };
const accessCode = '12345678';

describe('drivers and faulty printers', function () {
  this.timeout(40_000);
  let directory: { path: string; remove(): Promise<void> };
  let simulator: RunningSimulator;
  const drivers: Driver[] = [];

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });

  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    await simulator.close();
    await directory.remove();
  });

  const simulate = async (make: SimulatorMake, options: Partial<SimulatorOptions> = {}): Promise<void> => {
    simulator = await startSimulator(make, {
      dataDir: join(directory.path, 'simulator'),
      speed: 60,
      loads: simulatedLoads[make],
      ...(make === 'bambu' ? { accessCode } : {}),
      ...options,
    });
  };
  const port = (name: string): number => simulator.ready.ports[name] ?? 0;
  const opened = (driver: Driver): Driver => {
    drivers.push(driver);
    driver.open();
    return driver;
  };
  const connected = async (driver: Driver): Promise<Driver> => {
    await connectionWhere(opened(driver), 'connected');
    return driver;
  };
  const bambu = (options: Partial<BambuOptions> = {}): Driver =>
    createBambuDriver({
      ...common,
      serial: simulator.ready.serial ?? '',
      accessCode,
      mqttPort: port('mqtt'),
      ftpsPort: port('ftps'),
      ...('fingerprint' in options ? {} : { caFile: simulator.ready.ca_file ?? '' }),
      timing: { ...timing, startSignMs: 6000, startActiveMs: 6000, answerMs: 1500 },
      ...options,
    });
  const moonraker = (): Driver =>
    createMoonrakerDriver({
      ...common,
      port: port('http'),
      timing: { ...timing, notReadyPollMs: 200, heartbeatMs: 1000, historyMs: 1500, shownMs: 2000 },
    });
  const snapmaker = (token = 'ours', more: object = {}): Driver =>
    createSnapmakerDriver({
      ...common,
      port: port('sacp'),
      token,
      timing: { ...timing, pushPeriodMs: 500, helloMs: 600, noticeMs: 1000, ...more },
    });
  const order = async (driver: Driver, seconds = 600): Promise<StartOrder> =>
    driver.make === 'bambu'
      ? orderFor(directory.path, await sliced3mf(gcodeLasting(seconds)), { extension: '.gcode.3mf', slots: ['ams0-0'] })
      : orderFor(directory.path, gcodeLasting(seconds), {
          extension: '.gcode',
          slots: [driver.make === 'snapmaker' ? 'nozzle0' : 'extruder'],
        });
  const upload = (driver: Driver, wanted: StartOrder): Promise<void> =>
    driver.upload(wanted, { signal: new AbortController().signal, progress: () => {} });
  /** An order of this length, uploaded and started. */
  const begun = async (driver: Driver, seconds?: number): Promise<StartOrder> => {
    const wanted = await order(driver, seconds);
    await upload(driver, wanted);
    await driver.start(wanted, permit());
    return wanted;
  };
  /** The report that shows how a job ended. */
  const ended = (driver: Driver, wanted: StartOrder): Promise<PrinterReport> =>
    reportWhere(driver, (report) => report.ending !== null && isSameJob(wanted.identity, report.job), 30_000);

  describe('Bambu', () => {
    // The fault campaign, seed 1402: a timer requested a report on a connection that could not be written to, and its error ended Node-RED.
    it('whose connections no longer accept bytes end the connection, and nothing else', async () => {
      await simulate('bambu');
      const driver = await connected(bambu({ timing: { ...timing, quietMs: 20, silentMs: 600 } }));
      const { publish } = MqttSession.prototype;
      let asked = 0;
      MqttSession.prototype.publish = () => {
        asked++;
        throw new PrinterUnavailableError('The command could not be written.');
      };
      try {
        await connectionWhere(driver, 'disconnected');
        ok(asked > 0, 'reports were requested');
      } finally {
        MqttSession.prototype.publish = publish;
      }
    });

    it('names Developer Mode in the preflight, and recognises the refusal of a start', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      const wanted = await order(driver);
      await upload(driver, wanted);
      await simulator.setFault('developer_mode_off', { on: true });
      await driver.observe();
      const failures = await driver.preflight(wanted);
      ok(failures.some((failure) => failure.check === 'developer_mode'));
      await rejects(driver.start(wanted, { ...permit(), check: () => {} }), StartRejectedError);
    });

    it('names missing storage, and reports it if an upload fails for it', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      const wanted = await order(driver);
      await simulator.setFault('storage_missing', { on: true });
      ok((await driver.preflight(wanted)).some((failure) => failure.check === 'storage'));
      await rejects(
        upload(driver, wanted),
        (error) => error instanceof UploadFailedError && error.remedy.includes('USB'),
      );
    });

    it('names a tray on the wrong side, and a nozzle that is not mounted', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      const file = async (side: number, nozzle: number): Promise<StartOrder> =>
        orderFor(directory.path, await sliced3mf(gcodeLasting(60), { side, nozzle }), {
          extension: '.gcode.3mf',
          slots: ['ams0-0'],
        });
      const checks = async (wanted: StartOrder): Promise<string[]> =>
        (await driver.preflight(wanted)).map((failure) => failure.check);
      const bySide = [await checks(await file(1, 0.4)), await checks(await file(2, 0.4))];
      deepStrictEqual(bySide.sort(), [[], ['extruder']]);
      ok((await checks(await file(2, 0.8))).includes('nozzle'));
    });

    it('starts a file that was sliced for the mounted nozzles, whatever the configuration', async () => {
      await simulate('bambu');
      const driver = await connected(bambu({ capabilities: { ...capabilities, nozzleDiameters: [0.6, 0.6] } }));
      const sliced = await orderFor(directory.path, await sliced3mf(gcodeLasting(60), { nozzle: 0.4, side: 2 }), {
        extension: '.gcode.3mf',
        slots: ['ams0-0'],
      });
      deepStrictEqual(await driver.preflight(sliced), []);
      const [failure] = await driver.preflight({
        ...sliced,
        file: { ...sliced.file, path: '' },
        identity: { ...sliced.identity, sha256: '' },
      });
      deepStrictEqual([failure?.check, failure?.whose], ['nozzle', 'printer']);
    });

    it('reports a different model than configured, and starts nothing on it', async () => {
      await simulate('bambu', { profile: 'x1' });
      const driver = await connected(bambu({ capabilities: { ...capabilities, model: 'O1D' } }));
      const report = await driver.observe();
      deepStrictEqual([report.state, report.capabilities?.model], ['fault', 'BL-P001']);
      const [failure] = await driver.preflight(await order(driver));
      deepStrictEqual([failure?.check, failure?.whose], ['fault', 'printer']);
      ok(failure?.message.includes('H2D') && failure.message.includes('X1 Carbon'));
      driver.describe({ ...capabilities, model: 'BL-P001' });
      strictEqual(driver.report?.state, 'idle');
    });

    it('names an empty tray', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      const failures = await driver.preflight({ ...(await order(driver)), slots: ['ams0-3'] });
      deepStrictEqual(
        failures.map((failure) => failure.check),
        ['slot_empty'],
      );
    });

    for (const [fault, setting] of [
      ['slow_226', { seconds: 2 }],
      ['pasv_zero', {}],
    ] as const) {
      it(`uploads despite ${fault}`, async () => {
        await simulate('bambu');
        const driver = await connected(bambu());
        const wanted = await order(driver);
        await simulator.setFault(fault, { on: true, ...setting });
        await upload(driver, wanted);
      });
    }

    it('trusts only a pinned certificate', async () => {
      await simulate('bambu');
      const seen = await new Promise<string>((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port: port('mqtt'), rejectUnauthorized: false }, () => {
          const certificate = socket.getPeerX509Certificate();
          socket.destroy();
          resolve(certificate?.fingerprint256 ?? '');
        });
        socket.once('error', reject);
      });
      const driver = await connected(bambu({ fingerprint: seen }));
      await upload(driver, await order(driver));
      const other = new X509Certificate(readFileSync(simulator.ready.ca_file ?? '')).fingerprint256;
      const state = await connectionWhere(opened(bambu({ fingerprint: other })), 'refused');
      ok(state.status === 'refused' && state.error.remedy.includes(seen));
    });

    it('does not connect to a printer whose certificate is untrusted or belongs to another printer', async () => {
      await simulate('bambu');
      const { caFile, ...rest } = { caFile: '', ...common };
      strictEqual(caFile, '');
      const bare = createBambuDriver({
        ...rest,
        serial: simulator.ready.serial ?? '',
        accessCode,
        mqttPort: port('mqtt'),
        timing,
      });
      await connectionWhere(opened(bare), 'refused');
      const other = await connectionWhere(opened(bambu({ serial: '094000000000000' })), 'refused');
      ok(other.status === 'refused' && other.error instanceof WrongMachineError);
    });

    it('rebuilds a connection that loses commands, and stops the job on the new one', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      const wanted = await begun(driver, 1800);
      await simulator.setFault('zombie', { on: true });
      const gone = connectionWhere(driver, 'disconnected').then(() => simulator.setFault('zombie', { on: false }));
      await Promise.all([
        gone,
        (async () => {
          await driver
            .stop(wanted.identity)
            .catch(() => connectionWhere(driver, 'connected').then(() => driver.stop(wanted.identity)));
        })(),
      ]);
      const last = await ended(driver, wanted);
      strictEqual(last.ending, 'cancelled');
    });

    for (const [profile, model] of [
      ['x1', 'BL-P001'],
      ['a1', 'N2S'],
    ] as const) {
      it(`drives a printer of the older generation, which uses different report fields: ${profile}`, async () => {
        await simulate('bambu', { profile });
        const driver = await connected(bambu());
        const file = async (seconds: number): Promise<StartOrder> =>
          orderFor(directory.path, await sliced3mf(gcodeLasting(seconds), { model }), {
            extension: '.gcode.3mf',
            slots: ['ams0-0'],
          });
        for (const [seconds, ending] of [
          [300, 'finished'],
          [3600, 'cancelled'],
        ] as const) {
          const wanted = await file(seconds);
          deepStrictEqual(await driver.preflight(wanted), []);
          await upload(driver, wanted);
          await driver.start(wanted, permit());
          await reportWhere(driver, (report) => report.state === 'printing');
          if (ending === 'cancelled') simulator.cancelAtScreen();
          const last = await ended(driver, wanted);
          strictEqual(last.ending, ending);
          simulator.clearPlate();
        }
      });
    }

    it('reads payloads with a trailing NUL, names that are not UTF-8, and flags of all widths', async () => {
      await simulate('bambu');
      await simulator.setFault('ragged_payloads', { on: true });
      await simulator.setFault('wide_flags', { on: true });
      const driver = await connected(bambu());
      deepStrictEqual(await driver.preflight(await order(driver)), []);
    });

    it('stops retrying when the access code changes', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      simulator.actions['screen/access-code']?.({ access_code: '99999999' });
      const state = await connectionWhere(driver, 'refused');
      ok(state.status === 'refused' && state.error.remedy.includes('access code'));
    });

    it('prints from a second AMS on the other nozzle, and names one that is drying', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      simulator.actions['ams/attach']?.({ unit: 1, extruder: 1 });
      simulator.load('ams1-0', 'pla_red_esun');
      simulator.actions['ams/attach']?.({ unit: 128, extruder: 0, drying_minutes: 90 });
      simulator.load('ams128-0', 'pla_black_esun');
      const left = { ...(await order(driver)), slots: ['ams1-0'] };
      const onTheLeft = await orderFor(directory.path, await sliced3mf(gcodeLasting(600), { side: 1 }), {
        extension: '.gcode.3mf',
        slots: ['ams1-0'],
      });
      const checks = async (wanted: StartOrder): Promise<string[]> =>
        (await driver.preflight(wanted)).map(({ check }) => check);
      deepStrictEqual(await checks(left), ['extruder']);
      deepStrictEqual(await checks({ ...left, slots: ['ams128-0'] }), ['drying']);
      deepStrictEqual(await checks({ ...left, slots: ['ams0-0', 'ams0-1'] }), ['filaments']);
      deepStrictEqual(await checks(onTheLeft), []);
      await upload(driver, onTheLeft);
      await driver.start(onTheLeft, permit());
      await reportWhere(driver, (report) => report.state === 'printing');
    });

    it('prints the plate of the order, even from a file that contains only that plate', async () => {
      await simulate('bambu', { ams: '0:right,1:left', speed: 600 });
      simulator.load('ams1-0', 'pla_red_esun');
      const driver = await connected(bambu());
      // Only the second plate is there, and it is sliced for the left nozzle.
      const alone = await orderFor(directory.path, await sliced3mf(gcodeLasting(60), { plate: 2, side: 1 }), {
        extension: '.gcode.3mf',
        slots: ['ams1-0'],
      });
      const wanted = { ...alone, plate: 2, tool: 1 };
      deepStrictEqual(
        (await driver.preflight({ ...wanted, slots: ['ams0-0'] })).map(({ check }) => check),
        ['extruder'],
      );
      deepStrictEqual(await driver.preflight(wanted), []);
      await upload(driver, wanted);
      await driver.start(wanted, permit());
      strictEqual((await ended(driver, wanted)).ending, 'finished');
    });

    it('shows that the printer waits for an operator', async () => {
      await simulate('bambu');
      const driver = await connected(bambu());
      const wanted = await order(driver);
      await upload(driver, wanted);
      await simulator.setFault('plate_check', { times: 1 });
      await driver.start(wanted, permit());
      const paused = await reportWhere(driver, (report) => report.state === 'paused');
      ok(paused.faults.some((fault) => fault.code === '0500_8051' && fault.blocking));
      simulator.resumeAtScreen();
      await reportWhere(driver, (report) => report.state === 'printing');
    });
  });

  describe('Moonraker', () => {
    it('reports a shutdown as a fault, and its job as failed', async () => {
      await simulate('moonraker');
      const driver = await connected(moonraker());
      const wanted = await begun(driver);
      await simulator.setFault('klippy_shutdown', { on: true });
      const fault = await reportWhere(driver, (report) => report.state === 'fault' && report.ending !== null);
      deepStrictEqual([fault.ending, isSameJob(wanted.identity, fault.job)], ['failed', true]);
      ok((await driver.preflight(wanted)).some((failure) => failure.check === 'klippy_ready'));
    });

    it('recovers when Klipper does', async () => {
      await simulate('moonraker');
      const driver = await connected(moonraker());
      await simulator.setFault('klippy_disconnected', { on: true });
      await reportWhere(driver, (report) => report.state === 'busy');
      await simulator.setFault('klippy_disconnected', { on: false });
      const ready = await reportWhere(driver, (report) => report.state === 'idle');
      ok(ready.slots.length > 0);
    });

    it('shows all four zones of the bed, and names an axis that two heads make too short', async () => {
      await simulate('moonraker');
      const wide = { ...capabilities, buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 800, y: 800, z: 1000 } } };
      const driver = await connected(
        createMoonrakerDriver({ ...common, capabilities: wide, port: port('http'), timing: { ...timing } }),
      );
      const wanted = await order(driver);
      const zones = (driver.report?.temperatures ?? [])
        .map(({ name }) => name)
        .filter((name) => name.startsWith('bed'));
      deepStrictEqual(zones, ['bed', 'bed1', 'bed2', 'bed3']);
      deepStrictEqual(await driver.preflight(wanted), []);
      simulator.actions['heads']?.({ count: 2 });
      await reportWhere(driver, (report) => report.slots.length === 2);
      const [failure] = await driver.preflight(wanted);
      deepStrictEqual(
        [failure?.check, failure?.whose, failure?.message.includes('405.5 mm')],
        ['build_volume', 'printer', true],
      );
      driver.describe({ ...wide, buildVolume: { ...wide.buildVolume, max: { x: 405, y: 800, z: 1000 } } });
      deepStrictEqual(await driver.preflight(wanted), []);
    });

    it('starts nothing on an extruder for which Klipper has no macro: it would print with another one', async () => {
      await simulate('moonraker', { profile: 'modern' });
      const driver = await connected(moonraker());
      const wanted = await order(driver);
      deepStrictEqual(await driver.preflight(wanted), []);
      const [failure] = await driver.preflight({ ...wanted, tool: 1 });
      deepStrictEqual([failure?.check, failure?.whose], ['tool_macro', 'printer']);
      ok(failure?.remedy.includes('[gcode_macro T1]'));
    });

    it("names the jobs in the printer's own queue", async () => {
      await simulate('moonraker');
      const driver = await connected(moonraker());
      await fetch(`http://127.0.0.1:${port('http')}/server/job_queue/job?filenames=theirs.gcode`, { method: 'POST' });
      deepStrictEqual(
        (await driver.preflight(await order(driver))).map(({ check }) => check),
        ['foreign_queue'],
      );
    });

    it('follows a print to its end although Moonraker was restarted and stopped recording it', async () => {
      await simulate('moonraker');
      const driver = await connected(moonraker());
      const wanted = await begun(driver, 600);
      await reportWhere(driver, (report) => report.state === 'printing');
      simulator.actions['moonraker-restart']?.({});
      await connectionWhere(driver, 'disconnected');
      await connectionWhere(driver, 'connected');
      strictEqual((await driver.trace(wanted)).verdict, 'active');
      strictEqual((await ended(driver, wanted)).ending, 'finished');
    });

    it('recognises a print that resumes after a power cut as the same job', async () => {
      await simulate('moonraker');
      const driver = await connected(moonraker());
      const wanted = await begun(driver, 1200);
      await reportWhere(driver, (report) => report.state === 'printing');
      const gone = connectionWhere(driver, 'disconnected');
      await simulator.powerCycle();
      await gone;
      await connectionWhere(driver, 'connected');
      simulator.actions['power-loss-recovery']?.({});
      const going = await reportWhere(driver, (report) => report.job?.name.startsWith('plr/') === true);
      ok(isSameJob(wanted.identity, going.job));
      strictEqual((await driver.trace(wanted)).verdict, 'active');
    });

    it('reports that a pause had no effect', async () => {
      await simulate('moonraker');
      const driver = await connected(moonraker());
      await begun(driver, 3600);
      await reportWhere(driver, (report) => report.state === 'printing');
      await simulator.setFault('pause_ignored', { on: true });
      await rejects(driver.pause(), { code: 'command_refused' });
    });
  });

  describe('Snapmaker', () => {
    it('waits for a tap on the touchscreen', async () => {
      await simulate('snapmaker');
      await simulator.setFault('ask_approval', { on: true });
      const driver = opened(snapmaker('new', { approvalMs: 20_000, helloMs: 3000 }));
      await connectionWhere(driver, 'connecting');
      while (simulator.state().asking_approval !== true) await new Promise((resolve) => setTimeout(resolve, 50));
      simulator.actions['screen/approve']?.({});
      await connectionWhere(driver, 'connected');
    });

    for (const fault of ['refuse_pairing', 'remote_disabled']) {
      it(`stops retrying after ${fault}`, async () => {
        await simulate('snapmaker');
        await simulator.setFault(fault, { on: true });
        const state = await connectionWhere(opened(snapmaker('other')), 'refused');
        ok(state.status === 'refused' && state.error.code === 'printer_refused');
      });
    }

    it('keeps retrying while another client is connected, and connects after that', async () => {
      await simulate('snapmaker');
      const first = await connected(snapmaker());
      const second = opened(snapmaker());
      await connectionWhere(second, 'disconnected');
      await connectionWhere(second, 'connecting');
      await connectionWhere(second, 'disconnected');
      await first.close();
      await connectionWhere(second, 'connected');
    });

    it('uses the line count if the reason of an ending is lost', async () => {
      await simulate('snapmaker');
      const driver = await connected(snapmaker());
      const wanted = await order(driver, 300);
      await upload(driver, wanted);
      await simulator.setFault('issue_lost', { on: true });
      await driver.start(wanted, permit());
      const last = await ended(driver, wanted);
      strictEqual(last.ending, 'finished');
    });

    it('tolerates a frame of the last session before the greeting, and heartbeats of old firmware', async () => {
      await simulate('snapmaker');
      await simulator.setFault('stale_frame', { times: 1 });
      await simulator.setFault('short_heartbeats', { on: true });
      const driver = await connected(snapmaker());
      strictEqual(driver.report?.state, 'idle');
      // The mounted modules are reported shortly after the first report.
      const { toolHead } = await reportWhere(driver, (report) => (report.toolHead?.nozzleDiameters.length ?? 0) > 0);
      deepStrictEqual(toolHead, { kind: 'extruder', ready: true, nozzleDiameters: [0.4, 0.4] });
    });

    for (const [fault, words] of [
      ['door_opens', /door/],
      ['feed_lost', /lost the connection/],
      ['file_pause', /asked for a pause/],
    ] as const) {
      it(`reports the reason of a pause: ${fault}`, async () => {
        await simulate('snapmaker');
        const driver = await connected(snapmaker());
        const wanted = await order(driver, 300);
        await upload(driver, wanted);
        await simulator.setFault(fault, { times: 1 });
        await driver.start(wanted, permit());
        const paused = await reportWhere(driver, (report) => report.state === 'paused');
        ok(words.test(paused.message ?? ''), paused.message);
        if (fault === 'door_opens') {
          await reportWhere(driver, () => simulator.state()['status'] === 4);
          await rejects(driver.resume(), { code: 'command_refused' });
          await simulator.setFault('door_open', { on: false });
        }
        await driver.resume();
        const last = await ended(driver, wanted);
        strictEqual(last.ending, 'finished');
      });
    }

    it('reports a start that the controller aborts as failed, whatever the screen answers', async () => {
      await simulate('snapmaker', { speed: 10 });
      const driver = await connected(snapmaker());
      const wanted = await order(driver, 300);
      await upload(driver, wanted);
      await simulator.setFault('start_refused', { times: 1 });
      await driver.start(wanted, permit()).catch(() => {});
      const last = await ended(driver, wanted);
      strictEqual(last.ending, 'failed');
    });

    it('finds a job that a power cut interrupted', async () => {
      await simulate('snapmaker');
      const driver = await connected(snapmaker());
      const wanted = await begun(driver, 3600);
      await reportWhere(driver, (report) => report.state === 'printing');
      const gone = connectionWhere(driver, 'disconnected');
      await simulator.powerCycle();
      await gone;
      await connectionWhere(driver, 'connected');
      const trace = await driver.trace(wanted);
      deepStrictEqual([trace.verdict, 'ending' in trace ? trace.ending : null], ['ended', 'failed']);
    });

    it('names a missing tool head', async () => {
      await simulate('snapmaker');
      await simulator.setFault('no_tool_head', { on: true });
      const driver = await connected(snapmaker());
      ok((await driver.preflight(await order(driver))).some((failure) => failure.check === 'tool_head'));
    });

    it('waits longer before reconnecting after an operator tapped Disconnect', async () => {
      await simulate('snapmaker');
      const driver = await connected(snapmaker());
      simulator.actions['screen/disconnect']?.({});
      await connectionWhere(driver, 'disconnected');
      await new Promise((resolve) => setTimeout(resolve, 1200));
      strictEqual(driver.connection.status, 'disconnected');
    });
  });

  describe('prints that end before they are observed', () => {
    const makes: [SimulatorMake, () => Driver][] = [
      ['bambu', () => bambu({ timeScale: 7200 })],
      ['moonraker', moonraker],
      ['snapmaker', () => snapmaker()],
    ];
    for (const [make, create] of makes) {
      it(`count as started: ${make}`, async () => {
        await simulate(make, { speed: 7200 });
        const driver = await connected(create());
        for (const seconds of [60, 61]) {
          const wanted = await order(driver, seconds);
          await upload(driver, wanted);
          const started = await driver.start(wanted, permit());
          ok(isSameJob(wanted.identity, started.job));
          const last = await ended(driver, wanted);
          strictEqual(last.ending, 'finished');
          simulator.clearPlate();
        }
      });
    }
  });
});
