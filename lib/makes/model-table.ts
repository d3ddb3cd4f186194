import type { PrinterCapabilities, Volume } from '../model/printer';

/** A filament slot of a model, and the tool that it feeds. */
export interface ModelSlot {
  slot: string;
  tool: number;
}

/** The known properties of a machine model before a machine has reported. */
export interface PrinterModel {
  /** The token of the model: the manufacturer's, otherwise ours. */
  token: string;
  /** The manufacturer's name for it. */
  name: string;
  capabilities: PrinterCapabilities;
  slots: readonly ModelSlot[];
}

/** A model that is known but not supported. */
export interface RefusedModel {
  token: string;
  name: string;
  /** The reason, as text for its owner. */
  reason: string;
}

/** The volume from the origin to this corner, mm. */
export const volumeTo = (x: number, y: number, z: number): Volume => ({
  min: { x: 0, y: 0, z: 0 },
  max: { x, y, z },
});

/** Unknown size: nothing fits until the owner or the printer states it. */
export const unknownVolume: Volume = volumeTo(0, 0, 0);
