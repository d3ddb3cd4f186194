import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ReadyLine } from '../../lib/simulators';
import { program } from '../support/program';
import { eventually } from './support';

describe('platewise simulate', () => {
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'platewise-simulate-'));
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function launch(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [...program(), ...args], { stdio: 'pipe' });
    children.push(child);
    return child;
  }

  async function ready(child: ChildProcess): Promise<ReadyLine> {
    assert.ok(child.stdout !== null);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return JSON.parse(line) as ReadyLine;
  }

  it('prints one line when ready, and exits with 0 on SIGTERM', async () => {
    const child = launch('simulate', 'moonraker', '--data', folder, '--speed', '100', '--port', '0');
    const told = await ready(child);
    assert.deepEqual([told.ready, told.make, told.host], [true, 'moonraker', '127.0.0.1']);
    assert.equal(told.truth_log, join(folder, 'truth.jsonl'));
    assert.ok(existsSync(told.truth_log));
    const response = await fetch(`http://127.0.0.1:${told.ports.http}/server/info`);
    assert.equal(response.status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('loads the given filament before the first start, and shows it', async () => {
    const loads = ['--load', 'extruder=pla_black_esun', '--load', 'extruder1=petg_white_esun'];
    const told = await ready(
      launch('simulate', 'moonraker', '--data', folder, '--profile', 'modern', '--extruders', '2', ...loads),
    );
    const response = await fetch(`http://127.0.0.1:${told.ports.control}/state`);
    const { slots } = (await response.json()) as { slots: Record<string, { material: string; type: string } | null> };
    assert.deepEqual(
      Object.entries(slots).map(([slot, filament]) => [slot, filament?.material, filament?.type]),
      [
        ['extruder', 'pla_black_esun', 'PLA'],
        ['extruder1', 'petg_white_esun', 'PETG'],
      ],
    );
  });

  it('ends with its parent if configured to watch standard input', async () => {
    const child = launch('simulate', 'snapmaker', '--data', folder, '--exit-with-stdin');
    assert.equal((await ready(child)).make, 'snapmaker');
    child.stdin?.end();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('finds a print that continued through a kill', async () => {
    const args = ['simulate', 'snapmaker', '--data', folder, '--speed', '1000'];
    const first = launch(...args);
    const { ports, truth_log } = await ready(first);
    await fetch(`http://127.0.0.1:${ports.control}/foreign-start`, {
      method: 'POST',
      body: JSON.stringify({ file_name: 'vase.gcode', minutes: 10 }),
    });
    first.kill('SIGKILL');
    await once(first, 'exit');
    const names = (): string[] =>
      readFileSync(truth_log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event);
    assert.deepEqual(names(), ['foreign_start']);
    assert.deepEqual((await ready(launch(...args))).ports, ports);
    await eventually(() => names().length === 2);
    assert.deepEqual(names(), ['foreign_start', 'finished']);
  });

  it('prints its usage and exits with 2 when the arguments are invalid', async () => {
    for (const [args, expected] of [
      [['simulate'], /Name one make: bambu, moonraker, snapmaker/],
      [['simulate', 'bambu', '--speed', 'fast'], /--speed takes a number/],
      [['simulate', 'bambu', '--data', 'x', '--colour', 'red'], /Usage: platewise simulate/],
      [['simulate', 'moonraker', '--load', 'extruder'], /--load takes SLOT=MATERIAL/],
      [['simulate', 'snapmaker', '--load', 'ext=pla', '--data', 'DATA'], /no slot "ext". Slots: nozzle0, nozzle1/],
      [['simulate', 'moonraker', '--extruders', '2', '--data', 'DATA'], /heads ride together/],
      [['simulate', 'moonraker', '--profile', 'octoprint', '--data', 'DATA'], /Profiles: legacy-giga/],
      [['dance'], /There is no command "dance"/],
    ] as const) {
      const child = launch(...args.map((argument) => (argument === 'DATA' ? folder : argument)));
      let said = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      assert.deepEqual(await once(child, 'close'), [2, null]);
      assert.match(said, expected);
    }
  });
});
