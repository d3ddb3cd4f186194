import type { MaterialId, PrinterId } from '../model/ids';
import type { ModelKind } from '../model/job';
import type { Material } from '../model/material';
import type { Dimensions, Make, Preparation, PrinterCapabilities, PrinterState } from '../model/printer';
import type { FileFacts } from '../model/sliced-facts';

/** Requirements of a job's file, material and submitter beyond size and type. */
export interface PrintDemands {
  facts: FileFacts;
  material: Pick<Material, 'name' | 'type' | 'colourHex' | 'nozzleTemperature' | 'bedTemperature'>;
  /** Whether the submitter confirms that a file that names no machine was made for the printers that it fits. */
  acceptUnknownMachine: boolean;
  /** mm, where the submitter has set them. */
  layerHeight?: number;
  firstLayerHeight?: number;
  brim?: number;
}

/** The properties of a job that decide where it can be printed. */
export interface FitJob {
  materialId: MaterialId;
  materialType: string;
  /** °C required by the material or the submitter. */
  nozzleTemperature: number;
  bedTemperature: number;
  modelKind: ModelKind;
  dimensions: Dimensions;
  /** Grams of one copy. */
  grams: number;
  forcePrinter: PrinterId | null;
  /** Materials besides the first; absent: none. */
  alsoMaterials?: { id: MaterialId; type: string }[];
  /** Absent: a plain model without further requirements. */
  print?: PrintDemands;
}

/** A filament slot with its contents. */
export interface FitSlot {
  slot: string;
  /** The tool that it feeds, from 0. */
  tool: number;
  materialId: MaterialId | null;
  /** Grams that no open attempt has reserved. */
  gramsFree: number;
  /** The booked material, if the printer detects a different one; `materialId` is null then. */
  contradiction?: { booked: MaterialId; seen: string };
}

/** The properties of a printer that decide what it can print. */
export interface FitPrinter {
  id: PrinterId;
  name: string;
  make: Make;
  capabilities: PrinterCapabilities;
  slots: FitSlot[];
  online: boolean;
  /** It has never been connected: it is configured, but may not exist. */
  neverConnected?: boolean;
  /** The state that the printer reports; null before its first report. */
  state: PrinterState | null;
  bed: 'clear' | 'occupied';
  bedCause: 'attempt' | 'foreign' | 'unknown' | null;
  /** The condition that blocks every job there; absent: none is known. */
  condition?: { text: string; remedy: string };
  /** The reason why the printer needs an operator now; absent: none. */
  attention?: { text: string; remedy: string };
  /** Another machine answers at its address. */
  wrongMachine?: boolean;
  /** The print that runs on it, ours or foreign. */
  busy: { with: string } | null;
  /** mm by tool, as the printer reports them; absent: not reported. */
  mountedNozzles?: readonly number[];
  /** The type of build plate that the printer reports, or that an operator has named; absent: unknown. */
  buildPlate?: string;
  /** How its agent makes print files; absent: unknown. */
  preparation?: Preparation;
}
