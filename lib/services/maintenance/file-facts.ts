import { examineAgain } from '../../jobs/examine-again';
import type { Chore } from './chore';

/** Reads the files of jobs that an earlier version accepted once more. */
export const fileFacts: Chore = { name: 'files of earlier versions', everyMs: 60_000, work: examineAgain };
