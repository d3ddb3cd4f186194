import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Simulated } from './farm-floor';

/** A private copy of the built package for a running campaign, so that the original can be rebuilt, or broken, in the meantime. */
export function copyPackage(root: string, target: string): string {
  mkdirSync(target, { recursive: true });
  const modules = realpathSync(join(root, 'node_modules'));
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  const besidesCode = files.filter((part) => !/^!?dist/.test(part));
  for (const part of ['package.json', ...besidesCode]) {
    cpSync(join(root, part), join(target, part), { recursive: true });
  }
  for (const part of ['lib', 'nodes', 'bin', 'test/faults', 'test/support']) {
    cpSync(join(root, 'dist', part), join(target, 'dist', part), { recursive: true });
  }
  symlinkSync(modules, join(target, 'node_modules'), 'junction');
  return target;
}

/** One Node-RED with a scheduler, the relay, the API, and an agent for each printer: the system under test. */
export class NodeRed {
  readonly name: string;
  readonly port: number;
  /** Each unexpected exit, with its last log lines. */
  readonly crashes: string[] = [];
  #expected = false;
  /** How often it was started. */
  starts = 0;
  #child: ChildProcess | undefined;
  #log = '';
  readonly #directory: string;
  #packageRoot: string;
  readonly #link: string;
  readonly #environment: (start: number) => Record<string, string>;
  readonly #hook: string;
  #flows: FlowNode[];
  #deploying: Promise<unknown> = Promise.resolve();
  /** Prevents any start. */
  locked = false;

  constructor(options: {
    name: string;
    directory: string;
    packageRoot: string;
    port: number;
    printers: Simulated[];
    speed: number;
    /** For its first, second, … start. */
    environment: (start: number) => Record<string, string>;
    /** The module to load before Node-RED: the campaign's hook by default. */
    hook?: string;
  }) {
    this.name = options.name;
    this.port = options.port;
    this.#directory = join(options.directory, options.name);
    this.#packageRoot = options.packageRoot;
    this.#environment = options.environment;
    this.#hook = options.hook ?? join(options.packageRoot, 'dist', 'test', 'faults', 'hook.js');
    mkdirSync(join(this.#directory, 'node_modules', '@platewise'), { recursive: true });
    this.#link = join(this.#directory, 'node_modules', '@platewise', 'node-red-platewise');
    this.install(this.#packageRoot);
    this.#flows = flows(this.#packageRoot, options.printers, options.speed);
    writeFileSync(join(this.#directory, 'flows.json'), JSON.stringify(this.#flows));
    writeFileSync(
      join(this.#directory, 'settings.js'),
      `module.exports = ${JSON.stringify({
        uiHost: '127.0.0.1',
        uiPort: options.port,
        flowFile: 'flows.json',
        credentialSecret: 'campaign',
        disableEditor: true,
        telemetry: { enabled: false },
        nodesExcludes: [
          '*mqtt*',
          '*exec*',
          '*websocket*',
          '*tcp*',
          '*udp*',
          '*xml*',
          '*yaml*',
          '*csv*',
          '*html*',
          '*watch*',
          '*file*',
          '*batch*',
          '*split*',
          '*sort*',
          '*rbe*',
          '*trigger*',
          '*delay*',
          '*template*',
          '*range*',
          '*tls*',
        ],
        logging: { console: { level: 'info', metrics: false, audit: false } },
      })};`,
    );
  }

  /** Replaces the installed package by another version. The flows stay. */
  install(packageRoot: string): void {
    this.#packageRoot = packageRoot;
    rmSync(this.#link, { recursive: true, force: true });
    symlinkSync(packageRoot, this.#link, 'junction');
  }

  /** Runs `platewise` with the environment of its last start, or another one. @throws Error it fails */
  async command(words: string[], environment: Record<string, string> = {}): Promise<void> {
    await promisify(execFile)(process.execPath, [join(this.#packageRoot, 'dist', 'bin', 'platewise.js'), ...words], {
      cwd: this.#directory,
      env: { ...process.env, ...this.#environment(Math.max(1, this.starts)), ...environment },
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/api/fabrication`;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its recent output. */
  get log(): string {
    return this.#log;
  }

  start(): void {
    if (this.running || this.locked) return;
    this.starts++;
    const program = join(this.#packageRoot, 'node_modules', modernNode() ? 'node-red' : 'node-red-4', 'red.js');
    const child = spawn(
      process.execPath,
      [program, '--userDir', this.#directory, '--settings', join(this.#directory, 'settings.js')],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: {
          ...process.env,
          ...this.#environment(this.starts),
          NODE_OPTIONS: `--require ${this.#hook}`,
        },
      },
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-10_000);
        appendFileSync(join(this.#directory, 'output.log'), text);
      });
    }
    child.once('exit', (code, signal) => {
      if (this.#expected || signal === 'SIGKILL') return;
      this.crashes.push(`${this.name} exited by itself (${signal ?? code}): ${this.#log.slice(-1500)}`);
    });
    this.#child = child;
  }

  /**
   * Deploys the flows, as a user does in the editor. With a printer: after a change to its node, and only what changed.
   * False if it was rejected.
   */
  deploy(printerId?: string, change: Record<string, unknown> = {}): Promise<boolean> {
    // One after the other: two at a time would each undo the other's changes.
    const deployed = this.#deploying.then(() => this.#deploy(printerId, change));
    this.#deploying = deployed;
    return deployed;
  }

  async #deploy(printerId: string | undefined, change: Record<string, unknown>): Promise<boolean> {
    if (!this.running) return false;
    const flows = this.#flows.map((node) =>
      printerId !== undefined && node['printerId'] === printerId ? { ...node, ...change } : node,
    );
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/flows`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'node-red-deployment-type': printerId === undefined ? 'full' : 'nodes',
        },
        body: JSON.stringify(flows),
        signal: AbortSignal.timeout(40_000),
      });
      if (response.ok) this.#flows = flows;
      return response.ok;
    } catch {
      return false;
    }
  }

  tell(message: object): void {
    if (this.running && this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** The hook's answer to a message, one at a time. @throws Error it does not answer within `limit` (ms) */
  async ask(message: object, limit = 30_000): Promise<unknown> {
    const child = this.#child;
    if (!child?.connected) throw new Error(`${this.name} does not run.`);
    const answered = once(child, 'message', { signal: AbortSignal.timeout(limit) });
    this.tell(message);
    const [answer] = (await answered) as [unknown];
    return answer;
  }

  signal(name: NodeJS.Signals): void {
    if (this.running) this.#child?.kill(name);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || !this.running) return;
    this.#expected = signal === 'SIGTERM';
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(killer);
  }
}

function modernNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 9);
}

interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** Scheduler and API as in the examples, and the campaign's printers. */
function flows(root: string, printers: Simulated[], speed: number): FlowNode[] {
  const read = (name: string): FlowNode[] =>
    JSON.parse(readFileSync(join(root, 'examples', name), 'utf8')) as FlowNode[];
  const farm = read('farm.json');
  const wanted = ['tab', 'print-farm', 'queue-optimizer', 'scheduler-tick', 'rabbitmq-dispatch'];
  const nodes = new Map<string, FlowNode>();
  for (const node of [...farm.filter(({ type }) => wanted.includes(type)), ...read('api.json')]) {
    nodes.set(node.id, node.type === 'queue-optimizer' ? { ...node, interval: '5' } : node);
  }
  const tab = farm.find(({ type }) => type === 'tab')?.id ?? '';
  const config = farm.find(({ type }) => type === 'print-farm')?.id ?? '';
  for (const [index, printer] of printers.entries()) {
    nodes.set(`fa${String(index).padStart(14, '0')}`, {
      id: `fa${String(index).padStart(14, '0')}`,
      z: tab,
      farm: config,
      name: printer.id,
      printerId: printer.id,
      host: printer.host,
      buildX: '300',
      buildY: '300',
      buildZ: '300',
      slots: printer.slots.map(({ slot, tool }) => `${slot}=${tool}`).join(', '),
      // Their plates can be inspected and cleared, so the farm need not make the assumptions it makes for a demonstration.
      simulated: 'false',
      timeScale: String(speed),
      allowBuiltInSlicer: true,
      wires: [[]],
      ...ownSettings(printer),
    });
  }
  return [...nodes.values()];
}

function ownSettings(printer: Simulated): { type: string; [property: string]: unknown } {
  switch (printer.make) {
    case 'bambu':
      return {
        type: 'bambu-printer',
        model: 'O1D',
        serial: printer.serial,
        caFile: printer.ca_file,
        fingerprint: '',
        mqttPort: printer.ports['mqtt'],
        ftpsPort: printer.ports['ftps'],
      };
    case 'moonraker':
      return {
        ...(printer.slots.length > 1 ? { type: 'klipper-printer', nozzles: '0.4, 0.4' } : { type: 'elegoo-printer' }),
        port: printer.ports['http'],
        tls: false,
      };
    case 'snapmaker':
      return { type: 'snapmaker-printer', port: printer.ports['sacp'] };
  }
}

/** The secrets of the printers, as the nodes read them from the environment. */
export function secrets(printers: Simulated[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const { id, access_code } of printers) {
    settings[`PLATEWISE_${id.toUpperCase()}_TOKEN`] = `campaign-${id}`;
    if (access_code) settings[`PLATEWISE_${id.toUpperCase()}_ACCESS_CODE`] = access_code;
  }
  return settings;
}

/** The root of the package, from one of its compiled files. */
export const packageRoot = dirname(dirname(dirname(__dirname)));
