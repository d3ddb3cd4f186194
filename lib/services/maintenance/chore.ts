import type { Farm } from '../../farm/farm';
import { asError } from '../../model/errors';
import { DatabaseBusyError, RowLockedError } from '../../store/database';

/** Periodic work. */
export interface Chore {
  name: string;
  /** The interval (ms). */
  everyMs: number;
  /** Whether it is also due when the plan may have changed. */
  withThePlan?: boolean;
  work(farm: Farm, signal: AbortSignal): Promise<unknown>;
}

/** Does this work, unless another transaction holds a lock that it needs: then the next round does it. */
export async function unlessLocked(farm: Farm, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RowLockedError) && !(error instanceof DatabaseBusyError)) throw error;
    farm.log('warn', asError(error).message);
  }
}
