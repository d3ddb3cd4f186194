import { announcePrinter, refinePrinter } from '../../beds/register-printer';
import type { AgentContext } from '../../farm/agent-context';
import type { Farm } from '../../farm/farm';
import { describePrinter, modelOf, type PrinterFacts, slotsFromReport } from '../../makes/describe-printer';
import type { Driver, DriverOptions } from '../../makes/driver';
import type { PrinterModel } from '../../makes/model-table';
import { asError, NotFoundError } from '../../model/errors';
import type { PrinterId } from '../../model/ids';
import type { Log } from '../../model/log';
import type { Make, PrinterCapabilities, PrinterReport, ReportedCapabilities } from '../../model/printer';
import { addDemoMaterials } from '../../stock/demo-materials';
import { findPrinter, type Printer } from '../../store/printers';
import { PrepareAhead } from '../prepare-ahead';
import type { Service } from '../service';
import { PrinterAgent } from './printer-agent';

/** A printer as configured by its owner. */
export interface PrinterSetup {
  id: PrinterId;
  name: string;
  make: Make;
  host: string;
  /** How many times faster than real time its clock runs; 1 for a real machine. */
  timeScale: number;
  /** A simulator: its bed begins clear, and output of the built-in slicer may be sent to it. */
  simulated: boolean;
  /** Whether the owner allows sending it output of the built-in slicer. */
  allowBuiltInSlicer: boolean;
  /** The models of the make, and the assumptions about a printer of which nothing else is known. */
  models: readonly PrinterModel[];
  fallback: PrinterModel;
  /** The owner's configuration; `model` is a token of one of `models`. */
  given: {
    model?: string | undefined;
    capabilities: Partial<PrinterCapabilities>;
    slots?: { slot: string; tool: number }[] | undefined;
  };
  createDriver(base: DriverOptions): Driver;
}

/** One printer of the farm: its driver, the agent that drives its dispatches to their end, and slicing ahead for it. */
export class ServedPrinter implements Service {
  readonly driver: Driver;
  readonly #farm: Farm;
  readonly #setup: PrinterSetup;
  readonly #facts: PrinterFacts;
  readonly #agent: PrinterAgent;
  readonly #ahead: PrepareAhead;
  readonly #log: Log;
  #refined = Promise.resolve();

  private constructor(farm: Farm, setup: PrinterSetup, stored: Printer | undefined, log: Log) {
    this.#farm = farm;
    this.#setup = setup;
    this.#log = log;
    const { given, models, fallback } = setup;
    this.#facts = {
      models,
      fallback,
      chosen: given.model,
      given: given.capabilities,
      stored: stored?.capabilities,
    };
    const first = describePrinter(this.#facts);
    const { model: _assumed, ...certain } = first;
    this.driver = setup.createDriver({
      host: setup.host,
      // The printer can contradict only a model that the owner chose.
      capabilities: given.model === undefined ? certain : first,
      timeScale: setup.timeScale,
      log,
    });
    const context: AgentContext = {
      printerId: setup.id,
      driver: this.driver,
      database: farm.database,
      broker: farm.broker,
      files: farm.files,
      sharesFiles: farm.sharesFiles,
      slicer: (make) => farm.slicer(make),
      ...farm.agentOptions,
      workDirectory: farm.workDirectory,
      simulated: setup.simulated,
      allowUntrusted: setup.simulated || setup.allowBuiltInSlicer,
      log,
      times: farm.times,
    };
    this.#agent = new PrinterAgent(context);
    this.#ahead = new PrepareAhead(farm, {
      printerId: setup.id,
      context,
      wanted: () => this.#agent.serving,
    });
    this.#learnFromReports();
  }

  /** Registers the printer with the farm; it is not connected before `start`. */
  static async announce(farm: Farm, setup: PrinterSetup, log: Log): Promise<ServedPrinter> {
    const stored = await storedPrinter(farm, setup.id);
    const printer = new ServedPrinter(farm, setup, stored, log);
    const { id, name, make, given } = setup;
    // A simulated printer comes with filament.
    if (setup.simulated) await farm.database.transaction(addDemoMaterials);
    await announcePrinter(
      farm,
      {
        id,
        name,
        make,
        capabilities: describePrinter(printer.#facts),
        ...((given.slots || !stored) && { slots: given.slots ?? [...modelOf(printer.#facts).slots] }),
      },
      setup.simulated,
    );
    return printer;
  }

  /** Whether this process, rather than another one, serves the printer. */
  get serving(): boolean {
    return this.#agent.serving;
  }

  async start(): Promise<void> {
    await this.#agent.start();
    await this.#ahead.start();
  }

  async stop(): Promise<void> {
    await this.#ahead.stop();
    await this.#agent.stop();
    await this.#refined;
  }

  /** Stores what the printer reports about itself. */
  #learnFromReports(): void {
    const { id, make, given } = this.#setup;
    let reported: ReportedCapabilities = {};
    let known = '';
    let trouble = '';
    this.driver.on('report', ({ capabilities, slots }: PrinterReport) => {
      reported = { ...reported, ...capabilities };
      const added = given.slots ? [] : slotsFromReport(make, slots);
      const described = describePrinter({ ...this.#facts, reported });
      const now = JSON.stringify([described, added]);
      if (now === known) return;
      known = now;
      this.driver.describe(described);
      this.#refined = this.#refined
        .then(() => refinePrinter(this.#farm, id, described, added))
        .catch((thrown: unknown) => {
          // The next report retries; the same trouble is logged once.
          known = '';
          const { message } = asError(thrown);
          if (message !== trouble)
            this.#log('warn', `The properties that the printer reports could not be stored: ${message}`);
          trouble = message;
        });
    });
  }
}

async function storedPrinter(farm: Farm, id: PrinterId): Promise<Printer | undefined> {
  try {
    return await findPrinter(farm.database, id);
  } catch (thrown) {
    if (thrown instanceof NotFoundError) return undefined;
    throw thrown;
  }
}
