import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fixture } from '../fixtures';
import { RealFarm } from '../support/real-farm';
import { temporaryDirectory } from '../support/servers';

type Line = Record<string, unknown> & { time: string; level: string; event: string };

describe('The structured log', () => {
  const farm = new RealFarm();
  const file = join(temporaryDirectory('event-log'), 'platewise.jsonl');
  const secret = 'a-token-that-nobody-may-see';
  before(() => farm.start({ SIM_SPEED: '240', PLATEWISE_EVENT_LOG: file, PLATEWISE_TEST_TOKEN: secret }));
  after(() => farm.kill9());

  it('records the life of a job as JSON lines, with ids and without secrets', async () => {
    const id = await farm.submit({
      job_name: `two\nlines ${secret} <b>`,
      stl_path: await farm.upload(fixture('models', '20mm-xyz-cube.stl')),
      material_id: 'pla_black_esun',
    });
    const job = await farm.until(id, (one) => one['status'] === 'completed', 120_000);
    await farm.stop();
    const text = readFileSync(file, 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    for (const { time, level } of lines) {
      assert.ok(!Number.isNaN(Date.parse(time)));
      assert.ok(['debug', 'info', 'warn', 'error'].includes(level));
    }
    const statuses = lines
      .filter(({ event, job_id }) => event === 'job' && job_id === id)
      .map((line) => line['to_status']);
    assert.deepEqual(
      statuses,
      job.history.map(({ to_status }) => to_status),
    );
    const attempt = job.attempts[0]?.attempt_id;
    const moments = lines.filter((line) => line.event === 'attempt' && line['attempt_id'] === attempt);
    assert.ok(moments.some(({ moment }) => moment === 'start:written'));
    assert.ok(lines.some((line) => line.event === 'request' && line['route'] === '/api/fabrication/jobs'));
    assert.ok(lines.some((line) => line.event === 'bed'));
    assert.ok(!text.includes(secret), 'a secret is in the log');
    assert.equal(statSync(file).mode & 0o077, 0, 'only its owner can read it');
    assert.doesNotMatch(farm.output, /^\{"time"/m, 'Node-RED’s own log is unchanged');
  });
});
