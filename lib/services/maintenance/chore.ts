import type { Farm } from '../../farm/farm';
import { asError } from '../../model/errors';
import { DatabaseBusyError, RowLockedError } from '../../store/database';

/** Work that has to be done now and then, whatever else happens. */
export interface Chore {
  name: string;
  /** How often (ms). */
  everyMs: number;
  /** Whether it is also due when the plan may have changed. */
  withThePlan?: boolean;
  work(farm: Farm, signal: AbortSignal): Promise<unknown>;
}

/** Does this, unless another transaction holds what is needed for it: then the next round does it. */
export async function unlessLocked(farm: Farm, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RowLockedError) && !(error instanceof DatabaseBusyError)) throw error;
    farm.log('warn', asError(error).message);
  }
}
