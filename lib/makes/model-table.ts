import type { PrinterCapabilities, Volume } from '../model/printer';

/** A place for filament that a model comes with, and the tool that it feeds. */
export interface ModelSlot {
  slot: string;
  tool: number;
}

/** What is known of a machine model before any machine of it has answered. */
export interface PrinterModel {
  /** The word by which the maker, or else we, name the model. */
  token: string;
  /** As its maker calls it. */
  name: string;
  capabilities: PrinterCapabilities;
  slots: readonly ModelSlot[];
}

/** A model that is known and not driven. */
export interface RefusedModel {
  token: string;
  name: string;
  /** Why not, in words for its owner. */
  reason: string;
}

/** The volume from the origin to this corner, mm. */
export const volumeTo = (x: number, y: number, z: number): Volume => ({
  min: { x: 0, y: 0, z: 0 },
  max: { x, y, z },
});

/** No size is known: nothing fits, until somebody or the printer itself says how large it is. */
export const unknownVolume: Volume = volumeTo(0, 0, 0);
