import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import { makeTraits } from '../../lib/makes/traits';
import { type Make, makes } from '../../lib/model/printer';
import type { Measured, Target, Upload } from './target';

const usage = `usage: npm run bench:upload [-- --megabytes 200] [--rounds 5] [--make bambu|moonraker|snapmaker] [--json]
  Sends a file to a simulated printer of each make, alternately with the driver and with a bare client of the same protocol,
  each in its own process. Fails if the driver is slower than 0.8 of the bare client (medians), if its memory grows by
  more than 32 MB above the bare client's, or if its progress is not reported to the end.`;

const leastSpeed = 0.8;
/** The memory limit above that of a client that only streams (bytes). */
const mostGrowth = 32e6;
const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    make: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const run = promisify(execFile);
const nodeOptions = ['--import', 'tsx'];

/** G-code of this size. Most of it is comments, so that the printer has little to parse. */
async function writeFile(path: string, bytes: number): Promise<Omit<Upload, 'fileName'>> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  const block = Buffer.alloc(1024 * 1024, 'x');
  for (let at = 0; at < block.length; at += 1024)
    randomBytes(480)
      .toString('hex')
      .split('')
      .forEach((digit, index) => {
        block[at + 2 + index] = digit.charCodeAt(0);
      });
  for (let at = 0; at < block.length; at += 1024) block.write('; ', at);
  for (let at = 1023; at < block.length; at += 1024) block.write('\n', at);
  async function* blocks(): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; left -= block.length) {
      const part = block.subarray(0, Math.min(left, block.length));
      sha256.update(part);
      md5.update(part);
      yield part;
    }
  }
  await pipeline(blocks, createWriteStream(path));
  return { path, size: bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** Runs one upload against a fresh simulator. */
async function measure(kind: 'driver' | 'reference', make: Make, file: Omit<Upload, 'fileName'>): Promise<Measured> {
  const dataDir = mkdtempSync(join(tmpdir(), 'platewise-upload-'));
  const program = join(__dirname, '..', '..', 'bin', 'platewise.ts');
  const simulator = spawn(
    process.execPath,
    [...nodeOptions, program, 'simulate', make, '--data', dataDir, '--exit-with-stdin', '--speed', '1'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const closed = new Promise((resolve) => simulator.once('close', resolve));
  try {
    const line = await new Promise<string>((resolve) => createInterface(simulator.stdout).once('line', resolve));
    const ready = JSON.parse(line) as Record<string, string> & { ports: Record<string, number> };
    const target: Target = {
      ...{ make, ports: ready.ports, serial: ready.serial ?? '' },
      ...{ accessCode: ready.access_code ?? '', caFile: ready.ca_file ?? '' },
    };
    const upload: Upload = { ...file, fileName: `bench${makeTraits[make].printFile.extension}` };
    const client = join(__dirname, 'client.ts');
    const { stdout } = await run(process.execPath, [...nodeOptions, client, kind, JSON.stringify({ target, upload })]);
    return JSON.parse(stdout) as Measured;
  } finally {
    simulator.stdin.end();
    await closed;
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Row {
  make: Make;
  driverSeconds: number;
  referenceSeconds: number;
  speed: number;
  /** Processor seconds of the driver's process and of the bare client's. */
  driverProcessor: number;
  referenceProcessor: number;
  megabytesPerSecond: number;
  growthMegabytes: number;
  referenceGrowthMegabytes: number;
  progressReports: number;
  passed: boolean;
}

async function bench(make: Make, file: Omit<Upload, 'fileName'>, rounds: number): Promise<Row> {
  const driver: Measured[] = [];
  const reference: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    // The first in a round finds the machine in a different state, so they alternate.
    for (const kind of round % 2 === 0 ? (['reference', 'driver'] as const) : (['driver', 'reference'] as const)) {
      (kind === 'driver' ? driver : reference).push(await measure(kind, make, file));
    }
  }
  const driverSeconds = median(driver.map(({ seconds }) => seconds));
  const referenceSeconds = median(reference.map(({ seconds }) => seconds));
  const speed = referenceSeconds / driverSeconds;
  const growthOf = (runs: Measured[]): number => Math.max(...runs.map(({ before, highest }) => highest - before));
  const growth = growthOf(driver);
  return {
    make,
    driverSeconds,
    referenceSeconds,
    speed,
    driverProcessor: median(driver.map(({ processor }) => processor)),
    referenceProcessor: median(reference.map(({ processor }) => processor)),
    megabytesPerSecond: file.size / 1e6 / driverSeconds,
    growthMegabytes: growth / 1e6,
    referenceGrowthMegabytes: growthOf(reference) / 1e6,
    progressReports: median(driver.map(({ progressReports }) => progressReports)),
    passed:
      speed >= leastSpeed &&
      growth <= growthOf(reference) + mostGrowth &&
      driver.every(({ progressComplete }) => progressComplete),
  };
}

async function main(): Promise<number> {
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const bytes = Number(options.megabytes) * 1e6;
  const rounds = Number(options.rounds);
  const wanted = makes.filter((make) => options.make === undefined || options.make.includes(make));
  const folder = mkdtempSync(join(tmpdir(), 'platewise-upload-'));
  try {
    const file = await writeFile(join(folder, 'bench.gcode'), bytes);
    const rows: Row[] = [];
    for (const make of wanted) rows.push(await bench(make, file, rounds));
    if (options.json) console.log(JSON.stringify({ bytes, rounds, limits: { leastSpeed, mostGrowth }, rows }));
    else {
      console.log(
        `${options.megabytes} MB, medians of ${rounds}; limits: speed ${leastSpeed}, memory bare client + ${mostGrowth / 1e6} MB`,
      );
      for (const row of rows) {
        const figures = [
          `driver ${row.driverSeconds.toFixed(2)} s (${row.megabytesPerSecond.toFixed(0)} MB/s)`,
          `bare client ${row.referenceSeconds.toFixed(2)} s`,
          `speed ${row.speed.toFixed(2)}`,
          `processor ${row.driverProcessor.toFixed(2)} s and ${row.referenceProcessor.toFixed(2)} s`,
          `memory +${row.growthMegabytes.toFixed(0)} MB (bare client +${row.referenceGrowthMegabytes.toFixed(0)} MB)`,
          `${row.progressReports} progress reports`,
        ];
        console.log(`${row.passed ? 'ok  ' : 'FAIL'} ${row.make.padEnd(10)} ${figures.join(', ')}`);
      }
    }
    return rows.every(({ passed }) => passed) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main().then((code) => {
  process.exitCode = code;
});
