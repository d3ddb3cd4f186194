import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { npm } from '../support/npm';
import { freePort, temporaryDirectory } from '../support/servers';

/** The Node-RED that runs the package here: `node-red` (5) or `node-red-4`. */
const nodeRed = process.env['PLATEWISE_TEST_NODE_RED'] ?? 'node-red';
const root = process.cwd();
const name = '@platewise/node-red-platewise';

interface ExampleNode {
  id: string;
  type: string;
  printerId?: string;
  [property: string]: unknown;
}

describe('The package', () => {
  let userDirectory: string;
  let installed: string;
  let url: string;
  let runtime: ChildProcess;
  let simulator: ChildProcess;
  let log = '';
  const environment: Record<string, string> = {};

  before(async function () {
    this.timeout(300_000);
    const work = temporaryDirectory('package');
    const packed = npm(root, 'pack', '--ignore-scripts', '--pack-destination', work).trim().split('\n').at(-1) ?? '';
    userDirectory = join(work, 'user');
    mkdirSync(userDirectory);
    writeFileSync(join(userDirectory, 'package.json'), '{"name": "user", "version": "1.0.0", "private": true}');
    npm(
      userDirectory,
      'install',
      '--omit=dev',
      '--engine-strict',
      '--no-audit',
      '--no-fund',
      '--save',
      join(work, packed),
    );
    // The packages that the dashboard example asks the user to install as well.
    const dashboard = join('node_modules', '@flowfuse', 'node-red-dashboard');
    mkdirSync(dirname(join(userDirectory, dashboard)), { recursive: true });
    symlinkSync(join(root, dashboard), join(userDirectory, dashboard), 'junction');
    installed = join(userDirectory, 'node_modules', ...name.split('/'));

    // A printer from the installed package, as `platewise simulate` creates one.
    simulator = spawn(
      process.execPath,
      [
        join(installed, 'dist', 'bin', 'platewise.js'),
        'simulate',
        'moonraker',
        '--data',
        join(work, 'giga'),
        '--speed',
        '600',
        '--operator',
        'immediate',
        '--load',
        'extruder=pla_black_esun',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const told = await new Promise<string>((resolve) => {
      createInterface(simulator.stdout as NodeJS.ReadableStream).once('line', resolve);
    });
    environment['TEST_GIGA_PORT'] = String((JSON.parse(told) as { ports: { http: number } }).ports.http);

    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const settings = {
      uiHost: '127.0.0.1',
      uiPort: port,
      flowFile: 'flows.json',
      credentialSecret: 'test',
      telemetry: { enabled: false },
      editorTheme: { tours: false },
    };
    writeFileSync(join(userDirectory, 'settings.js'), `module.exports = ${JSON.stringify(settings)};`);
    const { DATABASE_URL: _database, AMQP_URL: _broker, NODE_PATH: _path, ...inherited } = process.env;
    runtime = spawn(
      process.execPath,
      [join(dirname(require.resolve(`${nodeRed}/package.json`)), 'red.js'), '--userDir', userDirectory],
      {
        cwd: userDirectory,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...inherited, ...environment, PLATEWISE_DATA: join(work, 'data') },
      },
    );
    for (const stream of [runtime.stdout, runtime.stderr]) stream?.on('data', (text) => (log += String(text)));
    await answers(`${url}/nodes`);
  });

  after(async () => {
    for (const child of [runtime, simulator]) {
      if (!child || child.exitCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
  });

  async function answers(address: string): Promise<Response> {
    const end = Date.now() + 60_000;
    for (;;) {
      try {
        const response = await fetch(address, { headers: { accept: 'application/json' } });
        if (response.ok) return response;
      } catch {
        // Not up yet.
      }
      if (Date.now() > end) throw new Error(`${address} does not answer:\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function deploy(flows: ExampleNode[]): Promise<void> {
    const response = await fetch(`${url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
      body: JSON.stringify(flows),
    });
    assert.equal(response.status, 204, await response.text());
  }

  it('contains what it needs and nothing else', () => {
    const files = npm(root, 'pack', '--dry-run', '--ignore-scripts', '--json');
    const [{ files: listed }] = JSON.parse(files) as [{ files: { path: string }[] }];
    const paths = listed.map((file) => file.path);
    for (const wanted of [
      'migrations/000001_first-schema.sql',
      'examples/farm.json',
      'dist/bin/platewise.js',
      'resources/printer-form.js',
      'LICENSE',
      'README.md',
    ]) {
      assert.ok(paths.includes(wanted), wanted);
    }
    assert.deepEqual(
      paths.filter((path) => /^(test|lib|nodes|scripts|bench|dist\/test)\//.test(path) || path.endsWith('.map')),
      [],
    );
  });

  it('loads all its node types without an error, with their catalogues and icons', async () => {
    const sets = (await (await answers(`${url}/nodes`)).json()) as {
      module: string;
      types: string[];
      err?: string;
      enabled: boolean;
    }[];
    const own = sets.filter((set) => set.module === name);
    assert.equal(own.length, 13);
    for (const set of own) assert.equal(set.err, undefined, `${set.types.join()}: ${set.err}`);
    const catalogue = (await (await answers(`${url}/nodes/messages?lng=en-US`)).json()) as Record<string, unknown>;
    assert.ok(
      Object.keys(catalogue).some((key) => key.startsWith(`${name}/job-submit`)),
      'catalogue of job-submit',
    );
    const icons = (await (await answers(`${url}/icons`)).json()) as Record<string, string[]>;
    assert.equal(icons[name]?.length, 13);
  });

  const examples = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.json'));
  for (const file of examples) {
    it(`runs the example ${file}`, async () => {
      const flows = JSON.parse(readFileSync(join(root, 'examples', file), 'utf8')) as ExampleNode[];
      const from = log.length;
      await deploy(flows);
      const farm = flows.some((node) => node.type === 'http in');
      if (farm) await answers(`${url}/api/fabrication/printers`);
      await until(() => /Started flows|Updated flows|Started modified/.test(log.slice(from)));
      assert.doesNotMatch(log.slice(from), /\[error\]|missing types|Circular|Waiting for missing/i);
    });
  }

  it('prints a job on a printer, using only the installed package', async function () {
    this.timeout(120_000);
    const nodes = new Map<string, ExampleNode>();
    for (const file of ['farm.json', 'api.json']) {
      for (const node of JSON.parse(readFileSync(join(installed, 'examples', file), 'utf8')) as ExampleNode[]) {
        if (node.printerId === 'elegoo_giga')
          Object.assign(node, { host: '127.0.0.1', port: `$\{TEST_GIGA_PORT}`, simulated: true, timeScale: 600 });
        nodes.set(node.id, node);
      }
    }
    await deploy([...nodes.values()]);
    const api = `${url}/api/fabrication`;
    await answers(`${api}/printers`);
    // The simulated printer brings the materials with it, and accepts jobs once it was connected.
    await until(async () => {
      const answer = await fetch(`${api}/printers/elegoo_giga`);
      return answer.ok && ((await answer.json()) as { online: boolean }).online;
    });
    const form = new FormData();
    form.append(
      'file',
      new Blob([readFileSync(join(root, 'test', 'fixtures', 'models', '20mm-xyz-cube.stl'))]),
      'cube.stl',
    );
    const stored = (await (await fetch(`${api}/files`, { method: 'POST', body: form })).json()) as { stl_path: string };
    const submitted = (await (
      await fetch(`${api}/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          job_name: 'cube',
          stl_path: stored.stl_path,
          material_id: 'pla_black_esun',
          force_printer: 'elegoo_giga',
        }),
      })
    ).json()) as { job_id: string };
    let status = '';
    await until(async () => {
      status = ((await (await fetch(`${api}/jobs/${submitted.job_id}`)).json()) as { status: string }).status;
      return ['completed', 'failed', 'cancelled'].includes(status);
    });
    assert.equal(status, 'completed', log);
  });

  it('exits cleanly on SIGTERM', async () => {
    const ended = new Promise((resolve) => runtime.once('exit', (code) => resolve(code)));
    runtime.kill('SIGTERM');
    assert.equal(await ended, 0, log);
  });

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + 90_000;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`It did not come to that:\n${log.slice(-3000)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});
