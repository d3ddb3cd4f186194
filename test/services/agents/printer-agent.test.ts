import assert from 'node:assert/strict';
import type { Farm } from '../../../lib/farm/farm';
import type { Broker, IncomingMessage, Verdict } from '../../../lib/messaging/broker';
import { type JobId, printerId } from '../../../lib/model/ids';
import { PrinterAgent } from '../../../lib/services/agents/printer-agent';
import { type Attempt, findAttempt } from '../../../lib/store/attempts';
import { agentContext } from '../../support/agent-context';
import { addJob, dropFarm, makeReady, openBareFarm } from '../../support/bare-farm';
import { bringJobTo } from '../../support/stages';
import { StubDriver } from '../../support/stub-driver';

const giga = printerId('elegoo_giga');

describe('The agent of a printer', () => {
  let farm: Farm;
  let driver: StubDriver;
  let agent: PrinterAgent;
  let deliver: (message: IncomingMessage) => Promise<Verdict>;
  let passing: (moment: string) => void | Promise<void>;

  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
    driver = new StubDriver();
    passing = () => undefined;
    const broker: Pick<Broker, 'consumeJobs'> = {
      consumeJobs: async (_printer, handler) => {
        deliver = handler;
        return { cancel: async () => undefined };
      },
    };
    agent = new PrinterAgent({
      ...agentContext(farm, giga, driver),
      broker: broker as Broker,
      passing: (moment) => void passing(moment),
    });
    await agent.start();
  });
  afterEach(async () => {
    await agent.stop();
    await dropFarm(farm);
  });

  async function dispatched(): Promise<{ job: JobId; attempt: string }> {
    const job = await addJob(farm, 'part');
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot) VALUES ($1, 1, $2, 'part.gcode', 'extruder')
       RETURNING id`,
      [job, giga],
    );
    await bringJobTo(farm.database, job, 'scheduled');
    return { job, attempt: rows[0]?.id ?? '' };
  }

  const message = (job: string, attempt: string): IncomingMessage => ({
    messageId: attempt,
    redelivered: false,
    body: {
      ...{ job_id: job, job_name: 'part', stl_path: '/part.stl', gcode_path: null, material_id: 'pla_black_esun' },
      ...{
        print_settings: {},
        estimated_duration_hours: 1,
        priority: 5,
        deadline_at: null,
        retry_count: 0,
        max_retries: 2,
      },
      attempt: {
        ...{ attempt_id: attempt, copy: 1, printer_id: giga, file_name: 'part.gcode', slot: 'extruder' },
        model_sha256: '0'.repeat(64),
      },
    },
  });
  const attemptOf = async (id: string): Promise<Attempt> => {
    const attempt = await findAttempt(farm.database, id);
    assert.ok(attempt);
    return attempt;
  };

  it('leaves an attempt to the next agent if it is stopped while claiming it', async () => {
    const { job, attempt } = await dispatched();
    let stopped: Promise<void> | undefined;
    passing = (moment) => {
      if (moment === 'claim:before') stopped = agent.stop();
    };
    await deliver(message(job, attempt));
    await stopped;
    const { phase, leaseUntil } = await attemptOf(attempt);
    assert.equal(phase, 'claimed', 'nothing was done on it');
    const { rows } = await farm.database.query('SELECT 1 FROM print_attempts WHERE id = $1 AND lease_until <= now()', [
      attempt,
    ]);
    assert.equal(rows.length, 1, `its lease does not block the next agent until ${String(leaseUntil)}`);
  });

  it('stops the run that it has just begun', async () => {
    const { job, attempt } = await dispatched();
    let stopped: Promise<void> | undefined;
    passing = (moment) => {
      if (moment === 'claim:after')
        setImmediate(() => {
          stopped = agent.stop();
        });
    };
    await deliver(message(job, attempt));
    while (stopped === undefined) await new Promise((resolve) => setImmediate(resolve));
    await stopped;
    const { phase, outcome } = await attemptOf(attempt);
    assert.notEqual(phase, 'ended', String(outcome));
  });

  it('claims nothing after it was stopped', async () => {
    const { job, attempt } = await dispatched();
    await agent.stop();
    assert.equal(await deliver(message(job, attempt)), 'retry', 'the next agent receives it again');
    assert.equal((await attemptOf(attempt)).phase, 'dispatched');
  });
});
