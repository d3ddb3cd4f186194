import { randomUUID } from 'node:crypto';
import { ConditionWatch } from '../../beds/printer-condition';
import { parseDispatchMessage } from '../../contracts/messages';
import { type AgentContext, agentName } from '../../farm/agent-context';
import { showPhase } from '../../jobs/show-phase';
import type { IncomingMessage, Subscription, Verdict } from '../../messaging/broker';
import { asError } from '../../model/errors';
import { preparationBy } from '../../slicing/slicer';
import { type Attempt, type Claim, claimAttempt, findAttempt, orphanOf } from '../../store/attempts';
import { findJob, lockJob } from '../../store/jobs';
import { storePreparation } from '../../store/printers';
import { AttemptRun } from './attempt-run';
import { Lease } from './lease';
import { PrinterWatch } from './printer-watch';
import { WishKeeper } from './wish-keeper';

/** How often an agent asks whether it may serve the printer, and looks for attempts without a holder (ms). */
const roundInterval = 2000;

/**
 * Takes one printer's dispatches to their end, the same way for every make. A dispatch is acknowledged once its claim
 * is committed; from then on the attempt's lease keeps it, and whoever finds it without a holder takes it up.
 *
 * Of several agents of one printer, in whatever processes, one serves it; the others stand by and do not even connect
 * to it, because some printers have room for one client only.
 */
export class PrinterAgent {
  readonly #context: AgentContext;
  readonly #owner = randomUUID();
  readonly #watch: PrinterWatch;
  readonly #conditions: ConditionWatch;
  readonly #wishes: WishKeeper;
  readonly #lock: string;
  #serving = false;
  #run: { run: AttemptRun; lease: Lease; done: Promise<void> } | undefined;
  #subscription: Subscription | undefined;
  #unlisten: (() => void) | undefined;
  #rounds: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #started = false;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#watch = new PrinterWatch(context);
    this.#conditions = new ConditionWatch(context);
    this.#wishes = new WishKeeper(context);
    this.#lock = `printer ${context.printerId}`;
  }

  /** Whether this agent is the one that serves the printer; others stand by. */
  get serving(): boolean {
    return this.#serving;
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    this.#rounds = setInterval(() => this.#goRound(), roundInterval);
    this.#goRound();
    await this.#round;
  }

  /** Lets go of everything; a print that runs goes on at the printer and is taken up by the next agent. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    clearInterval(this.#rounds);
    // An attempt that is being prepared is not waited for.
    this.#run?.run.stop();
    await this.#round;
    await this.#standBy(true);
    await this.#context.database.locks.release(this.#lock);
  }

  /** Takes the printer if nobody serves it, leaves it to another who does, and looks for what has no holder. */
  #goRound(): void {
    this.#round ??= (async () => {
      try {
        const mine = await this.#context.database.locks.hold(this.#lock);
        if (mine && !this.#serving && this.#started) {
          await this.#serve().catch(async (error: unknown) => {
            await this.#standBy(true);
            throw error;
          });
        }
        if (!mine && this.#serving) await this.#standBy(false);
        if (this.#serving) void this.#wishes.look();
        if (this.#serving) await this.#takeUpOrphan();
      } catch (error) {
        // While it is not known who serves the printer everything stays as it is; fencing keeps that harmless.
        this.#context.log('warn', `The agent could not make sure of its printer: ${asError(error).message}`);
      }
    })().finally(() => {
      this.#round = undefined;
    });
  }

  async #serve(): Promise<void> {
    const { broker, database, driver, printerId } = this.#context;
    this.#serving = true;
    await this.#conditions.start();
    this.#watch.start();
    void this.#reportPreparation();
    driver.open();
    this.#unlisten = await database.listen((payload) => this.#onNotification(payload));
    this.#subscription = await broker.consumeJobs(printerId, (message) => this.#onDispatch(message));
  }

  /** Stores how print files are made here, so that what cannot be prepared is refused at its submission. Never rejects. */
  async #reportPreparation(): Promise<void> {
    const { database, driver, printerId, allowUntrusted, slicer, log } = this.#context;
    try {
      await storePreparation(database, printerId, preparationBy((await slicer(driver.make)).slicer, allowUntrusted));
    } catch (error) {
      log('warn', `It is not known how files for ${printerId} can be prepared: ${asError(error).message}`);
    }
  }

  async #standBy(farewell: boolean): Promise<void> {
    if (!this.#serving) return;
    this.#serving = false;
    this.#unlisten?.();
    this.#conditions.stop();
    const running = this.#run;
    running?.run.stop();
    // The printer is let go whatever the broker does: it may have room for one client only, and another agent waits.
    await Promise.all([this.#context.driver.close(), this.#subscription?.cancel()]);
    await running?.done;
    await this.#watch.stop(farewell);
  }

  #onNotification(payload: string): void {
    const { driver, printerId } = this.#context;
    if (payload === `wish:${printerId}`) {
      void this.#wishes.look(true);
      return;
    }
    if (payload === `identity:${printerId}`) {
      driver.reset();
      return;
    }
    const running = this.#run;
    if (!running) return;
    if (payload === `attempt:${running.run.attemptId}` || payload === 'reconnected') {
      running.run.look().catch((error: unknown) => this.#context.log('warn', asError(error).message));
    }
  }

  async #onDispatch(incoming: IncomingMessage): Promise<Verdict> {
    let message: ReturnType<typeof parseDispatchMessage>;
    try {
      message = parseDispatchMessage(incoming.body);
    } catch (error) {
      this.#context.log(
        'error',
        `A dispatch could not be read and was put among the dead letters: ${asError(error).message}`,
      );
      return 'reject';
    }
    if (message.attempt.printer_id !== this.#context.printerId) return 'reject';
    const attempt = await findAttempt(this.#context.database, message.attempt.attempt_id);
    // Delivered twice, withdrawn or cancelled meanwhile: there is nothing to claim.
    if (attempt?.phase !== 'dispatched') return 'accept';
    // The attempt before this one has ended in the database; what is left of its run is only tidying up.
    await this.#run?.done;
    await this.#claim(message.job_id, message.attempt.attempt_id);
    return 'accept';
  }

  /** Looks for an attempt whose holder is gone. */
  async #takeUpOrphan(): Promise<void> {
    if (this.#run) return;
    const { database, printerId, times } = this.#context;
    const orphan = await orphanOf(database, printerId, times.leaseSeconds);
    if (orphan) await this.#claim(orphan.jobId, orphan.id);
  }

  /** Claims an attempt, if it is still to be had, and runs it. */
  async #claim(jobId: string, attemptId: string): Promise<void> {
    const { database, printerId, times, log, passing } = this.#context;
    const claimedAt = performance.now();
    passing('claim:before', attemptId);
    const attempt = await database.transaction(async (tx): Promise<Attempt | undefined> => {
      const job = await lockJob(tx, jobId);
      const claimed = await claimAttempt(tx, {
        attemptId,
        printerId,
        owner: this.#owner,
        leaseSeconds: times.leaseSeconds,
      });
      if (claimed) await showPhase(tx, job, claimed, agentName(printerId));
      return claimed;
    });
    passing('claim:after', attemptId);
    if (!attempt || attempt.fence === null || this.#run || !this.#serving) return;
    const claim: Claim = { attemptId: attempt.id, fence: attempt.fence, owner: this.#owner };
    const lease = new Lease({ claim, database, seconds: times.leaseSeconds, claimedAt, log });
    const run = new AttemptRun({
      context: this.#context,
      attempt,
      lease,
      watch: this.#watch,
      conditions: this.#conditions,
    });
    const name = await findJob(database, jobId).then(
      (job) => job.jobName,
      () => jobId,
    );
    log('info', `Attempt ${attempt.id} of "${name}" is taken up in phase ${attempt.phase}.`);
    const done = run.run().then(async () => {
      await lease.end(true);
      if (this.#run?.run === run) this.#run = undefined;
    });
    this.#run = { run, lease, done };
  }
}
