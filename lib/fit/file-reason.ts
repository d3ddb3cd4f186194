import type { FitReason } from '../model/fit';

/** A reason that lies in the file, and stays as long as the file is the same. */
export const fileReason = (code: string, text: string, remedy: string): FitReason => ({
  code,
  text,
  remedy,
  whose: 'file',
  permanent: true,
});
