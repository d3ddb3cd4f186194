import type { Bed } from '../contracts/printers';
import type { Printer } from '../store/printers';

/** A bed in the form of the API. */
export type BedView = Bed;

export const bedView = (printer: Printer): BedView => ({
  state: printer.bedState,
  cause: printer.bedCause,
  attempt_id: printer.bedAttemptId,
  version: printer.bedVersion,
  since: printer.bedSince,
});
