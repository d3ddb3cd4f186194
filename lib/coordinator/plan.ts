import { makePlan, type Plan } from '../planning/plan';
import type { Farm } from './farm';
import { takeSnapshot } from './snapshot';

/** The plan for the farm as it is now. */
export async function currentPlan(farm: Farm): Promise<Plan> {
  return makePlan(await farm.database.read((db) => takeSnapshot(db, farm.options)));
}
