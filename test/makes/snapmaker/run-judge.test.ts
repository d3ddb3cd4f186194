import { deepStrictEqual, strictEqual } from 'node:assert';
import { RunJudge } from '../../../lib/makes/snapmaker/run-judge';

const file = { name: 'ours.gcode', md5: 'aa' };
const other = { name: 'other.gcode', md5: 'bb' };
const total = 1000;

describe('Snapmaker endings', () => {
  const facts = (line: number, now: number, named = file, lineAt = now): Parameters<RunJudge['judge']>[0] => ({
    file: named,
    line,
    lineAt,
    totalLines: total,
    now,
  });
  const ran = (): RunJudge => {
    const judge = new RunJudge(5000);
    judge.status(0, 0);
    judge.judge(facts(0, 0, other));
    judge.status(1, 10);
    judge.status(2, 20);
    judge.judge(facts(490, 20));
    deepStrictEqual(judge.judge(facts(500, 20)), { ending: null });
    return judge;
  };

  for (const [code, ending] of [
    [0, 'finished'],
    [12, 'cancelled'],
    [8, 'failed'],
    [20, 'failed'],
    [22, 'failed'],
  ] as const) {
    it(`maps notice ${code} to ${ending}`, () => {
      const judge = ran();
      judge.status(5, 30);
      judge.status(0, 40);
      deepStrictEqual(judge.judge(facts(1000, 40)), { ending: null, undecidedForMs: 5000 });
      judge.issue(code);
      deepStrictEqual(judge.judge(facts(1000, 50)), { ending });
      deepStrictEqual(judge.judge(facts(1000, 90_000)), { ending });
    });
  }

  it('uses the line count if the notice is lost', () => {
    const finished = ran();
    finished.status(0, 40);
    strictEqual(finished.judge(facts(998, 5041)).ending, 'finished');
    const broken = ran();
    broken.status(0, 40);
    strictEqual(broken.judge(facts(400, 5041)).ending, 'unknown');
  });

  it('ignores a line count that was reported before the job ended: it may belong to the previous job', () => {
    const judge = new RunJudge(5000);
    judge.status(0, 0);
    judge.status(2, 20);
    judge.judge(facts(1000, 20));
    judge.status(0, 40);
    strictEqual(judge.judge(facts(1000, 5041, file, 30)).ending, 'unknown');
    strictEqual(judge.judge(facts(12, 5042)).ending, 'unknown');
  });

  it('does not use the line count of the last job for one that never ran', () => {
    const judge = new RunJudge(5000);
    judge.status(0, 0);
    judge.judge(facts(5000, 0, other));
    strictEqual(judge.judge(facts(5000, 10_000)).ending, null);
    strictEqual(judge.judge(facts(5000, 20_000)).ending, 'unknown');
  });

  it('uses the line count of a job that ended unobserved, once it is reported again', () => {
    const judge = new RunJudge(5000);
    judge.status(1, 0);
    judge.judge(facts(0, 0));
    judge.restart();
    judge.status(0, 9000);
    deepStrictEqual(judge.judge(facts(1000, 9010, file, 100)), { ending: null, undecidedForMs: 5000 });
    strictEqual(judge.judge(facts(1000, 9020)).ending, 'finished');
    const stopped = new RunJudge(5000);
    stopped.status(0, 0);
    stopped.judge(facts(1000, 0));
    strictEqual(stopped.judge(facts(400, 10)).ending, 'unknown');
  });

  it('recognises a job that ended before it was seen running', () => {
    const judge = new RunJudge(5000);
    judge.status(0, 0);
    judge.judge(facts(0, 0, other));
    judge.issue(0);
    strictEqual(judge.judge(facts(1000, 10)).ending, 'finished');
  });

  it('does not apply a notice to the next job', () => {
    const judge = ran();
    judge.status(0, 40);
    judge.issue(12);
    judge.judge(facts(500, 41));
    judge.status(1, 100);
    judge.status(0, 200);
    strictEqual(judge.judge(facts(3, 6000, other)).ending, null);
    strictEqual(judge.judge(facts(3, 6001, other)).ending, 'unknown');
  });
});
