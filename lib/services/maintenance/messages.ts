import { pruneSent } from '../../store/outbox';
import { type Chore, unlessLocked } from './chore';

const keepSentHours = 24;

/** Deletes messages that were published long ago. */
export const messages: Chore = {
  name: 'published messages',
  everyMs: 60_000,
  work: (farm) => unlessLocked(farm, () => pruneSent(farm.database, keepSentHours)),
};
