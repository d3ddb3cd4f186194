import { pruneSent } from '../../store/outbox';
import { forgetOldPlans } from '../../store/standing-plan';
import { type Chore, unlessLocked } from './chore';

const keepSentHours = 24;

/** Deletes messages that were published long ago, and plans of settings that are no longer used. */
export const messages: Chore = {
  name: 'published messages',
  everyMs: 60_000,
  work: (farm) =>
    unlessLocked(farm, async () => {
      await pruneSent(farm.database, keepSentHours);
      await forgetOldPlans(farm.database);
    }),
};
