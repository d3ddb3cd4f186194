import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentContext, AgentTimes } from '../../lib/services/agents/context';
import { PrinterAgent } from '../../lib/services/agents/printer-agent';
import { Farm, type FarmOptions } from '../../lib/farm/farm';
import { PrepareAhead } from '../../lib/services/prepare-ahead';
import { type JobView, jobDetail } from '../../lib/views/queries';
import { announcePrinter } from '../../lib/beds/register-printer';
import { OutboxRelay } from '../../lib/services/relay';
import { tick } from '../../lib/jobs/tick';
import { printerId } from '../../lib/model/ids';
import type { Make } from '../../lib/model/printer';
import type { JobStatus } from '../../lib/model/status';
import { createBambuDriver } from '../../lib/makes/bambu/driver';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import { createMoonrakerDriver } from '../../lib/makes/moonraker/driver';
import { createSnapmakerDriver } from '../../lib/makes/snapmaker/driver';
import { type RunningSimulator, startSimulator } from '../../lib/simulators';
import { findPrinter } from '../../lib/store/printers';
import { embeddedPostgresUrl, temporaryDirectory } from './servers';
import { simulatedLoads } from './simulated-filament';

/** The default farm's printers, each with its make. */
export const defaultPrinters = [
  { id: 'bamboo_h2d', make: 'bambu' },
  { id: 'elegoo_giga', make: 'moonraker' },
  { id: 'snapmaker_artisan', make: 'snapmaker' },
] as const satisfies readonly { id: string; make: Make }[];

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
  #agents: PrinterAgent[] = [];
  readonly #ahead: PrepareAhead[] = [];
  #relay: OutboxRelay | undefined;
  #unlisten: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> = Promise.resolve();
  readonly #options: {
    speed?: number;
    times?: Partial<AgentTimes>;
    farm?: Partial<FarmOptions>;
    printers?: readonly string[];
    /** Whether jobs are sliced before their time. */
    prepareAhead?: boolean;
  };

  constructor(
    options: {
      speed?: number;
      times?: Partial<AgentTimes>;
      farm?: Partial<FarmOptions>;
      printers?: readonly string[];
      /** Whether jobs are sliced before their time. */
      prepareAhead?: boolean;
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
    return this;
  }

  /** Everything but the printers. */
  async startFarm(): Promise<void> {
    this.farm = await Farm.open({
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
    this.#relay = new OutboxRelay(this.farm);
    await this.#relay.start();
    for (const { id, make } of this.printers) this.#agents.push(await this.startAgent(id, make));
    this.#unlisten = await this.farm.database.listen((payload) => {
      if (payload === 'plan') this.schedule();
    });
    this.#timer = setInterval(() => this.schedule(), 1000);
    this.schedule();
  }

  /** Makes true what can start now. */
  schedule(): void {
    this.#ticking = this.#ticking.then(async () => {
      try {
        await tick(this.farm, undefined, 'scheduler');
      } catch (error) {
        this.log.push(`error tick: ${String(error)}`);
      }
    });
  }

  /** Has one more printer served, until the farm is stopped. */
  async serve(id: string, make: Make): Promise<void> {
    this.#agents.push(await this.startAgent(id, make));
  }

  /** The printers' nodes are gone, and the rest of the farm goes on. */
  async stopAgents(): Promise<void> {
    for (const agent of this.#agents.splice(0)) await agent.stop();
  }

  async startAgent(id: string, make: Make): Promise<PrinterAgent> {
    const printer = await announcePrinter(this.farm, { id: printerId(id), name: id, make }, true);
    const driver = this.driverOf(id, make, {
      host: '127.0.0.1',
      capabilities: printer.capabilities,
      timeScale: this.#options.speed ?? 2000,
      log: (level, message) => this.log.push(`${level} ${id}: ${message}`),
    });
    const context: AgentContext = {
      printerId: printerId(id),
      driver,
      database: this.farm.database,
      broker: this.farm.broker,
      files: this.farm.files,
      sharesFiles: this.farm.sharesFiles,
      slicer: (make) => this.farm.slicer(make),
      ...this.farm.agentOptions,
      workDirectory: this.farm.workDirectory,
      allowUntrusted: true,
      simulated: true,
      log: (level, message) => this.log.push(`${level} ${id}: ${message}`),
      times: this.farm.times,
    };
    const agent = new PrinterAgent(context);
    await agent.start();
    if (this.#options.prepareAhead) {
      const ahead = new PrepareAhead(this.farm, { printerId: context.printerId, context, wanted: () => agent.serving });
      await ahead.start();
      this.#ahead.push(ahead);
    }
    return agent;
  }

  driverOf(id: string, make: Make, base: DriverOptions): Driver {
    const ready = this.simulators.get(id)?.ready;
    if (!ready) throw new Error(`There is no simulator ${id}.`);
    const port = (name: string): number => ready.ports[name] ?? 0;
    switch (make) {
      case 'bambu':
        return createBambuDriver({
          ...base,
          serial: ready.serial ?? '',
          accessCode: ready.access_code ?? '',
          mqttPort: port('mqtt'),
          ftpsPort: port('ftps'),
          caFile: ready.ca_file ?? '',
        });
      case 'moonraker':
        return createMoonrakerDriver({ ...base, port: port('http') });
      case 'snapmaker':
        return createSnapmakerDriver({ ...base, port: port('sacp'), token: `test-${id}` });
    }
  }

  async #stopAhead(): Promise<void> {
    for (const ahead of this.#ahead.splice(0)) await ahead.stop();
  }

  /** Ends everything but the printers, as an orderly shutdown does. */
  async stopFarm(): Promise<void> {
    clearInterval(this.#timer);
    this.#unlisten?.();
    await this.#ticking;
    await this.#stopAhead();
    for (const agent of this.#agents) await agent.stop();
    this.#agents = [];
    await this.#relay?.stop();
    await this.farm.close();
  }

  async stop(): Promise<void> {
    await this.farm.database.query(`SELECT 1`);
    const { database } = this.farm;
    clearInterval(this.#timer);
    this.#unlisten?.();
    await this.#ticking;
    await this.#stopAhead();
    for (const agent of this.#agents) await agent.stop();
    await this.#relay?.stop();
    await database.query(`DROP SCHEMA ${database.schema} CASCADE`);
    await this.farm.close();
    for (const simulator of this.simulators.values()) await simulator.close();
  }

  /** Resolves when the job shows one of these statuses (or anything else that `until` accepts). */
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

  /** What the printer's own log says. */
  truth(id: string): TruthLine[] {
    const path = this.simulators.get(id)?.ready.truth_log ?? '';
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TruthLine);
  }
}
