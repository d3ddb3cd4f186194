// `npm run upgrade-check -- <directory of an earlier version>`: starts a farm with the earlier version (installed and built there), submits jobs,
// ends it while they are under way, starts this version on the same data and flows, and checks that every job is finished, each print was started
// once, and the endpoints that the old flows do not route still answer.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { prepare, root } from './prepare.mjs';

const [earlier] = process.argv.slice(2);
if (!earlier) throw new Error('Name the directory of an earlier version.');
prepare();

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const data = mkdtempSync(join(tmpdir(), 'platewise-upgrade-'));
const api = `http://127.0.0.1:${port}/api/fabrication`;

async function start(directory) {
  const child = spawn(process.execPath, [join(directory, 'scripts', 'start.mjs')], {
    cwd: directory,
    env: { ...process.env, PORT: String(port), PLATEWISE_DATA: data, SIM_SPEED: '120' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (log += text));
  for (const end = Date.now() + 180_000; !/^Platewise is ready/m.test(log); await pause(200)) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`It did not start:\n${log.slice(-3000)}`);
  }
  return child;
}

async function stop(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function ask(path, method = 'GET', json) {
  const response = await fetch(`${api}${path}`, {
    method,
    ...(json && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Clears every bed on which nothing prints: the plates of these simulators are emptied automatically. */
async function clearBeds() {
  for (const { printer_id, bed, state } of (await ask('/printers')).printers) {
    if (bed.state === 'clear' || state !== 'idle') continue;
    await ask(`/printers/${printer_id}/bed/clear`, 'POST', { bed_version: bed.version }).catch(() => undefined);
  }
}

const statuses = async (ids) => Promise.all(ids.map(async (id) => (await ask(`/jobs/${id}`)).status));

console.log(`The earlier version: ${earlier}`);
const old = await start(earlier);
const form = new FormData();
form.append(
  'file',
  new Blob([readFileSync(join(root, 'test', 'fixtures', 'models', '20mm-xyz-cube.stl'))]),
  'cube.stl',
);
const { stl_path } = await (await fetch(`${api}/files`, { method: 'POST', body: form })).json();
const ids = [];
for (let n = 1; n <= 9; n++) {
  const job = { job_name: `cube ${n}`, stl_path, material_id: 'pla_black_esun', copies: n % 3 === 0 ? 2 : 1 };
  ids.push((await ask('/jobs', 'POST', job)).job_id);
}
for (;;) {
  await clearBeds();
  const now = await statuses(ids);
  if (now.includes('printing') && now.includes('completed') && now.includes('queued')) break;
  await pause(300);
}
console.log(`Ended with: ${(await statuses(ids)).join(', ')}`);
await stop(old);

const present = await start(root);
const one = await ask('/printers/elegoo_giga');
if (one.printer_id !== 'elegoo_giga') throw new Error('The fallback answers for a different printer.');
const { paths } = await ask('/openapi.json');
console.log(
  `Upgraded; GET /printers/{id} is answered by the fallback, ${Object.keys(paths).length} paths are described.`,
);
for (const end = Date.now() + 300_000; ; await pause(500)) {
  await clearBeds();
  const now = await statuses(ids);
  if (now.every((status) => status === 'completed')) break;
  if (Date.now() > end) throw new Error(`Not finished: ${now.join(', ')}`);
}
const starts = new Map();
const simulators = join(data, 'simulators');
for (const printer of readdirSync(simulators)) {
  for (const line of readFileSync(join(simulators, printer, 'truth.jsonl'), 'utf8').split('\n')) {
    const { event, file_name } = line ? JSON.parse(line) : {};
    if (event === 'started') starts.set(file_name, (starts.get(file_name) ?? 0) + 1);
  }
}
const twice = [...starts].filter(([, count]) => count > 1);
if (twice.length > 0 || starts.size !== 12)
  throw new Error(`12 prints, each once, were wanted: ${JSON.stringify([...starts])}`);
console.log(`All ${ids.length} jobs are completed, and ${starts.size} prints were started, each once.`);
await stop(present);
rmSync(data, { recursive: true, force: true });
