import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Farm } from '../../lib/farm/farm';
import type { FarmOptions } from '../../lib/farm/options';
import type { AgentTimes } from '../../lib/farm/times';
import { tick } from '../../lib/jobs/tick';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import type { ConnectionValues } from '../../lib/makes/make';
import { makeRows } from '../../lib/makes/registry';
import { printerId } from '../../lib/model/ids';
import type { Log } from '../../lib/model/log';
import type { Make } from '../../lib/model/printer';
import type { JobStatus } from '../../lib/model/status';
import { FarmRuntime } from '../../lib/runtime';
import type { PrinterSetup, ServedPrinter } from '../../lib/services/agents/served-printer';
import { type ReadyLine, type RunningSimulator, startSimulator } from '../../lib/simulators';
import { findPrinter } from '../../lib/store/printers';
import { type JobView, jobDetail } from '../../lib/views/queries';
import { embeddedPostgresUrl, temporaryDirectory } from './servers';
import { simulatedLoads } from './simulated-filament';

/** The default farm's printers, each with its make. */
export const defaultPrinters = [
  { id: 'bamboo_h2d', make: 'bambu' },
  { id: 'elegoo_giga', make: 'moonraker' },
  { id: 'snapmaker_artisan', make: 'snapmaker' },
] as const satisfies readonly { id: string; make: Make }[];

/** How a driver connects to a simulator: the fields of its make, and its secret. */
const connectionOf: Readonly<Record<Make, (ready: ReadyLine) => [values: ConnectionValues, secret: string]>> = {
  bambu: ({ serial, ports, ca_file, access_code = '' }) => [
    { serial, mqttPort: ports['mqtt'], ftpsPort: ports['ftps'], caFile: ca_file },
    access_code,
  ],
  moonraker: ({ ports }) => [{ port: ports['http'] }, ''],
  snapmaker: ({ ports }) => [{ port: ports['sacp'] }, 'test-token'],
};

/** A line of a simulator's truth log. */
export interface TruthLine {
  at: string;
  event: string;
  file_name: string | null;
  sha256: string | null;
  size: number | null;
  bed: string;
  accepted?: boolean;
  tools?: { tool: number; material: string | null; grams: number }[];
}

/** A whole farm in this process, without Node-RED: simulators over real sockets, agents, relay and scheduler. */
export class SimulatedFarm {
  readonly directory: string;
  readonly schema: string;
  readonly simulators = new Map<string, RunningSimulator>();
  readonly log: string[] = [];
  farm!: Farm;
  #runtime!: FarmRuntime;
  #served: ServedPrinter[] = [];
  #ticking: Promise<void> = Promise.resolve();
  readonly #options: {
    speed?: number;
    times?: Partial<AgentTimes>;
    farm?: Partial<FarmOptions>;
    printers?: readonly string[];
  };

  constructor(
    options: {
      speed?: number;
      times?: Partial<AgentTimes>;
      farm?: Partial<FarmOptions>;
      printers?: readonly string[];
    } = {},
  ) {
    this.#options = options;
    this.directory = temporaryDirectory('farm');
    this.schema = `test_${randomUUID().replaceAll('-', '')}`;
  }

  get printers(): { id: string; make: Make }[] {
    return defaultPrinters.filter(({ id }) => this.#options.printers?.includes(id) ?? true);
  }

  async start(): Promise<this> {
    for (const { id, make } of this.printers) {
      this.simulators.set(
        id,
        await startSimulator(make, {
          dataDir: join(this.directory, 'simulators', id),
          speed: this.#options.speed ?? 2000,
          operator: 'immediate',
          loads: simulatedLoads[make],
        }),
      );
    }
    await this.startFarm();
    await this.online();
    return this;
  }

  /** Everything except the printers. */
  async startFarm(): Promise<void> {
    this.#runtime = await FarmRuntime.open({
      dataDirectory: this.directory,
      databaseUrl: await embeddedPostgresUrl(),
      schema: this.schema,
      log: (level, message) => this.log.push(`${level} ${message}`),
      times: {
        leaseSeconds: 3,
        askAgainSeconds: 0.5,
        lookForJobSeconds: 3,
        connectSeconds: 10,
        startCommandSeconds: 10,
        ...this.#options.times,
      },
      ...this.#options.farm,
    });
    this.farm = this.#runtime.farm;
    await this.#runtime.run({ planEverySeconds: 1 });
    for (const { id, make } of this.printers) await this.serve(id, make);
  }

  /** Dispatches everything that can start now, without waiting for the next plan. */
  schedule(): void {
    this.#ticking = this.#ticking.then(async () => {
      try {
        await tick(this.farm, undefined, 'scheduler');
      } catch (error) {
        this.log.push(`error tick: ${String(error)}`);
      }
    });
  }

  /** Serves one more printer, until the farm is stopped. */
  async serve(id: string, make: Make): Promise<void> {
    const log: Log = (level, message) => this.log.push(`${level} ${id}: ${message}`);
    this.#served.push(await this.#runtime.serve(this.#setupOf(id, make), log));
  }

  /** Removes the printers' nodes, while the rest of the farm continues. */
  async stopAgents(): Promise<void> {
    for (const printer of this.#served.splice(0)) await this.#runtime.remove(printer);
  }

  #setupOf(id: string, make: Make): PrinterSetup {
    const { models, nodeTypes } = makeRows[make];
    // The simulated Bambu is an H2D.
    const fallback = models.find(({ token }) => token === 'O1D') ?? nodeTypes[0].fallback;
    return {
      id: printerId(id),
      name: id,
      make,
      host: '127.0.0.1',
      timeScale: this.#options.speed ?? 2000,
      simulated: true,
      allowBuiltInSlicer: false,
      models,
      fallback,
      given: { capabilities: {} },
      createDriver: (base) => this.driverOf(id, make, base),
    };
  }

  driverOf(id: string, make: Make, base: DriverOptions): Driver {
    const ready = this.simulators.get(id)?.ready;
    if (!ready) throw new Error(`There is no simulator ${id}.`);
    return makeRows[make].createDriver(base, ...connectionOf[make](ready));
  }

  /** Stops everything except the printers, as an orderly shutdown does. */
  async stopFarm(): Promise<void> {
    await this.#ticking;
    this.#served = [];
    await this.#runtime.close();
  }

  async stop(): Promise<void> {
    const { database } = this.farm;
    await this.#ticking;
    await this.#runtime.stop();
    await database.query(`DROP SCHEMA ${database.schema} CASCADE`);
    await this.#runtime.close();
    for (const simulator of this.simulators.values()) await simulator.close();
  }

  /** Resolves when the job shows one of these statuses (or fulfils `until`). */
  async until(jobId: string, wanted: JobStatus | ((job: JobView) => boolean)): Promise<JobView> {
    const satisfied = (job: JobView): boolean => (typeof wanted === 'string' ? job['status'] === wanted : wanted(job));
    let wake: () => void = () => undefined;
    const off = await this.farm.database.listen(() => wake());
    try {
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const job = await jobDetail(this.farm, jobId);
        if (satisfied(job)) return job;
        await changed;
      }
    } finally {
      off();
    }
  }

  /** Resolves when every printer is online. */
  async online(): Promise<void> {
    for (const { id } of this.printers) {
      while (!(await findPrinter(this.farm.database, id)).online)
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The printer's own log. */
  truth(id: string): TruthLine[] {
    const path = this.simulators.get(id)?.ready.truth_log ?? '';
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TruthLine);
  }
}
