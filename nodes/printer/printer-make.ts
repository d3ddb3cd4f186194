import type { Driver, DriverOptions } from '../../lib/makes/driver';
import type { PrinterModel } from '../../lib/makes/model-table';
import type { Make } from '../../lib/model/printer';
import type { FarmNodeDefinition } from '../farm-user';
import type { CapabilityFields } from './printer-fields';

/** What the editor stores of every printer, whatever its make. */
export interface PrinterDefinition extends FarmNodeDefinition, CapabilityFields {
  printerId: string;
  host: string;
  /** How many times faster than real the printer's clock runs; 1 for a real machine. */
  timeScale: string | number;
  /** Whether it is a simulator: its bed begins clear, and output of the built-in slicer may be sent to it. */
  simulated: boolean | string;
  /** The owner's word that output of the built-in slicer may be sent to this printer. */
  allowBuiltInSlicer: boolean;
}

/** One node type: its make with its driver, and what a printer of it can do if nobody says otherwise. */
export interface PrinterMake<Definition extends PrinterDefinition, Credentials> {
  type: string;
  make: Make;
  credentials: Record<string, { type: 'password' | 'text' }>;
  /** The models to choose from in the form; empty: there is nothing to choose. */
  models: readonly PrinterModel[];
  /** What is known of a printer of which neither its owner nor itself has said what it is. */
  fallback: PrinterModel;
  /** Models that are known and not driven, each with its reason. */
  refused?: readonly { token: string; name: string; reason: string }[];
  createDriver(base: DriverOptions, definition: Definition, credentials: Partial<Credentials>): Driver;
}
