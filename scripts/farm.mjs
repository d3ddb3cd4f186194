import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { printers } from './demo-printers.mjs';
import { Hands } from './hands.mjs';
import { root } from './prepare.mjs';

const port = Number(process.env.PORT || 1880);
const data = resolve(process.env.PLATEWISE_DATA || join(root, '.platewise'));
const speed = process.env.SIM_SPEED || '60';
const address = `http://127.0.0.1:${port}`;

const openDashboard =
  'The farm has keys, but its dashboard has no login: orders need a key, but every visitor sees everything. docs/operating.md#locks describes how to lock it.';

const hands = new Hands(address, join(data, 'simulators'));
const children = [];
let stopping = false;

/** Starts the farm and runs until it receives a signal to end. */
export async function run() {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const lock = await lockDirectory();
  process.on('SIGTERM', () => stop(0));
  process.on('SIGINT', () => stop(0));
  endWithParent();
  try {
    const environment = Object.assign({}, ...(await Promise.all(printers.map(startSimulator))));
    const nodeRed = startNodeRed(environment);
    nodeRed.on('exit', (code, signal) => {
      if (stopping) return;
      console.error(`Node-RED ended (${signal ?? `exit code ${code}`}); its log is above.`);
      stop(1);
    });
    await ready();
    await hands.begin();
    if (!stopping) console.log(`Platewise is ready: ${address}`);
  } catch (error) {
    if (!stopping) {
      console.error(error.message);
      await stop(1);
    }
  } finally {
    process.on('exit', () => lock.close());
  }
}

/** npm forwards a signal to the shell in between, which ends without notifying this process. */
function endWithParent() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop(0);
  }, 500).unref();
}

/**
 * Rejects a second start on the same data. The lock is a socket that lives as long as this process, so a crash leaves
 * no stale lock.
 */
async function lockDirectory() {
  const name = createHash('sha256').update(data).digest('hex').slice(0, 16);
  const path =
    process.platform === 'win32' ? `\\\\.\\pipe\\platewise-${name}` : join(tmpdir(), `platewise-${name}.lock`);
  const taken = await new Promise((done) => {
    const probe = createConnection(path, () => done(true)).on('error', () => done(false));
    probe.on('connect', () => probe.end());
  });
  if (taken) {
    console.error(`Another Platewise runs on ${data}. Stop it, or choose another directory with PLATEWISE_DATA.`);
    process.exit(1);
  }
  if (process.platform !== 'win32') rmSync(path, { force: true });
  const server = createServer((socket) => socket.end());
  await new Promise((done, fail) => server.once('error', fail).listen(path, done));
  server.unref();
  return server;
}

/** Starts one simulated printer and resolves with the environment variables that the flow needs to connect to it. */
function startSimulator({ id, make, name, firstLoads }) {
  const args = [join(root, 'dist', 'bin', 'platewise.js'), 'simulate', make];
  args.push('--data', join(data, 'simulators', id), '--speed', speed, '--operator', 'immediate');
  args.push('--name', name, '--exit-with-stdin');
  for (const [slot, material] of Object.entries(firstLoads)) args.push('--load', `${slot}=${material}`);
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  children.push(child);
  return new Promise((done, fail) => {
    createInterface(child.stdout).once('line', (line) => {
      const printer = JSON.parse(line);
      writeFileSync(join(data, 'simulators', id, 'ready.json'), line, { mode: 0o600 });
      hands.reach(id, firstLoads, printer.ports.control);
      done(settingsOf(id, printer));
    });
    child.on('error', fail);
    child.on('exit', (code) => {
      fail(new Error(`The simulated ${name} did not start (exit code ${code}).`));
      if (!stopping) stop(1);
    });
  });
}

function settingsOf(id, printer) {
  const prefix = `PLATEWISE_${id.toUpperCase()}`;
  const settings = { [`${prefix}_HOST`]: printer.host, [`${prefix}_TOKEN`]: `simulated-${id}` };
  for (const [name, value] of Object.entries(printer.ports))
    settings[`${prefix}_${name.toUpperCase()}_PORT`] = String(value);
  if (printer.serial) settings[`${prefix}_SERIAL`] = printer.serial;
  if (printer.access_code) settings[`${prefix}_ACCESS_CODE`] = printer.access_code;
  if (printer.ca_file) settings[`${prefix}_CA_FILE`] = printer.ca_file;
  return settings;
}

function startNodeRed(environment) {
  const userDirectory = join(data, 'node-red');
  mkdirSync(userDirectory, { recursive: true, mode: 0o700 });
  linkPackage(userDirectory, '@platewise/node-red-platewise', root);
  linkPackage(
    userDirectory,
    '@flowfuse/node-red-dashboard',
    join(root, 'node_modules', '@flowfuse', 'node-red-dashboard'),
  );
  const flows = join(userDirectory, 'flows.json');
  if (!existsSync(flows)) writeFileSync(flows, JSON.stringify(demonstrationFlows(), null, 2));
  const settings = join(userDirectory, 'settings.js');
  writeFileSync(settings, settingsFile(), { mode: 0o600 });
  // The file contains the credential secret; an earlier version made it readable for every user.
  chmodSync(settings, 0o600);
  const [major, minor] = process.versions.node.split('.').map(Number);
  const modern = major > 22 || (major === 22 && minor >= 9);
  const program = join(root, 'node_modules', modern ? 'node-red' : 'node-red-4', 'red.js');
  const child = spawn(process.execPath, [program, '--userDir', userDirectory, '--settings', settings], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: true,
    env: { ...process.env, ...environment, PLATEWISE_DATA: data, PLATEWISE_SIM_SPEED: speed },
  });
  children.push(child);
  return child;
}

function linkPackage(userDirectory, name, target) {
  const link = join(userDirectory, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { recursive: true, force: true });
  symlinkSync(target, link, 'junction');
}

/** Combines the example flows, with their printers connected to the simulators. */
function demonstrationFlows() {
  const wanted = ['farm.json', 'api.json', 'dashboard.json'].filter((name) =>
    readdirSync(join(root, 'examples')).includes(name),
  );
  const nodes = new Map();
  for (const name of wanted) {
    for (const node of JSON.parse(readFileSync(join(root, 'examples', name), 'utf8'))) {
      if (!nodes.has(node.id)) nodes.set(node.id, pointAtSimulator(node));
    }
  }
  return [...nodes.values()];
}

function pointAtSimulator(node) {
  const printer = printers.find((one) => one.id === node.printerId);
  if (!printer) return node;
  const prefix = `PLATEWISE_${printer.id.toUpperCase()}`;
  const common = { host: `\${${prefix}_HOST}`, simulated: true, timeScale: `\${PLATEWISE_SIM_SPEED}` };
  const own = Object.fromEntries(
    Object.entries(printer.connection).map(([property, variable]) => [property, `\${${prefix}_${variable}}`]),
  );
  return { ...node, ...common, ...own };
}

function settingsFile() {
  const secretFile = join(data, 'credential-secret');
  if (!existsSync(secretFile)) writeFileSync(secretFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    flowFilePretty: true,
    credentialSecret: readFileSync(secretFile, 'utf8'),
    telemetry: { enabled: false },
    editorTheme: { tours: false, header: { title: 'Platewise' } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  };
  return `// Regenerated at every start by \`npm start\`.
process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).resume();
const { onlyFromHere, socketFromHere } = require(${JSON.stringify(join(root, 'dist', 'lib', 'http', 'locks.js'))});
module.exports = ${JSON.stringify(settings, null, 2)};
module.exports.httpAdminMiddleware = onlyFromHere;
module.exports.dashboard = { middleware: onlyFromHere, ioMiddleware: socketFromHere };
`;
}

/** Resolves when the API answers and every printer is connected. */
async function ready() {
  const end = Date.now() + 120_000;
  let last = 'no answer';
  while (!stopping && Date.now() < end) {
    try {
      const response = await fetch(`${address}/api/fabrication/printers`);
      const body = await response.json();
      if (response.ok) {
        const known = body.printers.filter((printer) => printers.some((one) => one.id === printer.printer_id));
        if (known.length === printers.length && known.every((printer) => printer.online)) return;
        last = `waiting for ${known
          .filter((printer) => !printer.online)
          .map((printer) => printer.name)
          .join(', ')}`;
      } else {
        if (body.code === 'unauthorized') {
          console.warn(openDashboard);
          return;
        }
        last = body.detail ?? `HTTP ${response.status}`;
        if (body.code === 'data_directory_in_use' || body.code === 'embedded_postgres') break;
      }
    } catch (error) {
      last = error.message;
    }
    await new Promise((done) => setTimeout(done, 200));
  }
  if (!stopping) throw new Error(`Platewise did not become ready: ${last}`);
}

/** Stops everything: Node-RED first, then the printers. */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  hands.end();
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(killer);
  }
  process.exit(code);
}
