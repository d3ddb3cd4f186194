import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Subscription, Verdict } from '../messaging/broker';
import { asError } from '../model/errors';
import { parseDispatchMessage } from '../model/messages';
import { type Attempt, type Claim, claimAttempt, findAttempt, orphanOf } from '../store/attempts';
import { findJob, lockJob } from '../store/jobs';
import { AttemptRun, showPhase } from './attempt-run';
import { type AgentContext, agentName } from './context';
import { Lease } from './lease';
import { PrinterWatch } from './printer-watch';

/**
 * Takes one printer's dispatches to their end, the same way for every make. A dispatch is acknowledged once its claim
 * is committed; from then on the attempt's lease keeps it, and whoever finds it without a holder takes it up.
 */
export class PrinterAgent {
  readonly #context: AgentContext;
  readonly #owner = randomUUID();
  readonly #watch: PrinterWatch;
  #run: { run: AttemptRun; lease: Lease; done: Promise<void> } | undefined;
  #subscription: Subscription | undefined;
  #unlisten: (() => void) | undefined;
  #search: NodeJS.Timeout | undefined;
  #searching = false;
  #started = false;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#watch = new PrinterWatch(context);
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { broker, database, driver, printerId } = this.#context;
    this.#watch.start();
    driver.open();
    this.#unlisten = await database.listen((payload) => this.#onNotification(payload));
    this.#subscription = await broker.consumeJobs(printerId, (message) => this.#onDispatch(message));
    this.#search = setInterval(() => void this.#takeUpOrphan(), 2000);
    await this.#takeUpOrphan();
  }

  /** Lets go of everything; a print that runs goes on at the printer and is taken up by the next agent. */
  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    clearInterval(this.#search);
    this.#unlisten?.();
    await this.#subscription?.cancel();
    const running = this.#run;
    if (running) {
      running.run.stop();
      await this.#context.driver.close();
      await running.done;
    }
    await this.#watch.stop();
    await this.#context.driver.close();
  }

  #onNotification(payload: string): void {
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
    if (this.#run || this.#searching || !this.#started) return;
    this.#searching = true;
    try {
      const orphan = await orphanOf(this.#context.database, this.#context.printerId);
      if (orphan && orphan.secondsLeft < 0) await this.#claim(orphan.attempt.jobId, orphan.attempt.id);
    } catch (error) {
      this.#context.log('warn', `Looking for unfinished attempts failed: ${asError(error).message}`);
    } finally {
      this.#searching = false;
    }
  }

  /** Claims an attempt, if it is still to be had, and runs it. */
  async #claim(jobId: string, attemptId: string): Promise<void> {
    const { database, printerId, times, log } = this.#context;
    const claimedAt = performance.now();
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
    if (!attempt || attempt.fence === null || this.#run || !this.#started) return;
    const claim: Claim = { attemptId: attempt.id, fence: attempt.fence, owner: this.#owner };
    const lease = new Lease({ claim, database, seconds: times.leaseSeconds, claimedAt, log });
    const run = new AttemptRun({ context: this.#context, attempt, lease, watchSettled: () => this.#watch.settled() });
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
