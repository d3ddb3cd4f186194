import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';

/** The program of an installed RabbitMQ; undefined if there is none. */
export function rabbitMqProgram(): string | undefined {
  return ['/usr/lib/rabbitmq/lib', '/usr/local/lib/rabbitmq/lib']
    .filter(existsSync)
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name, 'sbin', 'rabbitmq-server')))
    .find(existsSync);
}

/** Whether a broker answers at this address. */
export async function answers(url: string): Promise<boolean> {
  try {
    const connection = await connect(url, { timeout: 3000 });
    connection.on('error', () => undefined);
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

/** A private RabbitMQ on free ports, with all its files in its own directory. It can be stopped and restarted. */
export class PrivateRabbitMq {
  readonly port: number;
  readonly #program: string;
  readonly #directory: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #epmdPort: number;
  #epmd: ChildProcess | undefined;
  #server: ChildProcess | undefined;

  /** @param ports three free ports: of the broker, of Erlang's distribution, of its port mapper */
  constructor(program: string, directory: string, ports: { broker: number; distribution: number; mapper: number }) {
    this.port = ports.broker;
    this.#program = program;
    this.#directory = directory;
    this.#epmdPort = ports.mapper;
    for (const name of ['mnesia', 'log', 'gen', 'schema', 'plugins']) {
      mkdirSync(join(directory, name), { recursive: true });
    }
    writeFileSync(join(directory, 'rabbitmq.conf'), 'disk_free_limit.absolute = 50MB\n');
    writeFileSync(join(directory, 'enabled_plugins'), '[].\n');
    writeFileSync(join(directory, 'rabbitmq-env.conf'), '');
    this.#environment = {
      ...process.env,
      HOME: directory,
      ERL_EPMD_PORT: String(ports.mapper),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `platewise${ports.broker}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(ports.broker),
      RABBITMQ_DIST_PORT: String(ports.distribution),
      RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_LOGS: join(directory, 'log', 'rabbit.log'),
      RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq'),
      RABBITMQ_CONF_ENV_FILE: join(directory, 'rabbitmq-env.conf'),
      RABBITMQ_GENERATED_CONFIG_DIR: join(directory, 'gen'),
      RABBITMQ_SCHEMA_DIR: join(directory, 'schema'),
      RABBITMQ_PLUGINS_EXPAND_DIR: join(directory, 'plugins'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
      RABBITMQ_PID_FILE: join(directory, 'pid'),
    };
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  /** Resolves when it answers. @throws Error it does not start */
  async start(): Promise<this> {
    this.#epmd ??= spawn('epmd', ['-port', String(this.#epmdPort), '-address', '127.0.0.1'], {
      cwd: this.#directory,
      stdio: 'ignore',
      env: this.#environment,
    });
    // A separate process group: the program is a script, and its child processes must be killed with it.
    const server = spawn(this.#program, [], {
      cwd: this.#directory,
      stdio: 'ignore',
      env: this.#environment,
      detached: true,
    });
    this.#server = server;
    const end = performance.now() + 60_000;
    while (performance.now() < end) {
      if (await answers(this.url)) return this;
      if (server.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(`The private RabbitMQ did not start; its log is in ${this.#directory}.`);
  }

  /** Runs `rabbitmqctl` with these arguments, as an administrator would. @throws Error it fails */
  async control(...words: string[]): Promise<string> {
    const program = join(dirname(this.#program), 'rabbitmqctl');
    const { stdout } = await promisify(execFile)(
      program,
      ['-n', String(this.#environment['RABBITMQ_NODENAME']), ...words],
      {
        env: this.#environment,
      },
    );
    return stdout;
  }

  /** Stops the server. SIGKILL acts like a power cut. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server?.pid || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    process.kill(-server.pid, signal);
    await gone;
  }

  async close(): Promise<void> {
    await this.stop();
    const epmd = this.#epmd;
    this.#epmd = undefined;
    if (!epmd || epmd.exitCode !== null) return;
    const gone = new Promise((resolve) => epmd.once('exit', resolve));
    epmd.kill();
    await gone;
  }
}
