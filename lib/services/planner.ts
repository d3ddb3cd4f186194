import type { PlanMessage } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { asError } from '../model/errors';
import { planMessage, plannedForAll } from '../schedule/plan';
import { Loop } from './loop';

const defaultSeconds = 30;
/** Events that come together make one plan (ms). */
const gatherMs = 100;

/** Plans whenever something has changed, and now and then all the same, and hands each plan on: to a wire, or to the scheduler. */
export class PlannerService extends Loop {
  /**
   * @param options.seconds between plans when nothing happens
   * @param options.planned takes each plan
   * @param options.failed told why there is none
   */
  constructor(
    farm: Farm,
    options: { seconds?: number; planned(plan: PlanMessage): Promise<void> | void; failed(error: Error): void },
  ) {
    super({
      work: async () => options.planned(planMessage(await plannedForAll(farm))),
      failed: (error) => options.failed(asError(error)),
      everyMs: (options.seconds ?? defaultSeconds) * 1000,
      gatherMs,
      listen: (wake) =>
        farm.database.listen((payload) => {
          if (payload === 'plan' || payload === 'reconnected') wake();
        }),
    });
  }
}
