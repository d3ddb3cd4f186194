import { randomUUID } from 'node:crypto';
import { ConditionWatch } from '../../beds/printer-condition';
import { parseDispatchMessage } from '../../contracts/messages';
import { type AgentContext, agentName } from '../../farm/agent-context';
import { showPhase } from '../../jobs/show-phase';
import type { IncomingMessage, Subscription, Verdict } from '../../messaging/broker';
import { asError } from '../../model/errors';
import { preparationBy } from '../../slicing/slicer';
import { type Attempt, type Claim, claimAttempt, findAttempt, orphanOf, releaseLease } from '../../store/attempts';
import { findJob, lockJob } from '../../store/jobs';
import { storePreparation } from '../../store/printers';
import { AttemptRun } from './attempt-run';
import { Lease } from './lease';
import { PrinterWatch } from './printer-watch';
import { WishKeeper } from './wish-keeper';

/** Interval between checks whether the agent may serve the printer and whether attempts lack a holder (ms). */
const roundInterval = 2000;

/**
 * Drives the dispatches of one printer to their end, the same way for every make. A dispatch is acknowledged once its claim
 * is committed; from then on the attempt's lease protects it, and an agent that finds it without a holder takes it over.
 *
 * Of several agents of one printer, in any processes, one serves it; the others stand by and do not even connect
 * to it, because some printers accept a single client only.
 */
export class PrinterAgent {
  readonly #context: AgentContext;
  readonly #owner = randomUUID();
  readonly #watch: PrinterWatch;
  readonly #conditions: ConditionWatch;
  readonly #wishes: WishKeeper;
  readonly #lock: string;
  #serving = false;
  #run: { run: AttemptRun; done: Promise<void> } | undefined;
  /** Dispatches that are being handled. */
  readonly #handling = new Set<Promise<Verdict>>();
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

  /** Whether this agent serves the printer; other agents stand by. */
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

  /** Stops and releases the printer; a running print goes on, and the next agent takes it over. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    clearInterval(this.#rounds);
    // An attempt in preparation need not finish first.
    this.#run?.run.stop();
    await this.#round;
    await this.#standBy(true);
    await this.#context.database.locks.release(this.#lock);
  }

  /** Serves the printer if no agent does, stands by while another one serves it, and looks for attempts without a holder. */
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
        // While it is unknown which agent serves the printer nothing changes; fencing keeps that harmless.
        this.#context.log('warn', `The agent could not confirm that it serves its printer: ${asError(error).message}`);
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
    this.#subscription = await broker.consumeJobs(printerId, (message) => {
      const handled = this.#onDispatch(message).finally(() => this.#handling.delete(handled));
      this.#handling.add(handled);
      return handled;
    });
  }

  /** Stores how this process prepares print files, so that a submission that cannot be prepared is refused. Never rejects. */
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
    // The printer is released even if the broker fails: it may accept a single client only, and another agent waits.
    await Promise.all([this.#context.driver.close(), this.#subscription?.cancel()]);
    await running?.done;
    await Promise.allSettled(this.#handling);
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
      this.#context.log('error', `A dispatch could not be read and was dead-lettered: ${asError(error).message}`);
      return 'reject';
    }
    if (message.attempt.printer_id !== this.#context.printerId) return 'reject';
    const attempt = await findAttempt(this.#context.database, message.attempt.attempt_id);
    // Delivered twice, or withdrawn or cancelled meanwhile: there is nothing to claim.
    if (attempt?.phase !== 'dispatched') return 'accept';
    // The previous attempt has ended in the database; its run is only cleaning up.
    await this.#run?.done;
    // The agent that serves the printer next receives it again.
    if (!this.#serving) return 'retry';
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

  /** Claims an attempt, if it is still available, and runs it. */
  async #claim(jobId: string, attemptId: string): Promise<void> {
    const { database, printerId, times, log, passing } = this.#context;
    if (!this.#serving) return;
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
    if (!attempt || attempt.fence === null) return;
    const claim: Claim = { attemptId: attempt.id, fence: attempt.fence, owner: this.#owner };
    // The agent was stopped meanwhile. Released, the next agent need not wait for the lease to expire.
    if (this.#run || !this.#serving) return releaseLease(database, claim);
    const lease = new Lease({ claim, database, seconds: times.leaseSeconds, claimedAt, log });
    const run = new AttemptRun({
      context: this.#context,
      attempt,
      lease,
      watch: this.#watch,
      conditions: this.#conditions,
    });
    const done = this.#announce(attempt)
      .then(() => run.run())
      .then(async () => {
        await lease.end(true);
        if (this.#run?.run === run) this.#run = undefined;
      });
    this.#run = { run, done };
  }

  /** Logs which job is printed from now on. Never rejects. */
  async #announce({ id, jobId, phase }: Attempt): Promise<void> {
    const name = await findJob(this.#context.database, jobId).then(
      (job) => job.jobName,
      () => jobId,
    );
    this.#context.log('info', `Attempt ${id} of "${name}" is resumed in phase ${phase}.`);
  }
}
