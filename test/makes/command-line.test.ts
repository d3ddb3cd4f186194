import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import type { Make } from '../../lib/model/printer';
import { makes } from '../../lib/model/printer';
import { type RunningSimulator, startSimulator } from '../../lib/simulators';
import { platewise, program } from '../support/program';
import { temporaryDirectory } from '../support/servers';
import { simulatedLoads } from '../support/simulated-filament';
import { sliced3mf } from './sliced-3mf';

interface Seen {
  ready: boolean;
  report: { state: string } | null;
  checks: { check: string; message: string; remedy: string }[];
}

const gcode = ['M104 S210', 'G28', 'M109 S210', 'G90', 'M83', 'G1 Z0.2 F600', 'G1 X140 Y100 E1 F900', 'M104 S0', ''];

/** The options for a simulated printer. */
function options(make: Make, { ports, serial, ca_file }: RunningSimulator['ready']): string[] {
  const named = ['--host', '127.0.0.1', '--timeout', '20'];
  switch (make) {
    case 'bambu':
      named.push('--mqtt-port', String(ports['mqtt']), '--ftps-port', String(ports['ftps']));
      return [...named, '--serial', serial ?? '', '--ca-file', ca_file ?? ''];
    case 'moonraker':
      return [...named, '--port', String(ports['http'])];
    case 'snapmaker':
      return [...named, '--port', String(ports['sacp'])];
  }
}

for (const make of makes) {
  describe(`The command line with a printer of the make ${make}`, () => {
    let simulator: RunningSimulator;
    let environment: Record<string, string>;
    const directory = temporaryDirectory('command-line');

    beforeEach(async () => {
      const dataDir = join(directory, `${make}-${Math.random()}`);
      simulator = await startSimulator(make, {
        dataDir,
        speed: 600,
        operator: 'immediate',
        loads: simulatedLoads[make],
      });
      environment = { PLATEWISE_ACCESS_CODE: simulator.ready.access_code ?? '', PLATEWISE_TOKEN: 'test-token' };
    });
    afterEach(() => simulator.close());

    it('probes it: ready', async () => {
      const { code, stdout } = await platewise(['probe', make, ...options(make, simulator.ready)], environment);
      const seen = JSON.parse(stdout) as Seen;
      assert.deepEqual(seen.checks, []);
      assert.equal(seen.report?.state, 'idle');
      assert.equal(code, 0, stdout);
    });

    it('probes it during a foreign print: not ready, and why', async () => {
      simulator.startForeignJob('other.gcode', 600);
      const { code, stdout } = await platewise(['probe', make, ...options(make, simulator.ready)], environment);
      const seen = JSON.parse(stdout) as Seen;
      assert.equal(code, 1);
      assert.equal(seen.ready, false);
      for (const { message, remedy } of seen.checks) assert.ok(message && remedy);
    });

    it('watches it until it is interrupted', async () => {
      const args = ['probe', make, ...options(make, simulator.ready), '--watch'];
      const child = spawn(process.execPath, [...program(), ...args], { env: { ...process.env, ...environment } });
      const lines: Record<string, { state?: string }>[] = [];
      const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
      let foreign = false;
      let interrupted = false;
      for await (const line of createInterface(child.stdout)) {
        const seen = JSON.parse(line) as Record<string, { state?: string }>;
        lines.push(seen);
        if (!foreign) simulator.startForeignJob('other.gcode', 600);
        foreign = true;
        const active = ['preparing', 'printing'].includes(seen['report']?.state ?? '');
        // Once: a second one would end it before it has disconnected.
        if (active && lines.length > 1 && !interrupted) interrupted = child.kill('SIGINT');
      }
      assert.equal(lines[0]?.['ready'], true);
      // It was ready when it was probed.
      assert.equal(await exit, 0);
    });

    it('prints one file and watches it to its end', async () => {
      const path = join(directory, make === 'bambu' ? 'part.gcode.3mf' : 'part.gcode');
      if (make === 'bambu') writeFileSync(path, await sliced3mf(gcode.join('\n')));
      else writeFileSync(path, gcode.join('\n'));
      const slot = make === 'bambu' ? ['--slot', 'ams0-0'] : [];
      const args = ['print', make, path, ...options(make, simulator.ready), ...slot];
      const { code, stdout } = await platewise(args, environment);
      const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
      assert.deepEqual([last['step'], last['ending']], ['ended', 'finished'], stdout);
      assert.equal(code, 0);
    });
  });
}

describe('platewise probe', () => {
  it('reports what to do if the printer does not answer', async () => {
    const { code, stdout } = await platewise([
      'probe',
      'moonraker',
      '--host',
      '127.0.0.1',
      '--port',
      '1',
      '--timeout',
      '1',
    ]);
    const seen = JSON.parse(stdout) as Seen;
    assert.equal(code, 1);
    assert.equal(seen.checks[0]?.check, 'connection');
    assert.ok(seen.checks[0]?.remedy);
  });

  it('suggests a wrong serial number if the printer stays silent', async () => {
    const directory = temporaryDirectory('command-line');
    const simulator = await startSimulator('bambu', { dataDir: join(directory, 'silent') });
    try {
      const { ports, access_code } = simulator.ready;
      const socket = connect({ host: '127.0.0.1', port: ports['mqtt'] ?? 0, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
      socket.destroy();
      const args = ['--serial', '094000000000001', '--fingerprint', fingerprint, '--mqtt-port', String(ports['mqtt'])];
      const { code, stdout } = await platewise(['probe', 'bambu', '--host', '127.0.0.1', '--timeout', '20', ...args], {
        PLATEWISE_ACCESS_CODE: access_code ?? '',
      });
      assert.equal(code, 1);
      assert.match((JSON.parse(stdout) as Seen).checks[0]?.message ?? '', /right serial number/);
    } finally {
      await simulator.close();
    }
  });

  it('refuses to connect to a Bambu whose certificate it cannot check', async () => {
    const { code, stderr } = await platewise(['probe', 'bambu', '--host', '127.0.0.1', '--serial', 'X']);
    assert.equal(code, 2);
    assert.match(stderr, /--ca-file or --fingerprint/);
  });
});

describe('The model on the command line', () => {
  it('must be a supported one, of a make that has models', async () => {
    const named = (make: string, model: string) =>
      platewise(['probe', make, '--host', '127.0.0.1', '--serial', '1', '--fingerprint', '0', '--model', model]);
    const refused = await named('bambu', 'O1C2');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /in the air/);
    assert.equal((await named('bambu', 'Z99')).code, 2);
    assert.match((await named('moonraker', 'O1D')).stderr, /--model is for bambu/);
  });
});
