import type { Make } from '../model/printer';

/** A printer that was found on the network. */
export interface FoundPrinter {
  make: Make;
  /** Its address. */
  host: string;
  /** The port that its driver connects to, if it is not the usual one. */
  port?: number;
  name: string;
  /** The manufacturer's name of the model; empty if not reported. */
  model: string;
  /** The token of the model, as used in the configuration; missing if unknown. */
  token?: string;
  serial?: string;
  firmware?: string;
  /** Whether the driver of this make supports it. */
  supported: boolean;
  /** The known obstacles to a job, as far as they show without credentials. */
  note?: string;
}
