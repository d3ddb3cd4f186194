import type { FitReason } from '../model/fit';

/** Creates a reason that is caused by the file, and is therefore permanent. */
export const fileReason = (code: string, text: string, remedy: string): FitReason => ({
  code,
  text,
  remedy,
  whose: 'file',
  permanent: true,
});
