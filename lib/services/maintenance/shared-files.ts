import { forgetSharedFiles } from '../../store/shared-files';
import { type Chore, unlessLocked } from './chore';

const keepHours = 24;

/** Deletes the copies of files that were put into the database for other machines. */
export const sharedFiles: Chore = {
  name: 'shared files',
  everyMs: 60_000,
  work: (farm) => unlessLocked(farm, () => forgetSharedFiles(farm.database, keepHours)),
};
