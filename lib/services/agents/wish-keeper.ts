import type { AgentContext } from '../../farm/agent-context';
import { showsWish } from '../../jobs/pause';
import { asError, PlatewiseError } from '../../model/errors';
import { isActive, type PrinterState } from '../../model/printer';
import { openAttemptOf } from '../../store/attempts';
import { endWish, type PrinterWish, refuseWish, wishFor } from '../../store/printer-wishes';

/** A wish that is older than this is no longer meant (s). */
const longestWish = 600;
/** The printer is asked again after this long (ms). */
const againAfter = 10_000;

/** What is to be done about a wish: carry it out, nothing now, or drop it. */
export type WishVerdict = 'ask' | 'wait' | 'drop';

/** Decides about a wish by what the printer shows. It is meant for the print that ran when it was wished for, and for no other. */
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

/** Carries out what operators want of the print at one printer. */
export class WishKeeper {
  readonly #context: AgentContext;
  #looking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** Looks whether anything is wished for. Never rejects. @param isNew whether a wish has just come */
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
      // What may pass is asked again.
      if (error instanceof PlatewiseError && !error.retryable)
        await refuseWish(database, printerId, wanted, error.message);
    }
  }
}
