import type { Bed } from '../contracts/printers';
import type { Printer } from '../store/printers';

/** A bed as the API shows it. */
export type BedView = Bed;

export const bedView = (printer: Printer): BedView => ({
  state: printer.bedState,
  cause: printer.bedCause,
  attempt_id: printer.bedAttemptId,
  version: printer.bedVersion,
  since: printer.bedSince,
});
