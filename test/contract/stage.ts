import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Driver, isSameJob, type JobTrace, type StartOrder } from '../../lib/makes/driver';
import type { PrinterReport } from '../../lib/model/printer';
import { startSimulator } from '../../lib/simulators';
import type { RunningSimulator, SimulatorOptions } from '../../lib/simulators/simulator';
import { connectionWhere, orderFor, permit, reportWhere, temporaryDirectory } from '../makes/fixtures';
import { simulatedLoads } from '../support/simulated-filament';
import type { Subject } from './subjects';

/** One simulated printer with a connected driver, for one test. */
export class Stage {
  private constructor(
    readonly subject: Subject,
    readonly simulator: RunningSimulator,
    readonly speed: number,
    public driver: Driver,
    private readonly directory: { path: string; remove(): Promise<void> },
  ) {}

  /** @param more further options of the simulator */
  static async set(subject: Subject, speed: number, more: Partial<SimulatorOptions> = {}): Promise<Stage> {
    const directory = await temporaryDirectory();
    const dataDir = join(directory.path, 'simulator');
    const simulator = await startSimulator(subject.make, {
      dataDir,
      speed,
      loads: simulatedLoads[subject.make],
      ...subject.simulator,
      ...more,
    });
    const driver = subject.driver(simulator, { timeScale: speed });
    return new Stage(subject, simulator, speed, driver, directory);
  }

  async strike(): Promise<void> {
    await this.driver.close();
    await this.simulator.close();
    await this.directory.remove();
  }

  /** Replaces the current driver. */
  async recast(options: Partial<Parameters<Subject['driver']>[1]>): Promise<void> {
    await this.driver.close();
    this.driver = this.subject.driver(this.simulator, { timeScale: this.speed, ...options });
  }

  async connect(): Promise<void> {
    this.driver.open();
    await connectionWhere(this.driver, 'connected', 20_000);
  }

  async order(seconds = 1200): Promise<StartOrder> {
    const { extension, slot } = this.subject;
    const file = await this.subject.file(seconds);
    return orderFor(this.directory.path, file, { extension, slots: [slot], estimatedSeconds: seconds });
  }

  /** An order for the last tool of the printer, fed by its slot. */
  async orderOfLastTool(seconds: number): Promise<StartOrder> {
    const { extension, lastTool } = this.subject;
    const file = await lastTool.file(seconds);
    const options = { extension, slots: [lastTool.slot], estimatedSeconds: seconds };
    return { ...(await orderFor(this.directory.path, file, options)), tool: lastTool.tool };
  }

  upload(wanted: StartOrder, progress: (part: number) => void = () => {}): Promise<void> {
    return this.driver.upload(wanted, { signal: new AbortController().signal, progress });
  }

  /** An order of this length, uploaded and started. */
  async running(seconds?: number): Promise<StartOrder> {
    const wanted = await this.order(seconds);
    await this.upload(wanted);
    await this.driver.start(wanted, permit());
    return wanted;
  }

  reportWhere(condition: (report: PrinterReport) => boolean, ms?: number): Promise<PrinterReport> {
    return reportWhere(this.driver, condition, ms);
  }

  /** The report that shows how the job ended. */
  ended(wanted: StartOrder, ms = 35_000): Promise<PrinterReport> {
    return this.reportWhere((report) => report.ending !== null && isSameJob(wanted.identity, report.job), ms);
  }

  /** The driver's verdict on a job, in two words. */
  async traced(wanted: StartOrder): Promise<string> {
    const trace: JobTrace = await this.driver.trace(wanted);
    return trace.verdict === 'ended' ? `ended ${trace.ending}` : trace.verdict;
  }

  /** The simulator's truth log. */
  truth(): {
    event: string;
    file_name?: string;
    sha256?: string;
    size?: number;
    tools?: { tool: number; material: string | null; grams: number }[];
  }[] {
    return readFileSync(this.simulator.ready.truth_log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  /** How often an event really happened to the file of an order. */
  count(wanted: StartOrder, event: string): number {
    return this.truth().filter((entry) => entry.event === event && entry.file_name === wanted.identity.fileName).length;
  }
}
