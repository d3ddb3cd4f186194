import { Farm } from './farm/farm';
import type { FarmOptions } from './farm/options';
import { spoolmanChore } from './integrations/spoolman';
import { afterRestore } from './jobs/restored';
import { parseTickPlan, tick } from './jobs/tick';
import { asError } from './model/errors';
import type { Log } from './model/log';
import { type PrinterSetup, ServedPrinter } from './services/agents/served-printer';
import { Dispatcher } from './services/dispatcher';
import { FileOffers } from './services/file-offers';
import { chores } from './services/maintenance';
import { Maintenance } from './services/maintenance/maintenance';
import { PlannerService } from './services/planner';
import type { Service } from './services/service';

/** What a farm runs on its own besides its chores. Nodes choose their services themselves; every other host runs all of them. */
export interface FarmWork {
  /** The printers to serve. */
  printers?: readonly PrinterSetup[];
  /** Receives the events of the printers; the farm's own log if absent. */
  log?: Log;
  /** Seconds between plans when nothing happens. */
  planEverySeconds?: number;
}

/** Opens the parts of a farm (database, broker, files) without starting any service. */
export function openFarm(options: FarmOptions): Promise<Farm> {
  return Farm.open(options, afterRestore);
}

/** A whole farm in one process: its parts and its services, in the order in which they were started. */
export class FarmRuntime {
  readonly farm: Farm;
  readonly #services: Service[] = [];
  #closing: Promise<void> | undefined;

  private constructor(farm: Farm) {
    this.farm = farm;
  }

  /** Opens a farm and starts the services of every process: its chores, and serving files to other processes. */
  static async open(options: FarmOptions): Promise<FarmRuntime> {
    const runtime = new FarmRuntime(await openFarm(options));
    const { farm } = runtime;
    const { spoolmanUrl } = options;
    const all = spoolmanUrl === undefined ? chores : [...chores, spoolmanChore(spoolmanUrl)];
    try {
      await runtime.add(new FileOffers(farm));
      await runtime.add(new Maintenance(farm, all));
    } catch (error) {
      await runtime.close();
      throw error;
    }
    return runtime;
  }

  /** Starts a service that stops when the farm closes. */
  async add<One extends Service>(service: One): Promise<One> {
    if (this.#closing) throw new Error('The farm is closing.');
    this.#services.push(service);
    await service.start();
    // The farm may have been closed meanwhile.
    if (this.#closing) await service.stop();
    return service;
  }

  /** Stops one service before the others. */
  async remove(service: Service): Promise<void> {
    const at = this.#services.indexOf(service);
    if (at !== -1) this.#services.splice(at, 1);
    await service.stop();
  }

  /** Registers a printer and serves it. */
  async serve(setup: PrinterSetup, log: Log = this.farm.log): Promise<ServedPrinter> {
    return this.add(await ServedPrinter.announce(this.farm, setup, log));
  }

  /** Runs the whole farm: plans, dispatches the plan, publishes, and serves the printers. */
  async run({ printers = [], log, planEverySeconds }: FarmWork = {}): Promise<void> {
    const { farm } = this;
    const failed = (error: Error): void => farm.log('error', `The queue could not be planned: ${error.message}`);
    await this.add(new Dispatcher(farm));
    for (const setup of printers) await this.serve(setup, log);
    const planned = async (plan: unknown): Promise<void> => void (await tick(farm, parseTickPlan(plan), 'scheduler'));
    await this.add(
      new PlannerService(farm, {
        ...(planEverySeconds !== undefined && { seconds: planEverySeconds }),
        planned,
        failed,
      }),
    );
  }

  /** Stops all services in reverse order of their start; the farm stays open. */
  async stop(): Promise<void> {
    for (const service of this.#services.splice(0).reverse()) {
      await service.stop().catch((error: unknown) => this.farm.log('warn', asError(error).message));
    }
  }

  /** Stops everything and closes the farm. */
  close(): Promise<void> {
    this.#closing ??= this.stop().then(() => this.farm.close());
    return this.#closing;
  }
}
