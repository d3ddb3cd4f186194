import type { MaterialId, PrinterId } from '../model/ids';
import type { ModelKind } from '../model/job';
import type { Material } from '../model/material';
import type { Dimensions, Make, Preparation, PrinterCapabilities, PrinterState } from '../model/printer';
import type { FileFacts } from '../model/sliced-facts';

/** What a job's file, its material and its submitter ask for, beyond size and type. */
export interface PrintDemands {
  facts: FileFacts;
  material: Pick<Material, 'name' | 'type' | 'colourHex' | 'nozzleTemperature' | 'bedTemperature'>;
  /** The submitter's word that a file that names no machine was made for the printers it fits. */
  acceptUnknownMachine: boolean;
  /** mm, where the submitter asked for them. */
  layerHeight?: number;
  firstLayerHeight?: number;
  brim?: number;
}

/** A job, as far as it decides where it can be printed. */
export interface FitJob {
  materialId: MaterialId;
  materialType: string;
  /** °C that the material or the submitter asks for. */
  nozzleTemperature: number;
  bedTemperature: number;
  modelKind: ModelKind;
  dimensions: Dimensions;
  /** Grams of one copy. */
  grams: number;
  forcePrinter: PrinterId | null;
  /** Materials beside the first; absent: none. */
  alsoMaterials?: { id: MaterialId; type: string }[];
  /** Absent: a plain model of which nothing more is known. */
  print?: PrintDemands;
}

/** A place for filament, with what is in it. */
export interface FitSlot {
  slot: string;
  /** The tool that it feeds, from 0. */
  tool: number;
  materialId: MaterialId | null;
  /** Grams that nothing under way has reserved. */
  gramsFree: number;
  /** A spool of this material is booked here, and the printer sees something else; `materialId` is null then. */
  contradiction?: { booked: MaterialId; seen: string };
}

/** A printer, as far as it decides what it can print. */
export interface FitPrinter {
  id: PrinterId;
  name: string;
  make: Make;
  capabilities: PrinterCapabilities;
  slots: FitSlot[];
  online: boolean;
  /** Nobody has ever reached it: it was set up, and may not even exist. */
  neverConnected?: boolean;
  /** What the printer reports of itself; null before its first report. */
  state: PrinterState | null;
  bed: 'clear' | 'occupied';
  bedCause: 'attempt' | 'foreign' | 'unknown' | null;
  /** What would keep any job from starting there; absent: nothing is known of. */
  condition?: { text: string; remedy: string };
  /** What needs a person there at this moment; absent: nothing. */
  attention?: { text: string; remedy: string };
  /** Another machine answers at its address. */
  wrongMachine?: boolean;
  /** What is under way on it, ours or foreign. */
  busy: { with: string } | null;
  /** mm by tool, as the printer reports them; absent: it does not. */
  mountedNozzles?: readonly number[];
  /** The type of build plate that the printer reports, or that an operator has named; absent: unknown. */
  buildPlate?: string;
  /** How its agent makes print files; absent: not known yet. */
  preparation?: Preparation;
}
