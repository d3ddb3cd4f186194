import type { Make } from '../model/printer';

/** A printer that showed itself on the network. */
export interface FoundPrinter {
  make: Make;
  /** Its address. */
  host: string;
  /** The port that its driver connects to, where it is not the usual one. */
  port?: number;
  name: string;
  /** The model in its maker's words; empty if it does not tell. */
  model: string;
  /** The token of the model, as a printer is set up with; missing where it is not known. */
  token?: string;
  serial?: string;
  firmware?: string;
  /** Whether our driver of this make is made for it. */
  supported: boolean;
  /** What stands between it and a job, as far as that shows without credentials. */
  note?: string;
}
