import { deepStrictEqual, match, ok, rejects, strictEqual } from 'node:assert';
import { ReportTracker } from '../../lib/makes/bambu/tracker';
import {
  type Driver,
  StartNotSentError,
  StartRejectedError,
  StartUnconfirmedError,
  UploadFailedError,
} from '../../lib/makes/driver';
import { StateTracker } from '../../lib/makes/moonraker/tracker';
import { MachineTracker } from '../../lib/makes/snapmaker/tracker';
import type { RunningSimulator } from '../../lib/simulators/simulator';
import { connectionWhere, permit, reportWhere } from '../makes/fixtures';
import { Stage } from './stage';
import { type Subject, subjects } from './subjects';

const speed = 60;

/** Lets the next call of a method that each received report reaches fail, as a defect of ours would. */
function failOnce(make: Subject['make'], step: 'take' | 'map'): void {
  const [prototype, name]: [object, string] =
    make === 'bambu'
      ? [ReportTracker.prototype, step === 'take' ? 'takeStatus' : 'at']
      : make === 'moonraker'
        ? [StateTracker.prototype, step === 'take' ? 'notify' : 'at']
        : [MachineTracker.prototype, step === 'take' ? 'take' : 'at'];
  const method = Reflect.get(prototype, name);
  Reflect.set(prototype, name, () => {
    Reflect.set(prototype, name, method);
    throw new RangeError('an odd field');
  });
}

for (const subject of subjects) {
  describe(`driver contract: ${subject.title}`, function () {
    this.timeout(40_000);
    let stage: Stage;
    let simulator: RunningSimulator;
    let driver: Driver;

    beforeEach(async () => {
      stage = await Stage.set(subject, speed);
      ({ simulator, driver } = stage);
    });
    afterEach(() => stage.strike());

    it('connects, reports and observes', async () => {
      await stage.connect();
      const report = await reportWhere(driver, () => true);
      strictEqual(report.state, 'idle');
      strictEqual(report.timeScale, speed);
      ok(report.slots.some((slot) => slot.slot === subject.slot));
      const called = performance.now();
      const observed = await driver.observe();
      ok(observed.receivedAt >= called);
    });

    for (const step of ['take', 'map'] as const) {
      it(`connects again after an unexpected exception on a message: ${step}`, async () => {
        await stage.connect();
        failOnce(subject.make, step);
        const lost = await connectionWhere(driver, 'disconnected');
        match(lost.status === 'disconnected' ? (lost.reason?.message ?? '') : '', /an odd field/);
        await connectionWhere(driver, 'connected');
        strictEqual((await driver.observe()).state, 'idle');
      });
    }

    it('finds no failed check for a suitable order', async () => {
      await stage.connect();
      deepStrictEqual(await driver.preflight(await stage.order()), []);
    });

    it('names the failed checks of an order', async () => {
      await stage.connect();
      const wanted = await stage.order();
      const failures = await driver.preflight({ ...wanted, slots: ['nowhere'] });
      deepStrictEqual(
        failures.map((failure) => failure.check),
        ['slot'],
      );
    });

    it('pauses and resumes', async () => {
      await stage.connect();
      await stage.running();
      await reportWhere(driver, (report) => report.state === 'printing');
      await driver.pause();
      await reportWhere(driver, (report) => report.state === 'paused');
      await driver.resume();
      await reportWhere(driver, (report) => report.state === 'printing');
    });

    it('finds no trace of a job that never existed', async () => {
      await stage.connect();
      strictEqual((await driver.trace(await stage.order())).verdict, 'none');
    });

    it('sends nothing if the check rejects it', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await stage.upload(wanted);
      const given = {
        ...permit(),
        check(): void {
          throw new Error('not now');
        },
      };
      await rejects(driver.start(wanted, given), StartNotSentError);
      strictEqual((await driver.observe()).state, 'idle');
      strictEqual(given.sentCount, 0);
      strictEqual(stage.count(wanted, 'start'), 0);
    });

    it('sends nothing after its deadline', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await stage.upload(wanted);
      const given = { ...permit(), notAfter: performance.now() - 1 };
      await rejects(driver.start(wanted, given), StartNotSentError);
      strictEqual((await driver.observe()).state, 'idle');
      strictEqual(stage.count(wanted, 'start'), 0);
    });

    it('sends nothing on an observation that arrived, or was judged, too late', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await stage.upload(wanted);
      const given = {
        ...permit(),
        observedWithin: 2000,
        // Simulates a process that is suspended at the worst moment.
        check: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2100),
      };
      await rejects(driver.start(wanted, given), StartNotSentError);
      strictEqual(given.sentCount, 0);
      strictEqual(stage.count(wanted, 'start'), 0);
    });

    it('sends nothing without a connection', async () => {
      const wanted = await stage.order();
      await rejects(driver.start(wanted, permit()), StartNotSentError);
    });

    it('does not report the start of a missing file as a success', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await rejects(
        driver.start(wanted, permit()),
        (error) => error instanceof StartRejectedError || error instanceof StartUnconfirmedError,
      );
      strictEqual(stage.count(wanted, 'started'), 0);
    });

    it('reports a start as unconfirmed if the printer vanishes', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await stage.upload(wanted);
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
      const sent = stage.count(wanted, 'start');
      await driver.observe();
      strictEqual(stage.count(wanted, 'start'), sent);
    });

    it('detects a broken upload, and completes it when called again', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await simulator.setFault('upload_breaks', { times: 1 });
      await rejects(stage.upload(wanted), UploadFailedError);
      await connectionWhere(driver, 'connected', 20_000);
      await stage.upload(wanted);
      const last = stage
        .truth()
        .filter((entry) => entry.event === 'upload')
        .at(-1);
      strictEqual(last?.sha256, wanted.identity.sha256);
    });

    it('aborts an upload on request', async () => {
      await stage.connect();
      const wanted = await stage.order();
      await rejects(driver.upload(wanted, { signal: AbortSignal.abort(), progress: () => {} }), UploadFailedError);
    });
  });
}
