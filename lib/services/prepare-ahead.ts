import type { Farm } from '../farm/farm';
import { fittingSlot, toolsFor } from '../fit/judge';
import { asError } from '../model/errors';
import type { JobId, PrinterId } from '../model/ids';
import { plannedForAll } from '../schedule/plan';
import { TurnsBusyError } from '../slicing/turns';
import { findJob } from '../store/jobs';
import { findMaterial } from '../store/materials';
import { findPrinter } from '../store/printers';
import { type PreparingContext, preparedPrint } from './agents/prepared-print';

/** How many jobs at the head of a printer's plan are prepared ahead. */
const headOfPlan = 2;
/** A change of the plan is often followed by another (ms). */
const settleMs = 250;
/** Interval after which the plan is checked without a notification (ms). */
const roundMs = 30_000;
/** Delay before a failed preparation is tried again (ms): the attempt itself reports the reason. */
const pauseAfterFailureMs = 10 * 60_000;

/**
 * Prepares the print files of the jobs that the plan gives a printer next, while it prints, waits for its bed to be cleared,
 * or waits for anything else, so that a start does not wait for the slicer. Slices only while no attempt needs a slicer, and yields
 * immediately.
 */
export class PrepareAhead {
  readonly #farm: Farm;
  readonly #printerId: PrinterId;
  readonly #context: PreparingContext;
  readonly #wanted: () => boolean;
  readonly #failedAt = new Map<JobId, number>();
  readonly #abort = new AbortController();
  #unlisten: (() => void) | undefined;
  #rounds: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;

  /** @param options.wanted whether this process serves the printer; other processes do not prepare files for it */
  constructor(farm: Farm, options: { printerId: PrinterId; context: PreparingContext; wanted: () => boolean }) {
    this.#farm = farm;
    this.#printerId = options.printerId;
    this.#context = options.context;
    this.#wanted = options.wanted;
  }

  async start(): Promise<void> {
    this.#unlisten = await this.#farm.database.listen((payload) => {
      if (payload === 'plan') this.#lookSoon();
    });
    this.#rounds = setInterval(() => this.#lookSoon(), roundMs);
    this.#lookSoon();
  }

  /** Aborts the current work immediately. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('The farm is closing.'));
    clearInterval(this.#rounds);
    clearTimeout(this.#soon);
    this.#unlisten?.();
    await this.#round;
  }

  #lookSoon(): void {
    if (this.#round) this.#again = true;
    else this.#soon ??= setTimeout(() => this.#look(), settleMs);
  }

  #look(): void {
    this.#soon = undefined;
    if (this.#abort.signal.aborted) return;
    this.#again = false;
    this.#round = this.#prepareHead()
      .catch((error: unknown) => {
        if (error instanceof TurnsBusyError || this.#abort.signal.aborted) return;
        this.#farm.log('debug', `Nothing was prepared ahead for ${this.#printerId}: ${asError(error).message}`);
      })
      .finally(() => {
        this.#round = undefined;
        if (this.#again) this.#lookSoon();
      });
  }

  async #prepareHead(): Promise<void> {
    if (!this.#wanted()) return;
    const { plan, snapshot } = await plannedForAll(this.#farm);
    const place = snapshot.printers.find(({ id }) => id === this.#printerId);
    if (!place) return;
    const mine = plan.lines.filter((line) => line.printerId === this.#printerId).map((line) => line.jobId);
    for (const id of [...new Set(mine)].slice(0, headOfPlan)) {
      const failedAt = this.#failedAt.get(id);
      if (failedAt !== undefined && performance.now() - failedAt < pauseAfterFailureMs) continue;
      const job = snapshot.jobs.find((one) => one.id === id);
      // The filament may not be loaded yet: it will go where it can be fed from.
      const tool = job && (fittingSlot(job, place)?.tool ?? toolsFor(job, place)[0]);
      if (tool !== undefined) await this.#prepare(id, tool);
    }
  }

  async #prepare(id: JobId, tool: number): Promise<void> {
    const { database } = this.#farm;
    const job = await findJob(database, id);
    const material = await findMaterial(database, job.materialId);
    if (!material) return;
    try {
      const { reused } = await preparedPrint(
        this.#context,
        job,
        material,
        await findPrinter(database, this.#printerId),
        tool,
        { signal: this.#abort.signal, progress: () => undefined, background: true },
      );
      if (!reused) this.#farm.log('info', `"${job.jobName}" is sliced ahead for ${this.#printerId}.`);
    } catch (error) {
      if (!(error instanceof TurnsBusyError)) this.#failedAt.set(id, performance.now());
      throw error;
    }
  }
}
