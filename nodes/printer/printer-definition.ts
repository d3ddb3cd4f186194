import type { MakeRow, PrinterType } from '../../lib/makes/make';
import type { FarmNodeDefinition } from '../farm-user';
import type { CapabilityFields } from './printer-fields';

/** What the editor stores of every printer, beside how one of its make is reached (`MakeRow.fields`). */
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

/** A node type with the make that it is for. */
export type PrinterNodeType = PrinterType & { row: MakeRow };

/** What the editor keeps secret, as it is stored. */
export type PrinterCredentials = Readonly<Record<string, unknown>>;
