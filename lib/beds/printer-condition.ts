import { type AgentContext, agentName } from '../farm/agent-context';
import type { PreflightFailure, StartOrder } from '../makes/driver';
import { asError } from '../model/errors';
import { storeTrouble } from '../store/printers';

/**
 * Keeps a printer closed while it would refuse any job: its storage is missing, its Developer Mode is off, or its own
 * queue is not empty. No job is tried on it meanwhile; the condition is checked again once a minute.
 */
export class ConditionWatch {
  readonly #context: AgentContext;
  #order: StartOrder | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** A condition found by an earlier agent is cleared; the next job finds it again if it still holds. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#store([]);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#order = undefined;
  }

  /** @param failures conditions of the printer itself, at least one, that prevented the start of this order */
  async close(order: StartOrder, failures: readonly PreflightFailure[]): Promise<void> {
    this.#order = order;
    await this.#store(failures);
    this.#lookAgainLater();
  }

  #lookAgainLater(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#lookAgain(), this.#context.times.conditionSeconds * 1000);
  }

  /** Never rejects: a check that fails is repeated later. */
  async #lookAgain(): Promise<void> {
    const { driver, log, printerId } = this.#context;
    const order = this.#order;
    if (order === undefined) return;
    try {
      const failures = (await driver.preflight(order)).filter(
        ({ whose, only }) => whose === 'printer' && only === undefined,
      );
      if (this.#order !== order) return;
      await this.#store(failures);
      if (this.#order !== order) return;
      if (failures.length === 0) {
        this.#order = undefined;
        log('info', `${printerId} accepts jobs again.`);
        return;
      }
    } catch (error) {
      log('debug', `${printerId} could not be checked: ${asError(error).message}`);
    }
    if (this.#order === order) this.#lookAgainLater();
  }

  async #store(failures: readonly PreflightFailure[]): Promise<void> {
    const { database, printerId } = this.#context;
    const [first] = failures;
    const condition = first && {
      code: first.check,
      text: failures.map(({ message }) => message).join(' '),
      remedy: failures.map(({ remedy }) => remedy).join(' '),
    };
    await database.transaction((tx) =>
      storeTrouble(tx, printerId, 'condition', condition ?? null, { actor: agentName(printerId) }),
    );
  }
}
