import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { AgentContext } from '../../../lib/farm/agent-context';
import type { Farm } from '../../../lib/farm/farm';
import { submitJob } from '../../../lib/jobs/submit';
import {
  type ConnectionState,
  type JobTrace,
  type PreflightFailure,
  PrinterRefusedError,
  PrinterUnavailableError,
  StartNotSentError,
  StartRejectedError,
  UploadFailedError,
} from '../../../lib/makes/driver';
import type { AttemptPhase } from '../../../lib/model/attempt';
import { type JobId, printerId } from '../../../lib/model/ids';
import type { PrinterReport } from '../../../lib/model/printer';
import { AttemptRun } from '../../../lib/services/agents/attempt-run';
import { Lease } from '../../../lib/services/agents/lease';
import type { Sight } from '../../../lib/services/agents/start-check';
import { storeFile } from '../../../lib/shared-files/take-file';
import { type Attempt, claimAttempt, findAttempt } from '../../../lib/store/attempts';
import { findJob } from '../../../lib/store/jobs';
import { findPrinter } from '../../../lib/store/printers';
import type { Transaction } from '../../../lib/store/queryable';
import { agentContext } from '../../support/agent-context';
import { addJob, dropFarm, makeReady, openBareFarm } from '../../support/bare-farm';
import { writeBox } from '../../support/models';
import { temporaryDirectory } from '../../support/servers';
import { bringAttemptTo, bringJobTo } from '../../support/stages';
import { StubDriver } from '../../support/stub-driver';

const giga = printerId('elegoo_giga');

describe('The run of an attempt', () => {
  let farm: Farm;
  let driver: StubDriver;
  let run: AttemptRun | undefined;
  let lease: Lease | undefined;
  /** The moments that the run has passed. */
  let passed: string[];
  /** What the printer has shown, and whether the database has it. */
  let watch: { judged: boolean; refresh(): Promise<void>; settled(): Promise<void>; seen: Sight };
  /** The conditions for which the printer was closed. */
  let closedBy: readonly PreflightFailure[] | undefined;
  /** Replaces parts of the agent's context. */
  let replaced: Partial<AgentContext>;
  /** Called at each of these moments. */
  let passing: (moment: string) => void;

  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
    driver = new StubDriver();
    passed = [];
    passing = () => undefined;
    closedBy = undefined;
    replaced = {};
    watch = { judged: true, refresh: async () => {}, settled: async () => {}, seen: { job: undefined, active: 0 } };
  });
  afterEach(async () => {
    run?.stop();
    await lease?.end(false);
    run = undefined;
    lease = undefined;
    await dropFarm(farm);
  });

  const context = (): AgentContext => ({
    ...agentContext(farm, giga, driver),
    ...replaced,
    passing: (moment) => {
      passed.push(moment);
      passing(moment);
    },
  });

  const attemptOf = async (id: string): Promise<Attempt> => {
    const attempt = await findAttempt(farm.database, id);
    assert.ok(attempt);
    return attempt;
  };

  /** An attempt in a phase, claimed by this process; its print file is stored. */
  async function claimed(phase: AttemptPhase, job?: JobId): Promise<Attempt> {
    const jobId = job ?? (await addJob(farm, 'part', { maxRetries: 0 }));
    const stored = await farm.files.put(Readable.from(['G28\n']), { extension: '.gcode', maxBytes: 100 });
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot, gcode_sha256, gcode_md5, gcode_size, estimated_seconds,
         estimated_grams)
       VALUES ($1, 1, $2, 'part.gcode', 'extruder', $3, $4, 4, 3600, 10) RETURNING id`,
      [jobId, giga, stored.sha256, '0'.repeat(32)],
    );
    const id = rows[0]?.id ?? '';
    await bringJobTo(farm.database, jobId, 'scheduled');
    const claim = { attemptId: id, printerId: giga, owner: randomUUID(), leaseSeconds: 60 };
    const attempt = await farm.database.transaction((tx) => claimAttempt(tx, claim));
    if (phase !== 'claimed') await bringAttemptTo(farm.database, id, phase);
    if (phase === 'printing') await bringJobTo(farm.database, jobId, 'printing');
    assert.ok(attempt?.fence);
    lease = new Lease({
      claim: { attemptId: attempt.id, fence: attempt.fence, owner: claim.owner },
      database: farm.database,
      seconds: 60,
      claimedAt: performance.now(),
      log: () => undefined,
    });
    return attemptOf(id);
  }

  /** Runs an attempt. */
  function follow(attempt: Attempt): Promise<void> {
    assert.ok(lease);
    run = new AttemptRun({
      context: context(),
      attempt,
      lease,
      watch,
      conditions: {
        close: async (_order, failures) => {
          closedBy = failures;
        },
      },
    });
    return run.run();
  }

  /** Resolves when it passes a moment for the nth time from now. */
  const passes = (wanted: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      let left = times;
      passing = (moment) => {
        if (moment === wanted && --left === 0) resolve();
      };
    });

  it('uploads, starts once, and ends with the print', async () => {
    const attempt = await claimed('uploading');
    const printing = passes('printing:after');
    const done = follow(attempt);
    await printing;
    driver.show({ state: 'idle', job: { name: attempt.fileName }, ending: 'finished', progress: 1 });
    await done;
    assert.deepEqual([driver.uploaded.length, driver.started.length], [1, 1]);
    assert.equal((await attemptOf(attempt.id)).outcome, 'completed');
    assert.equal((await findJob(farm.database, attempt.jobId)).status, 'completed');
  });

  describe('does not cost the job a retry', () => {
    const refusedBy = (error: Error) => () => Promise.reject(error);
    const table: [when: string, prepare: () => void | Promise<void>, reason: RegExp][] = [
      [
        'when the printer is offline',
        () => {
          driver.connection = { status: 'disconnected' };
        },
        /the printer is offline/,
      ],
      [
        'when the printer refuses the connection',
        () => {
          const error = new PrinterRefusedError('The access code is wrong.', 'Correct it.');
          driver.connection = { status: 'refused', error } as ConnectionState;
        },
        /access code/,
      ],
      [
        'when the printer goes away before the upload',
        () => {
          driver.preflight = refusedBy(new PrinterUnavailableError('The connection was lost.'));
        },
        /connection was lost/,
      ],
      [
        'when the printer goes away in the upload',
        () => {
          driver.upload = refusedBy(new PrinterUnavailableError('The connection was lost.'));
        },
        /connection was lost/,
      ],
      [
        'when the bed became occupied during the upload',
        () => {
          driver.upload = async () => {
            await farm.database.query(
              `UPDATE printers SET bed_state = 'occupied', bed_cause = 'foreign' WHERE id = 'elegoo_giga'`,
            );
          };
        },
        /bed became occupied/,
      ],
      [
        'when it is not known whether the bed is still clear',
        () => {
          watch.judged = false;
        },
        /could not be stored/,
      ],
      [
        'when another print begins before the start',
        () => {
          driver.observe = async () => ({
            ...(driver.report as PrinterReport),
            state: 'printing',
            receivedAt: performance.now(),
          });
        },
        /The printer is printing/,
      ],
      [
        'when the start was not sent in time',
        () => {
          driver.start = refusedBy(new StartNotSentError('The observation came too late.'));
        },
        /too late/,
      ],
    ];
    for (const [when, prepare, reason] of table) {
      it(when, async () => {
        await prepare();
        const attempt = await claimed('uploading');
        await follow(attempt);
        const { outcome, reason: why } = await attemptOf(attempt.id);
        assert.equal(outcome, 'withdrawn', why ?? '');
        assert.match(why ?? '', reason);
        const job = await findJob(farm.database, attempt.jobId);
        assert.deepEqual([job.status, job.retryCount], ['queued', 0]);
        assert.ok(job.retryAt !== null, 'it waits before this printer gets it again');
        assert.equal(driver.started.length, 0);
      });
    }
  });

  it('closes a printer that refuses the credentials during the upload', async () => {
    const error = new PrinterRefusedError('The access code is wrong.', 'Correct it.');
    driver.upload = () => Promise.reject(error);
    const attempt = await claimed('uploading');
    await follow(attempt);
    assert.equal((await attemptOf(attempt.id)).outcome, 'withdrawn');
    assert.deepEqual(closedBy, [
      { check: 'access', whose: 'printer', message: 'The access code is wrong.', remedy: 'Correct it.' },
    ]);
  });

  it('sends nothing if the intent cannot be noted outside the database', async () => {
    replaced.remember = async () => () => Promise.reject(new Error('No space left on the device.'));
    const attempt = await claimed('uploading');
    await follow(attempt);
    const { outcome, reason } = await attemptOf(attempt.id);
    assert.deepEqual([outcome, driver.started.length], ['withdrawn', 0], reason ?? '');
    assert.equal((await findPrinter(farm.database, giga)).bedState, 'clear');
  });

  it('asks the operator if the outcome could not be stored, and never takes the print back', async () => {
    const attempt = await claimed('printing');
    const { database } = farm;
    let failing = false;
    replaced.database = new Proxy(database, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (name !== 'transaction' || !failing) return Reflect.apply(value, target, given) as unknown;
          failing = false;
          const [work] = given as [(tx: Transaction) => Promise<unknown>];
          return target.transaction(async (tx) => {
            await work(tx);
            throw new Error('could not extend the file');
          });
        };
      },
    });
    passing = (moment) => {
      failing ||= moment === 'ended:before';
    };
    driver.show({ state: 'idle', job: { name: attempt.fileName }, ending: 'finished', progress: 1 });
    await follow(attempt);
    const { phase, outcome } = await attemptOf(attempt.id);
    assert.deepEqual([phase, outcome], ['outcome_unknown', null]);
  });

  describe('costs the job a retry', () => {
    const table: [when: string, prepare: () => void][] = [
      [
        'when the upload breaks off',
        () => {
          driver.upload = () => Promise.reject(new UploadFailedError('The upload broke off.'));
        },
      ],
      [
        'when the printer rejects the start',
        () => {
          driver.start = (_order, permit) => {
            permit.sent();
            return Promise.reject(new StartRejectedError('The file is damaged.', 'Look at it.'));
          };
        },
      ],
      [
        'after an unexpected error',
        () => {
          driver.preflight = () => Promise.reject(new TypeError('x is not a function'));
        },
      ],
    ];
    for (const [when, prepare] of table) {
      it(when, async () => {
        prepare();
        const attempt = await claimed('uploading');
        await follow(attempt);
        assert.equal((await attemptOf(attempt.id)).outcome, 'not_started');
        assert.equal((await findJob(farm.database, attempt.jobId)).status, 'failed');
      });
    }
  });

  it('ends after an unexpected error before the start', async () => {
    const attempt = await claimed('claimed');
    Object.assign(farm, { slicer: () => Promise.reject(new TypeError('x is not a function')) });
    await farm.database.query('UPDATE print_attempts SET gcode_sha256 = NULL WHERE id = $1', [attempt.id]);
    await follow(await attemptOf(attempt.id));
    assert.equal((await attemptOf(attempt.id)).outcome, 'not_started');
  });

  it('prepares the print file again on a machine without a copy', async () => {
    const directory = temporaryDirectory('model');
    const model = writeBox(join(directory, 'box.stl'), 10, 10, 10);
    const { stl_path } = await storeFile(farm, createReadStream(model), 'box.stl');
    const { job_id } = await submitJob(farm, { job_name: 'box', stl_path, material_id: 'pla_black_esun' }, 'test');
    const attempt = await claimed('uploading', job_id as JobId);
    await farm.files.remove(farm.files.pathOf(attempt.gcodeSha256 ?? '', '.gcode'));
    const printing = passes('printing:after');
    void follow(attempt);
    await printing;
    assert.ok(passed.includes('preparing:after'));
    assert.equal(driver.started.length, 1);
    assert.notEqual(driver.started[0]?.file.sha256, attempt.gcodeSha256);
  });

  describe('asks the operator once', () => {
    const named = { name: 'part.gcode' };
    const table: [when: string, report: Partial<PrinterReport>, trace: () => Promise<JobTrace>][] = [
      [
        'when the printer shows it in a state that is neither running nor ended, and does not answer',
        { state: 'unknown', job: named },
        () => Promise.reject(new PrinterUnavailableError('No answer within 100 s.')),
      ],
      [
        'when the printer knows that it ran, but not how it ended',
        {},
        async () => ({ verdict: 'ended', ending: 'unknown', evidence: 'it is not in the history' }),
      ],
      ['when the printer has no trace of it', {}, async () => ({ verdict: 'none', evidence: 'nothing is there' })],
    ];
    for (const [when, report, trace] of table) {
      it(when, async () => {
        const attempt = await claimed('printing');
        driver.show(report);
        driver.trace = (order) => {
          driver.traced++;
          if (driver.traced === 3) driver.emit('report', driver.report as PrinterReport);
          return trace().catch((error: unknown) => Promise.reject(error as Error)) ?? order;
        };
        const asked = passes('outcome_unknown:after');
        const done = follow(attempt);
        await asked;
        // The run keeps its claim, goes on watching, and asks nothing more.
        while (driver.traced < 3) await once(driver, 'report');
        assert.equal(passed.filter((moment) => moment === 'outcome_unknown:after').length, 1);
        assert.equal((await attemptOf(attempt.id)).phase, 'outcome_unknown');
        driver.show({ state: 'idle', job: named, ending: 'finished', progress: 1 });
        await done;
        assert.equal((await attemptOf(attempt.id)).outcome, 'completed');
      });
    }

    it('and not while the printer is unreachable', async () => {
      const attempt = await claimed('printing');
      driver.show({});
      driver.trace = () => {
        driver.traced++;
        if (driver.traced === 3) run?.stop();
        driver.connection = { status: 'disconnected' };
        setImmediate(() => {
          driver.connection = { status: 'connected' };
          driver.emit('connection', driver.connection);
        });
        return Promise.reject(new PrinterUnavailableError('The connection was lost.'));
      };
      await follow(attempt);
      assert.equal((await attemptOf(attempt.id)).phase, 'printing');
    });
  });

  it('records an outcome, however long the file claims to print', async () => {
    const attempt = await claimed('printing');
    await farm.database.query('UPDATE print_attempts SET estimated_seconds = 4e7 WHERE id = $1', [attempt.id]);
    driver.show({ state: 'idle', job: { name: attempt.fileName }, ending: 'finished', progress: 1 });
    await follow(await attemptOf(attempt.id));
    assert.equal((await attemptOf(attempt.id)).outcome, 'completed');
  });

  it('does nothing after it was stopped', async () => {
    const attempt = await claimed('claimed');
    assert.ok(lease);
    const stopped = new AttemptRun({
      context: context(),
      attempt,
      lease,
      watch,
      conditions: { close: async () => undefined },
    });
    stopped.stop();
    await stopped.run();
    assert.deepEqual([(await attemptOf(attempt.id)).phase, passed], ['claimed', []]);
  });
});
