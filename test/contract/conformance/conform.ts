import { strictEqual } from 'node:assert';
import type { SimulatorMake } from '../../../lib/simulators';
import { Stage } from '../stage';
import { subjects } from '../subjects';
import { scenarios } from './scenarios';
import { verdictOf } from './table';

/** Printer seconds per second: jobs are short, and reports still arrive often enough to observe each step. */
const speed = 120;

/** Runs every scenario against the drivers of a make; each result must match the published table. */
export function conform(make: SimulatorMake): void {
  for (const subject of subjects.filter((candidate) => candidate.make === make)) {
    describe(`driver conformance: ${subject.title}`, function () {
      this.timeout(120_000);
      let stage: Stage;
      afterEach(() => stage.strike());

      for (const scenario of scenarios) {
        it(scenario.name, async () => {
          stage = await Stage.set(subject, speed, scenario.lastTool ? subject.lastTool.simulator : {});
          const verdict = await scenario.run(stage);
          if (process.env.PLATEWISE_SHOW_VERDICTS !== undefined) {
            console.log(JSON.stringify([scenario.name, subject.title, verdict]));
          } else strictEqual(verdict, verdictOf(scenario.name, subject.title));
        });
      }
    });
  }
}
