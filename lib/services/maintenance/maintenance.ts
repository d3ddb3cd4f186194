import type { Farm } from '../../farm/farm';
import { asError } from '../../model/errors';
import { Loop } from '../loop';
import type { Service } from '../service';
import type { Chore } from './chore';

const gatherMs = 100;

/** Runs the chores of a farm, each on its own schedule, so that one that hangs does not block the others. */
export class Maintenance implements Service {
  readonly #loops: Loop[];

  constructor(farm: Farm, chores: readonly Chore[]) {
    this.#loops = chores.map(
      ({ name, everyMs, withThePlan, work }) =>
        new Loop({
          work: async (signal) => void (await work(farm, signal)),
          failed: (error) => farm.log('warn', `Maintenance (${name}): ${asError(error).message}`),
          everyMs,
          gatherMs,
          ...(withThePlan && { listen: (wake) => farm.database.listenFor('plan', wake) }),
        }),
    );
  }

  async start(): Promise<void> {
    for (const loop of this.#loops) await loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
