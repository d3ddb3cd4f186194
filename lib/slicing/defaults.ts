import type { Material } from '../model/material';
import type { PrinterCapabilities } from '../model/printer';
import type { PrintSettings } from '../model/settings';

/** Everything a slicer must know, each value chosen: by the submitter, else by the material, else by the nozzle. */
export interface SlicingSettings {
  /** mm */
  nozzleDiameter: number;
  /** mm */
  lineWidth: number;
  /** mm */
  layerHeight: number;
  /** °C */
  nozzleTemperature: number;
  /** °C */
  bedTemperature: number;
  /** 0..1 */
  infill: number;
  /** mm/s of inner lines. */
  speed: number;
  walls: number;
  solidLayers: number;
}

/** Loops around the first layer that prime the nozzle, and their distance from the part (mm). */
export const skirt = { loops: 2, distanceMm: 3 };

/** What a skirt needs between the part and each edge of the bed (mm): its distance and two lines. Without it there is none. */
export const skirtRoomMm = 5;

/** Fills what the submitter left open; a layer is half a nozzle high, a line 1.125 nozzles wide. */
export function resolveSettings(
  capabilities: Pick<PrinterCapabilities, 'nozzleDiameters'> | undefined,
  material: Material,
  settings: PrintSettings,
): SlicingSettings {
  const nozzleDiameter = capabilities?.nozzleDiameters[0] ?? 0.4;
  return {
    nozzleDiameter,
    lineWidth: nozzleDiameter * 1.125,
    layerHeight: settings.layer_height ?? nozzleDiameter / 2,
    nozzleTemperature: settings.nozzle_temp ?? material.nozzleTemperature,
    bedTemperature: settings.bed_temp ?? material.bedTemperature,
    infill: (settings.infill ?? 15) / 100,
    speed: settings.speed ?? 60,
    walls: 3,
    solidLayers: 4,
  };
}

/** Whether a material needs a fan that blows fully; the others warp or delaminate under it. */
export function wantsFullFan(material: Material): boolean {
  return /^(PLA|PVA|PCL)/i.test(material.type);
}
