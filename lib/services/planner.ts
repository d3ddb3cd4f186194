import type { PlanMessage } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { asError } from '../model/errors';
import { planMessage, plannedForAll } from '../schedule/plan';
import { Loop } from './loop';

const defaultSeconds = 30;
/** Events within this interval lead to one plan (ms). */
const gatherMs = 100;

/** Plans whenever something has changed, and at intervals, and passes each plan on: to a wire, or to the scheduler. */
export class PlannerService extends Loop {
  /**
   * @param options.seconds between plans when nothing happens
   * @param options.planned receives each plan
   * @param options.failed receives the error if planning fails
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
      listen: (wake) => farm.database.listenFor('plan', wake),
    });
  }
}
