import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import type { NodeRed } from '../../test/faults/system';
import type { PrivateRabbitMq } from '../../test/support/private-rabbitmq';

/** The live objects of one process after a garbage collection; memory in MB (10⁶ bytes). */
export interface ProcessFigures {
  /** Of the main thread's heap. */
  heap_mb: number;
  /** Buffers. */
  external_mb: number;
  rss_mb: number;
  /** Open files, sockets and pipes. */
  descriptors: number;
  sockets: number;
  timers: number;
  /** Emitters that have ever had a listener. */
  emitters: number;
  /** Of all emitters and event targets. */
  listeners: number;
}

/** The sum over all Node-REDs, and their resources elsewhere. */
export interface Figures extends ProcessFigures {
  postgres_connections: number;
  /** Dead rows that no vacuum has reclaimed yet. */
  dead_tuples: number;
  rabbitmq_connections: number;
  rabbitmq_channels: number;
  rabbitmq_queues: number;
  /** Messages in all queues. */
  rabbitmq_messages: number;
  /** Files in the data directory besides the database and `work`. */
  data_files: number;
  /** Files in `work` and in the directory for temporary files. */
  work_files: number;
}

/** The storage that a farm uses for ended jobs. */
export interface Kept {
  /** Jobs that have ended since the start. */
  ended: number;
  failed: number;
  /** Bytes of all tables with their indices, without the write-ahead log, which is recycled. */
  table_bytes: number;
  /** Bytes of the files in the data directory besides the database and `work`. */
  file_bytes: number;
}

export interface Sample {
  /** Hours since the start. */
  at: number;
  kept: Kept;
  /** RabbitMQ is queried less often: the query starts an Erlang VM. */
  figures: Partial<Figures>;
}

/** The name of the sampler's own connection, which does not count. */
const sampler = 'soak';

const brokerQuestion = `
  Queues = rabbit_amqqueue:list(),
  Messages = [proplists:get_value(messages, rabbit_amqqueue:info(Queue, [messages]), 0) || Queue <- Queues],
  [length(rabbit_networking:connections()), length(rabbit_channel:list()), length(Queues), lists:sum(Messages)].`;

/** Where to count. */
export interface Watched {
  nodeReds: NodeRed[];
  database: ClientConfig;
  rabbit: PrivateRabbitMq | undefined;
  /** PLATEWISE_DATA of the Node-REDs, without the database. */
  data: string;
  /** TMPDIR of the Node-REDs. */
  temporary: string;
}

/** Samples the farm from outside and, through the hook, from inside. */
export class Sampler {
  readonly #started = performance.now();
  readonly #watched: Watched;
  readonly #client: Client;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.#client = new Client({ ...watched.database, application_name: sampler });
  }

  async open(): Promise<this> {
    await this.#client.connect();
    return this;
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  /** @param asksBroker whether RabbitMQ is sampled too */
  async take(asksBroker: boolean): Promise<Sample> {
    const { nodeReds, rabbit, data, temporary } = this.#watched;
    const at = (performance.now() - this.#started) / 3_600_000;
    const { kept, ...database } = await this.#askDatabase();
    const processes: ProcessFigures[] = [];
    for (const nodeRed of nodeReds) processes.push((await nodeRed.ask({ count: true })) as ProcessFigures);
    const work = filesBelow(join(data, 'work'));
    const files = filesBelow(data, ['work', 'postgres']);
    return {
      at,
      kept: { ...kept, file_bytes: files.bytes },
      figures: {
        ...sumOf(processes),
        ...database,
        ...(asksBroker && rabbit && (await askBroker(rabbit))),
        data_files: files.count,
        work_files: work.count + filesBelow(temporary).count,
      },
    };
  }

  async #askDatabase() {
    const { rows } = await this.#client.query<Record<string, number>>(
      `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1)::int AS connections,
         (SELECT sum(n_dead_tup) FROM pg_stat_user_tables)::int AS dead,
         (SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables)::float8 AS bytes,
         (SELECT count(*) FROM print_jobs WHERE completed_at IS NOT NULL)::int AS ended,
         (SELECT count(*) FROM print_jobs WHERE status = 'failed')::int AS failed`,
      [sampler],
    );
    const { connections = 0, dead = 0, bytes = 0, ended = 0, failed = 0 } = rows[0] ?? {};
    return {
      postgres_connections: connections,
      dead_tuples: dead,
      kept: { ended, failed, table_bytes: bytes },
    };
  }
}

async function askBroker(rabbit: PrivateRabbitMq) {
  const answer = await rabbit.control('eval', brokerQuestion);
  const [connections = 0, channels = 0, queues = 0, messages = 0] = JSON.parse(answer) as number[];
  return {
    rabbitmq_connections: connections,
    rabbitmq_channels: channels,
    rabbitmq_queues: queues,
    rabbitmq_messages: messages,
  };
}

function sumOf(processes: ProcessFigures[]): ProcessFigures {
  return processes.reduce((sum, one) => {
    const keys = Object.keys(one) as (keyof ProcessFigures)[];
    return Object.fromEntries(keys.map((key) => [key, sum[key] + one[key]])) as unknown as ProcessFigures;
  });
}

/** @param without names directly below that do not count */
function filesBelow(directory: string, without: string[] = []): { count: number; bytes: number } {
  let [count, bytes] = [0, 0];
  if (!existsSync(directory)) return { count, bytes };
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (without.includes(name.split(sep)[0] ?? '')) continue;
    // An entry may have disappeared in the meantime.
    const entry = statSync(join(directory, name), { throwIfNoEntry: false });
    if (!entry?.isFile()) continue;
    count++;
    bytes += entry.size;
  }
  return { count, bytes };
}
