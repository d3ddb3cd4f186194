import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seeded } from '../../lib/planning/random';
import { readStream, type StreamJob, streamsOf } from './stream';

const usage = `usage: npm run bench:draw-streams -- --workloads FOLDER --out FOLDER [--count 32] [--seed 1]
  Writes this many new streams for each load of a folder, so that weights are not chosen on the streams that judge them: each
  day's arrivals are those of a day of that load, each job is a job of any stream with its time until the deadline, each
  attempt's luck is that of any attempt.`;

const { values: options } = parseArgs({
  options: {
    workloads: { type: 'string' },
    out: { type: 'string' },
    count: { type: 'string', default: '32' },
    seed: { type: 'string', default: '1' },
  },
});

const day = 1440;

/** The minutes of each day at which jobs arrived. */
function arrivalsByDay(jobs: readonly StreamJob[]): number[][] {
  const days: number[][] = [];
  for (const { arrive_min: at } of jobs) {
    const index = Math.floor(at / day);
    while (days.length <= index) days.push([]);
    days[index]?.push(at - index * day);
  }
  return days;
}

function main(): void {
  const { workloads, out } = options;
  if (!workloads || !out) throw new Error(usage);
  const random = seeded(Number(options.seed));
  const drawn = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const streams = streamsOf(workloads).map(({ name, load }) => ({ load, jobs: readStream(join(workloads, name)) }));
  const jobs = streams.flatMap((stream) => stream.jobs);
  const attempts = jobs.flatMap((job) => job.attempts);
  mkdirSync(out, { recursive: true });
  for (const load of new Set(streams.map((stream) => stream.load))) {
    const own = streams.filter((stream) => stream.load === load);
    const days = own.flatMap((stream) => arrivalsByDay(stream.jobs));
    const length = Math.round(days.length / own.length);
    for (let index = 0; index < Number(options.count); index++) {
      const made = Array.from({ length }, (_, number) =>
        drawn(days).map((at): Omit<StreamJob, 'id'> => {
          const like = drawn(jobs);
          const arrival = number * day + at;
          return {
            ...like,
            arrive_min: arrival,
            due_min: like.due_min === null ? null : arrival + like.due_min - like.arrive_min,
            attempts: like.attempts.map(() => drawn(attempts)),
          };
        }),
      ).flat();
      made.sort((a, b) => a.arrive_min - b.arrive_min);
      const lines = made.map((job, id) => `${JSON.stringify({ ...job, id })}\n`);
      writeFileSync(join(out, `${load}_drawn_${String(index + 1).padStart(3, '0')}.jsonl`), lines.join(''));
    }
  }
}

main();
