import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { hostileFiles } from '../../test/support/hostile-files';
import { writeTorus } from './torus';

/**
 * Compares the speed of the STL analysis with three's STLLoader and admesh, each in its own process, and checks that no hostile file
 * exceeds its limits. Needs a build (`npm run build`). CPU seconds are reliable on a busy machine too; the best of several
 * runs counts.
 * usage: npm run bench:files -- [hostile]
 */
const runs = 15;

interface Taken {
  cpu: number;
  wall: number;
  rss: number;
}

/** The minimum cost of a program. CPU seconds by the shell, which include the children's. */
function least(command: string[]): Taken | undefined {
  let best: Taken | undefined;
  for (let run = 0; run < runs; run++) {
    const begin = performance.now();
    const script = 'TIMEFORMAT="%U %S"; time "$@" 2>/dev/null';
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...command], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (status !== 0) return best;
    const wall = (performance.now() - begin) / 1000;
    const cpu = stderr
      .trim()
      .split(/\s+/)
      .slice(-2)
      .map(Number)
      .reduce((sum, seconds) => sum + seconds, 0);
    const rss = Number(/"rss":([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
    if (!best || cpu < best.cpu) best = { cpu, wall, rss };
  }
  return best;
}

function speed(directory: string): void {
  const ours = join(process.cwd(), 'dist', 'bench', 'files', 'ours.js');
  const three = join(process.cwd(), 'bench', 'files', 'three.mjs');
  const admesh = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'admesh')));
  const nothing = least([process.execPath, '-e', '0']);
  console.log(`Node.js alone: ${nothing?.cpu.toFixed(2)} s`);
  for (const wanted of [1e6, 1e7]) {
    const path = join(directory, `torus-${wanted}.stl`);
    const triangles = writeTorus(path, wanted);
    const rows: [string, Taken | undefined][] = [
      ['Platewise', least([process.execPath, ours, path])],
      ["three's STLLoader", least([process.execPath, three, path])],
      ['admesh', admesh && wanted <= 1e6 ? least(['admesh', path]) : undefined],
      ['admesh --no-check', admesh ? least(['admesh', '--no-check', path]) : undefined],
    ];
    console.log(`\n${triangles} triangles     CPU s   wall s   RSS MB   CPU of Platewise × `);
    const own = rows[0]?.[1]?.cpu ?? Number.NaN;
    for (const [name, taken] of rows) {
      if (!taken) console.log(`  ${name.padEnd(18)} not measured`);
      else {
        const memory = Number.isNaN(taken.rss) ? '' : taken.rss.toFixed(0);
        console.log(
          `  ${name.padEnd(18)} ${taken.cpu.toFixed(2).padStart(6)} ${taken.wall.toFixed(2).padStart(8)} ${memory.padStart(8)} ${(taken.cpu / own).toFixed(1).padStart(8)}`,
        );
      }
    }
    rmSync(path);
  }
  console.log('\nlimits: twice as fast as both (admesh with its checks), below 100 MB');
}

async function hostile(directory: string): Promise<void> {
  const reader = join(process.cwd(), 'dist', 'bench', 'files', 'ours.js');
  console.log('hostile file                              wall s   (limit 5 s)');
  for (const file of hostileFiles) {
    const path = await file.write(directory);
    const begin = performance.now();
    spawnSync(process.execPath, [reader, path]);
    console.log(`${file.name.padEnd(40)} ${((performance.now() - begin) / 1000).toFixed(2).padStart(7)}`);
    rmSync(path, { force: true });
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'platewise-bench-'));
  try {
    if (process.argv.includes('hostile')) await hostile(directory);
    else speed(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

void main();
