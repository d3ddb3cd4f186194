import type { Chore } from './chore';
import { dispatches } from './dispatches';
import { fileFacts } from './file-facts';
import { messages } from './messages';
import { history, oldFiles } from './retention';
import { sharedFiles } from './shared-files';

/** The chores that every process does for its farm. */
export const chores: readonly Chore[] = [dispatches, messages, sharedFiles, oldFiles, history, fileFacts];
