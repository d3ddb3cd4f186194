import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, openAsBlob, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { JobView } from '../../lib/views/queries';
import { ApiDescription } from './api-description';
import { freePort, temporaryDirectory } from './servers';
import type { TruthLine } from './simulated-farm';

let read: ApiDescription | undefined;
/** The API description in docs/openapi.yaml; every answer is checked against it. */
const description = (): ApiDescription => {
  read ??= new ApiDescription();
  return read;
};

/** How `npm start` ended. */
export interface FarmExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * The real system: `npm start` in separate processes, with Node-RED, PostgreSQL and three simulated printers, on a free
 * port and a directory that is removed with the test process. It can be stopped or killed and restarted on the same data.
 *
 * ```ts
 * const farm = new RealFarm();
 * before(() => farm.start({ SIM_SPEED: '120' }));
 * after(async () => assert.equal((await farm.stop())?.code, 0));
 * ```
 */
export class RealFarm {
  /** PLATEWISE_DATA */
  readonly data: string;
  /** Everything that was written to stdout and stderr. */
  output = '';
  #port: number | undefined;
  #environment: Record<string, string> = {};
  #process: ChildProcess | undefined;
  #exit: Promise<FarmExit> | undefined;
  #readyFrom = 0;

  constructor(data = join(temporaryDirectory('farm'), 'data')) {
    this.data = data;
  }

  /** `http://127.0.0.1:<port>`; the same after a restart. */
  get url(): string {
    if (this.#port === undefined) throw new Error('The farm was never started.');
    return `http://127.0.0.1:${this.#port}`;
  }

  /**
   * Starts the farm and waits until it is ready.
   * @param env added to this process's environment, and kept for later starts. DATABASE_URL and AMQP_URL of this
   * process are omitted: unless they are given here, the farm has its own
   */
  async start(env: Record<string, string> = {}): Promise<this> {
    await this.launch(env);
    await this.waitReady();
    return this;
  }

  /** Starts the farm without waiting for it. */
  async launch(env: Record<string, string> = {}): Promise<void> {
    if (this.running) throw new Error('The farm runs already.');
    this.#port ??= await freePort();
    Object.assign(this.#environment, env);
    const { DATABASE_URL: _database, AMQP_URL: _broker, ...inherited } = process.env;
    const child = spawn(process.execPath, [join(process.cwd(), 'scripts', 'start.mjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited, PLATEWISE_DATA: this.data, PORT: String(this.#port), ...this.#environment },
    });
    this.#readyFrom = this.output.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.#process = child;
    this.#exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.#exit.catch(() => undefined);
  }

  get running(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves when `npm start` has reported that it is ready. @throws Error it ended, or took too long */
  async waitReady(limit = 120_000): Promise<void> {
    const end = Date.now() + limit;
    while (!this.output.slice(this.#readyFrom).includes('Platewise is ready')) {
      if (!this.running) throw new Error(`The farm ended before it was ready:\n${this.output.slice(-4000)}`);
      if (Date.now() > end) throw new Error(`The farm was not ready in time:\n${this.output.slice(-4000)}`);
      await pause(50);
    }
  }

  /**
   * A request to the API.
   * @param path below `/api/fabrication`, for example `/queue?limit=5`
   * @param init as for `fetch`; `json` is sent as a body of JSON
   */
  async api<Body = Record<string, unknown>>(
    path: string,
    { json, ...init }: RequestInit & { json?: unknown } = {},
  ): Promise<{ status: number; body: Body }> {
    const body =
      json === undefined ? {} : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.url}/api/fabrication${path}`, { ...body, ...init });
    const text = await response.text();
    const answer: unknown = text === '' ? undefined : JSON.parse(text);
    const type = response.headers.get('content-type') ?? '';
    const problems = description().problemsOfAnswer(init.method ?? 'GET', path, response.status, type, answer);
    if (json !== undefined && response.ok)
      problems.push(...description().problemsOfSent(init.method ?? 'GET', path, json));
    if (problems.length > 0) throw new Error(`${problems.join('; ')}\n${text.slice(0, 2000)}`);
    return { status: response.status, body: answer as Body };
  }

  /** Uploads a file and returns its `stl_path`. */
  async upload(path: string): Promise<string> {
    const form = new FormData();
    form.append('file', await openAsBlob(path), basename(path));
    const { status, body } = await this.api<{ stl_path: string }>('/files', { method: 'POST', body: form });
    if (status !== 201) throw new Error(`The upload was answered ${status}: ${JSON.stringify(body)}`);
    return body.stl_path;
  }

  /** Submits a job and returns its id. */
  async submit(job: Record<string, unknown>): Promise<string> {
    const { status, body } = await this.api<{ job_id: string }>('/jobs', { method: 'POST', json: job });
    if (status !== 201) throw new Error(`The job was answered ${status}: ${JSON.stringify(body)}`);
    return body.job_id;
  }

  /** Resolves with a job as soon as it fulfils the condition. @throws Error with its history, if that takes too long */
  async until(job: string, wanted: (job: JobView) => boolean, limit = 60_000): Promise<JobView> {
    const end = Date.now() + limit;
    for (;;) {
      const { body } = await this.api<JobView>(`/jobs/${job}`);
      if (wanted(body)) return body;
      if (Date.now() > end)
        throw new Error(`The job did not reach that state in time: ${JSON.stringify(body, null, 1)}`);
      await pause(200);
    }
  }

  /** The truth log of a simulated printer. */
  truth(printer: string): TruthLine[] {
    const path = join(this.data, 'simulators', printer, 'truth.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as TruthLine);
  }

  /** Resolves when a slot of a simulated printer holds a filament. @throws Error that takes too long */
  async untilLoaded(printer: string, slot: string, material: string, limit = 15_000): Promise<void> {
    const ready = readFileSync(join(this.data, 'simulators', printer, 'ready.json'), 'utf8');
    const { ports } = JSON.parse(ready) as { ports: { control: number } };
    const end = Date.now() + limit;
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${ports.control}/state`);
      const { slots } = (await response.json()) as { slots: Record<string, { material: string } | null> };
      if (slots[slot]?.material === material) return;
      if (Date.now() > end) throw new Error(`${material} was not loaded: ${JSON.stringify(slots)}`);
      await pause(100);
    }
  }

  /** Ends the farm with SIGTERM, as an operator does. Undefined if it did not run. */
  async stop(limit = 60_000): Promise<FarmExit | undefined> {
    if (!this.running) return undefined;
    this.#process?.kill('SIGTERM');
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      late = setTimeout(() => resolve(undefined), limit);
    });
    const exit = await Promise.race([this.#exit, tooLate]);
    clearTimeout(late);
    if (exit) return exit;
    await this.kill9();
    throw new Error(`The farm did not stop in time:\n${this.output.slice(-4000)}`);
  }

  /** Kills every process of the farm immediately (SIGKILL): Node-RED, printers, database. */
  async kill9(): Promise<void> {
    const child = this.#process;
    if (!child?.pid) return;
    const victims = [...descendants(child.pid), ...this.#database()];
    for (const pid of [...victims, child.pid]) kill(pid);
    await this.#exit;
    while (victims.some(alive)) await pause(20);
  }

  /** Kills Node-RED alone (SIGKILL), and waits until the rest of `npm start` has noticed and ended. */
  async killNodeRed(): Promise<FarmExit> {
    const child = this.#process;
    const exit = this.#exit;
    if (!child?.pid || !exit) throw new Error('The farm was never started.');
    const own = new Set(descendants(child.pid));
    // Node-RED sets this process title.
    const nodeRed = processes().find((one) => own.has(one.pid) && one.command.startsWith('node-red'));
    if (!nodeRed) throw new Error('Node-RED was not found among the processes of the farm.');
    kill(nodeRed.pid);
    return exit;
  }

  /** The embedded PostgreSQL, which has no parent after an earlier kill, and its workers. */
  #database(): number[] {
    const path = join(this.data, 'postgres', 'data', 'postmaster.pid');
    if (!existsSync(path)) return [];
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    const names = processes().find((one) => one.pid === pid)?.command ?? '';
    return names.includes(this.data) ? [pid, ...descendants(pid)] : [];
  }
}

interface Process {
  pid: number;
  parent: number;
  state: string;
  command: string;
}

function processes(): Process[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return pid ? [{ pid: Number(pid), parent: Number(parent), state: state ?? '', command: command ?? '' }] : [];
  });
}

function descendants(root: number): number[] {
  const all = processes();
  const found = [root];
  for (const parent of found) found.push(...all.filter((one) => one.parent === parent).map((one) => one.pid));
  return found.slice(1);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}

function alive(pid: number): boolean {
  return processes().some((one) => one.pid === pid && !one.state.startsWith('Z'));
}

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
