import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

interface Line {
  job_id: string;
  printer_id: string;
  start: string;
  end: string;
  ready: boolean;
  slack_minutes: number | null;
}
type Message = { topic?: string; payload: { lines: Line[] } };

/** The function node of an example, run as Node-RED would run it, at a given hour of the day. */
function functionOf(example: string, hour: () => number): (msg: object) => unknown {
  const flow = JSON.parse(readFileSync(join('examples', example), 'utf8')) as { type: string; func?: string }[];
  const code = flow.find(({ type }) => type === 'function')?.func ?? assert.fail('there is no function');
  const kept = new Map<string, unknown>();
  class Clock extends Date {
    override getHours(): number {
      return hour();
    }
  }
  const context = {
    Date: Clock,
    flow: { get: (name: string) => kept.get(name), set: (name: string, value: unknown) => kept.set(name, value) },
  };
  const run = runInNewContext(`(function (msg) { ${code} })`, context) as (msg: object) => unknown;
  return (msg) => {
    const result = run(msg);
    return result === null ? null : (JSON.parse(JSON.stringify(result)) as unknown);
  };
}

const line = (job_id: string, hours: number, more: Partial<Line> = {}): Line => ({
  job_id,
  printer_id: 'elegoo_giga',
  start: '2026-11-26T12:00:00.000Z',
  end: new Date(Date.UTC(2026, 10, 26, 12) + hours * 3_600_000).toISOString(),
  ready: true,
  slack_minutes: null,
  ...more,
});
const message = (...lines: Line[]): Message => ({ payload: { lines } });
const jobs = (msg: unknown): string[] => (msg as Message).payload.lines.map(({ job_id }) => job_id);

describe('The example cheap-electricity', () => {
  it('keeps long prints for the night, except those whose deadline cannot wait', () => {
    let hour = 14;
    const run = functionOf('cheap-electricity.json', () => hour);
    const lines = [
      line('short', 1),
      line('long', 5),
      line('urgent', 5, { slack_minutes: 8 * 60 }),
      line('patient', 5, { slack_minutes: 24 * 60 }),
    ];
    assert.deepEqual(jobs(run(message(...lines))), ['short', 'urgent']);
    hour = 23;
    assert.deepEqual(jobs(run(message(...lines))), ['short', 'long', 'urgent', 'patient']);
    hour = 3;
    assert.equal(jobs(run(message(...lines))).length, 4);
  });
});

describe('The example ask-for-approval', () => {
  it('asks once for a long print, and passes only what was approved', () => {
    const run = functionOf('ask-for-approval.json', () => 12);
    const lines = [line('short', 1), line('long', 8)];
    const [first, question] = run(message(...lines)) as [Message, { payload: string[] }];
    assert.deepEqual(jobs(first), ['short']);
    assert.match(question.payload.join(), /long.*elegoo_giga/);
    const [again, nothing] = run(message(...lines)) as [Message, null];
    assert.deepEqual([jobs(again), nothing], [['short'], null]);
    assert.equal(run({ topic: 'approved', payload: 0 }), null);
    const [after, other] = run(message(...lines, line('late', 9))) as [Message, { payload: string[] }];
    assert.deepEqual(jobs(after), ['short', 'long']);
    assert.match(other.payload.join(), /late/);
  });
});
