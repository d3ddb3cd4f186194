import type { AgentContext } from '../../farm/agent-context';
import { showsWish } from '../../jobs/pause';
import { asError, PlatewiseError } from '../../model/errors';
import { isActive, type PrinterState } from '../../model/printer';
import { openAttemptOf } from '../../store/attempts';
import { endWish, type PrinterWish, refuseWish, wishFor } from '../../store/printer-wishes';

/** A request older than this has expired (s). */
const longestWish = 600;
/** Interval before the printer is asked again (ms). */
const againAfter = 10_000;

/** What to do about a request: carry it out, nothing now, or drop it. */
export type WishVerdict = 'ask' | 'wait' | 'drop';

/** Decides about a request by what the printer shows. It applies only to the print that ran when it was made. */
export function judgeWish(
  wish: Pick<PrinterWish, 'wanted' | 'attemptId' | 'ageSeconds' | 'problem'>,
  now: { state: PrinterState | null; openAttempt: string | null; sinceAsked: number },
): WishVerdict {
  if (wish.ageSeconds < 0 || wish.ageSeconds > longestWish) return 'drop';
  if (wish.attemptId !== now.openAttempt) return 'drop';
  if (now.state === null) return 'wait';
  if (!isActive(now.state) || showsWish(now.state, wish.wanted)) return 'drop';
  return wish.problem !== null || now.sinceAsked < againAfter ? 'wait' : 'ask';
}

/** Carries out operators' requests to pause or resume the print at one printer. */
export class WishKeeper {
  readonly #context: AgentContext;
  #looking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** Checks for a request. Never rejects. @param isNew whether a request has just arrived */
  look(isNew = false): Promise<void> {
    if (isNew) this.#askedAt = Number.NEGATIVE_INFINITY;
    this.#looking ??= this.#look()
      .catch((error: unknown) => this.#context.log('warn', asError(error).message))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { database, driver, printerId, log } = this.#context;
    const wish = await wishFor(database, printerId);
    if (!wish) return;
    const { wanted } = wish;
    const verdict = judgeWish(wish, {
      state: driver.connection.status === 'connected' ? (driver.report?.state ?? null) : null,
      openAttempt: (await openAttemptOf(database, printerId))?.id ?? null,
      sinceAsked: performance.now() - this.#askedAt,
    });
    if (verdict === 'drop') return endWish(database, printerId, wanted);
    if (verdict === 'wait') return;
    this.#askedAt = performance.now();
    try {
      await driver[wanted]();
      await endWish(database, printerId, wanted);
    } catch (thrown) {
      const error = asError(thrown);
      log('warn', `The printer did not ${wanted}: ${error.message}`);
      // A transient error is retried.
      if (error instanceof PlatewiseError && !error.retryable)
        await refuseWish(database, printerId, wanted, error.message);
    }
  }
}
