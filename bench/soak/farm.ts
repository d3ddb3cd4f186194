import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FarmApi } from '../../test/faults/farm-api';
import { FarmFloor } from '../../test/faults/farm-floor';
import type { FilledSlot } from '../../test/faults/filament';
import { type ModelFile, writePrintFiles } from '../../test/faults/model-files';
import { Operator } from '../../test/faults/operator';
import { Random } from '../../test/faults/random';
import { connectionTo, PrivatePostgres, privateBroker } from '../../test/faults/servers';
import { copyPackage, NodeRed, secrets } from '../../test/faults/system';
import type { PrivateRabbitMq } from '../../test/support/private-rabbitmq';
import { freePort } from '../../test/support/servers';
import type { Watched } from './samples';

export type Pair = 'rabbitmq' | 'embedded';

export interface FarmOptions {
  seed: number;
  pair: Pair;
  printers: number;
  speed: number;
  /** The built package under test. */
  packageRoot: string;
  /** The directory for everything that the run writes. */
  directory: string;
}

/** The speed of the tool in the G-code (mm/min): prints of two to five hours, so that a printer prints most of the time. */
const feed = 30;
/** The campaign's files that are not needed: each further file is sliced and kept for every printer, which takes longer than the warm-up. */
const leftOut = ['slab', 'PLA-40', 'PETG-40'];
/** The operator's pause between two rounds (ms): the run measures the system, not the operator's requests. */
const operatorRest = 2000;
/** The interval between checks for missing jobs (ms). */
const submitEvery = 1000;
/** The number of open jobs, including those on printers. */
const jobsPerPrinter = 2.5;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A farm without injected faults: the campaign's printers, operator and processes, without a wire in between. */
export class SteadyFarm {
  readonly #options: FarmOptions;
  readonly #floor = new FarmFloor();
  readonly #nodeReds: NodeRed[] = [];
  readonly #ends: (() => Promise<void> | void)[] = [];
  #api = new FarmApi([]);
  #rabbit: PrivateRabbitMq | undefined;
  #files: (ModelFile & { stlPath: string })[] = [];
  #submitting: Promise<void> | undefined;
  #failure: Error | undefined;
  #over = false;

  constructor(options: FarmOptions) {
    this.#options = options;
  }

  /** Opens everything, waits for the printers and starts working. */
  async open(): Promise<Watched> {
    const { directory, pair, speed, printers } = this.#options;
    const temporary = join(directory, 'tmp');
    mkdirSync(temporary, { recursive: true });
    const packageRoot = copyPackage(this.#options.packageRoot, join(directory, 'package'));
    cpSync(join(this.#options.packageRoot, 'dist', 'bench', 'soak'), join(packageRoot, 'dist', 'bench', 'soak'), {
      recursive: true,
    });
    await this.#floor.open(packageRoot, join(directory, 'printers'), speed, printers);
    this.#ends.push(() => this.#floor.close());
    const data = join(directory, 'data');
    const common = { PLATEWISE_DATA: data, TMPDIR: temporary, ...secrets(this.#floor.printers) };
    const servers = pair === 'rabbitmq' ? await this.#openServers() : {};
    for (let number = 1; number <= (pair === 'rabbitmq' ? 2 : 1); number++) {
      const nodeRed = new NodeRed({
        name: `node-red-${number}`,
        directory,
        packageRoot,
        port: await freePort(),
        printers: this.#floor.printers,
        speed,
        environment: () => ({ ...common, ...servers }),
        hook: join(packageRoot, 'dist', 'bench', 'soak', 'hook.js'),
      });
      this.#nodeReds.push(nodeRed);
      this.#ends.push(() => nodeRed.end('SIGTERM'));
      nodeRed.start();
    }
    this.#api = new FarmApi(this.#nodeReds);
    await this.#api.untilOnline(this.#floor.printers);
    await this.#api.bookFilament(this.#floor.printers);
    for (const file of await writePrintFiles(directory, feed)) {
      if (leftOut.includes(file.name)) continue;
      this.#files.push({ ...file, stlPath: await this.#api.upload(file.path) });
    }
    this.#work();
    return {
      nodeReds: this.#nodeReds,
      database: connectionTo(pair === 'embedded' ? join(data, 'postgres') : join(directory, 'postgres')),
      rabbit: this.#rabbit,
      data,
      temporary,
    };
  }

  /** @throws Error a Node-RED has exited by itself, or a job was rejected */
  check(): void {
    if (this.#failure) throw this.#failure;
    const ended = this.#nodeReds.find(({ running }) => !running);
    if (ended) throw new Error(ended.crashes[0] ?? `${ended.name} has ended.\n${ended.log.slice(-3000)}`);
  }

  async close(): Promise<void> {
    this.#over = true;
    await this.#submitting;
    for (const end of this.#ends.reverse()) await end();
  }

  async #openServers(): Promise<Record<string, string>> {
    const { directory } = this.#options;
    const rabbit = await privateBroker(join(directory, 'rabbitmq'));
    this.#rabbit = rabbit;
    this.#ends.push(() => rabbit.close());
    await rabbit.start();
    const postgres = await new PrivatePostgres(join(directory, 'postgres')).start();
    this.#ends.push(() => postgres.stop());
    const { host, port } = connectionTo(join(directory, 'postgres'));
    const socket = encodeURIComponent(String(host));
    return { DATABASE_URL: `postgres://platewise@/postgres?host=${socket}&port=${port}`, AMQP_URL: rabbit.url };
  }

  /** Jobs, an operator, and a listener to the events of each Node-RED. */
  #work(): void {
    const operator = new Operator(this.#api, this.#floor, operatorRest);
    operator.start();
    this.#ends.push(() => operator.stop());
    this.#submitting = this.#submitJobs().catch((error: Error) => {
      this.#failure = error;
    });
    const leaving = new AbortController();
    this.#ends.push(() => leaving.abort());
    for (const { url } of this.#nodeReds) void listen(`${url}/events`, leaving.signal);
  }

  async #submitJobs(): Promise<void> {
    const random = new Random(this.#options.seed);
    const first = this.#eachPrintOnce(random);
    for (let number = 1; !this.#over; ) {
      const { status, body } = await this.#api.call('GET', '/queue?limit=1', { limit: 10_000 });
      const missing = this.#options.printers * jobsPerPrinter - Number(body['total_jobs']);
      for (let left = status === 200 ? missing : 0; left > 0 && !this.#over; left--) {
        const job = { ...(first.pop() ?? this.#draw(random)), job_name: `soak ${number++}` };
        const answer = await this.#api.call('POST', '/jobs', { body: job });
        if (answer.status !== 201 && answer.status !== 0) {
          throw new Error(`A job was answered ${answer.status} ${JSON.stringify(answer.body)}`);
        }
      }
      await pause(submitEvery);
    }
  }

  /**
   * Every file in every slot of every printer that it fits, in any order. A print file is made once for each and kept, so after these
   * jobs no new files are made: the ones that still appear are leftovers.
   */
  #eachPrintOnce(random: Random) {
    const jobs = this.#floor.printers.flatMap((printer) =>
      printer.slots.flatMap((slot) =>
        this.#files
          .filter(({ fits }) => fits(printer.make, slot))
          .map((file) => ({ order: random.next(), job: { ...jobOf(file, slot), force_printer: printer.id } })),
      ),
    );
    return jobs.sort((a, b) => a.order - b.order).map(({ job }) => job);
  }

  /** A job for a slot of a printer, with a file that can be printed from it. */
  #draw(random: Random) {
    const printer = Random.pick(this.#floor.printers, random.next());
    const slot = Random.pick(printer?.slots ?? [], random.next());
    const fitting = this.#files.filter(({ fits }) => printer && slot && fits(printer.make, slot));
    const file = Random.pick(fitting, random.next());
    if (!slot || !file) throw new Error('No file fits the printers.');
    return jobOf(file, slot);
  }
}

/** Without a priority of its own: otherwise the queue fills up with jobs that are never the next, for longer than the warm-up. */
function jobOf(file: { stlPath: string }, slot: FilledSlot) {
  return {
    stl_path: file.stlPath,
    material_id: slot.material,
    accept_unknown_machine: true,
    max_retries: 3,
  };
}

/** Reads events as a dashboard does; reconnects when the stream has ended or was rejected. */
async function listen(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal });
      for await (const _ of response.body ?? []);
    } catch {
      await pause(1000);
    }
  }
}
