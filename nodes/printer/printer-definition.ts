import type { MakeRow, PrinterType } from '../../lib/makes/make';
import type { FarmNodeDefinition } from '../farm-user';
import type { CapabilityFields } from './printer-fields';

/**
 * The fields that the editor stores for every printer, besides the connection settings of its make (`MakeRow.fields`).
 */
export interface PrinterDefinition extends FarmNodeDefinition, CapabilityFields {
  printerId: string;
  host: string;
  /** How many times faster than real time the printer's clock runs; 1 for a real machine. */
  timeScale: string | number;
  /** Whether it is a simulator: its bed starts clear, and output of the built-in slicer may be sent to it. */
  simulated: boolean | string;
  /** Whether the owner allows output of the built-in slicer on this printer. */
  allowBuiltInSlicer: boolean;
}

/** A node type with its make. */
export type PrinterNodeType = PrinterType & { row: MakeRow };

/** The credentials as stored by the editor. */
export type PrinterCredentials = Readonly<Record<string, unknown>>;
