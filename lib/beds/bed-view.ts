import type { Printer } from '../store/printers';

/** A bed as the API shows it. */
export interface BedView {
  state: 'clear' | 'occupied';
  cause: string | null;
  attempt_id: string | null;
  version: number;
  since: string;
}

export const bedView = (printer: Printer): BedView => ({
  state: printer.bedState,
  cause: printer.bedCause,
  attempt_id: printer.bedAttemptId,
  version: printer.bedVersion,
  since: printer.bedSince,
});
