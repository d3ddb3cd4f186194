import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Farm } from '../../lib/farm/farm';
import { submitJob } from '../../lib/jobs/submit';
import { hoursFrom } from '../../lib/planning/calendar';
import { dropFarm, makeReady, openBareFarm } from '../../test/support/bare-farm';
import { addHistory } from '../../test/support/history';
import { writeBox } from '../../test/support/models';
import { stopSharedServers, temporaryDirectory } from '../../test/support/servers';

/**
 * Measures the database cost of a submission after this many completed jobs, compared with the cost without any: the
 * processor time of all server processes (Linux counts it in steps of 10 ms, so many submissions are measured together) and the
 * duration of the submission. The two alternate; the medians of the rounds count. The queue is practically empty in both.
 * usage: npm run bench:history -- [--quick]      10⁶ completed jobs, or 10⁵
 */
const jobs = process.argv.includes('--quick') ? 100_000 : 1_000_000;
const rounds = 5;
const submissions = 30;

/** The processor time of every PostgreSQL process below a directory (ms). */
function serverTime(owner: number): number {
  let ticks = 0;
  for (const id of readdirSync('/proc')) {
    if (!/^\d+$/.test(id)) continue;
    try {
      const fields = readFileSync(join('/proc', id, 'stat'), 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      const parent = Number(fields[1]);
      // The time of ended backends is included in that of their parent's children.
      if (Number(id) === owner) ticks += [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
      else if (parent === owner) ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It has ended in the meantime.
    }
  }
  return ticks * 10;
}

async function measure(farm: Farm, server: number, model: string): Promise<{ cpu: number; wall: number }> {
  const [cpu, wall] = [serverTime(server), performance.now()];
  for (let index = 0; index < submissions; index++) {
    const { job_id: id } = await submitJob(
      farm,
      { job_name: 'bench', stl_path: model, material_id: 'pla_black_esun', deadline_at: '2099-01-01T00:00:00Z' },
      'bench',
    );
    await farm.database.query(`UPDATE print_jobs SET status = 'cancelled', completed_at = now() WHERE id = $1`, [id]);
  }
  return {
    cpu: (serverTime(server) - cpu) / submissions,
    wall: (performance.now() - wall) / submissions,
  };
}

const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function main(): Promise<void> {
  const directory = temporaryDirectory('history');
  const model = writeBox(join(directory, 'box.stl'), 20, 20, 20);
  const open = async (): Promise<Farm> => {
    const operator = hoursFrom('08:00-20:00', 'UTC');
    const farm = await openBareFarm({ fileRoots: [directory], operator, planningMilliseconds: 20 });
    await makeReady(farm);
    return farm;
  };
  const [none, many] = [await open(), await open()];
  const begin = performance.now();
  await addHistory(many.database, jobs);
  console.log(`${jobs} completed jobs were made in ${((performance.now() - begin) / 1000).toFixed(0)} s.`);
  const { rows } = await none.database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const server = Number(
    readFileSync(`/proc/${rows[0]?.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[1],
  );
  // One uncounted run: data that is read for the first time comes from the disk.
  for (const farm of [none, many]) await measure(farm, server, model);
  const results: Record<'none' | 'many', Awaited<ReturnType<typeof measure>>[]> = { none: [], many: [] };
  for (let round = 0; round < rounds; round++) {
    results.none.push(await measure(none, server, model));
    results.many.push(await measure(many, server, model));
  }
  for (const what of ['cpu', 'wall'] as const) {
    const [without, withThem] = [results.none, results.many].map((all) => median(all.map((one) => one[what])));
    if (without === undefined || withThem === undefined) continue;
    const name = what === 'cpu' ? "PostgreSQL's processor" : 'time of a submission';
    console.log(
      `${name}: ${without.toFixed(1)} ms without history, ${withThem.toFixed(1)} ms with it, ratio ${(withThem / without).toFixed(2)}`,
    );
  }
  await dropFarm(none);
  await dropFarm(many);
  await stopSharedServers();
}

void main();
