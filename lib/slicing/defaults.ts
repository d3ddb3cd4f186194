import { firstLayerShare, highestLayerShare } from '../fit/volume';
import type { Material } from '../model/material';
import type { PrinterCapabilities } from '../model/printer';
import type { InfillPattern, PrintSettings, RetrySettings, Seam, Supports } from '../model/settings';
import type { SlicingProfile } from './profile';

/**
 * All settings of a slice, with every value chosen: by the submitter, otherwise by the profile, otherwise by material
 * and nozzle.
 */
export interface SlicingSettings {
  /** mm */
  nozzleDiameter: number;
  /** mm */
  lineWidth: number;
  /** mm */
  layerHeight: number;
  /** mm; thicker than the others where these are thin, so that it holds on a bed that is not quite even. */
  firstLayerHeight: number;
  /** °C */
  nozzleTemperature: number;
  /** °C */
  bedTemperature: number;
  /** 0..1 */
  infill: number;
  /** mm/s of inner lines. */
  speed: number;
  /** mm/s */
  firstLayerSpeed: number;
  /** mm/s */
  travelSpeed: number;
  /** mm/s² */
  acceleration: number;
  /** mm of filament. */
  retractLength: number;
  /** mm/s */
  retractSpeed: number;
  walls: number;
  /** Solid layers under what looks upwards. */
  topLayers: number;
  /** Solid layers above what looks downwards. */
  bottomLayers: number;
  infillPattern: InfillPattern;
  seam: Seam;
  /** 0..1 */
  fan: number;
  layersWithoutFan: number;
  shortestLayerSeconds: number;
  /** mm */
  brimWidth: number;
  supports: Supports;
  /** Keys of PrusaSlicer's own. */
  prusa: Record<string, string | number>;
}

/** Loops around the first layer that prime the nozzle, and their distance from the part (mm). */
export const skirt = { loops: 2, distanceMm: 3 };

/**
 * The space that a skirt needs between the part and each edge of the bed (mm): its distance, from the brim (mm) if
 * there is one, and two lines. Without this space there is no skirt.
 */
export const skirtRoom = (brimWidth: number): number => brimWidth + skirt.distanceMm + 2;

/** No slower than this (mm/s), whatever a retry asks for. */
const slowestSpeed = 5;

/** Fills what the submitter left open, and applies what a retry does differently. */
export function resolveSettings(
  machine:
    | { capabilities: Pick<PrinterCapabilities, 'nozzleDiameters' | 'maxBedTemperature'>; tool: number }
    | undefined,
  material: Material,
  settings: PrintSettings,
  profile: SlicingProfile = {},
  retry: RetrySettings = {},
): SlicingSettings {
  const nozzleDiameter = machine?.capabilities.nozzleDiameters[machine.tool] ?? 0.4;
  const byProfile = profile.layer_height ?? nozzleDiameter * (profile.layer_height_ratio ?? 0.5);
  const layerHeight = settings.layer_height ?? Math.min(byProfile, nozzleDiameter * highestLayerShare);
  const firstLayerHeight =
    settings.first_layer_height ??
    (profile.first_layer_height === undefined
      ? undefined
      : Math.min(profile.first_layer_height, nozzleDiameter * highestLayerShare)) ??
    Math.max(layerHeight, nozzleDiameter * firstLayerShare);
  const slow = (speed: number, factor = 1) => Math.max(Math.min(speed, slowestSpeed), speed * factor);
  const bed = settings.bed_temp ?? profile.bed_temp ?? material.bedTemperature;
  const hottestBed = Math.max(bed, machine?.capabilities.maxBedTemperature ?? Number.POSITIVE_INFINITY);
  const speed = slow(settings.speed ?? profile.speed ?? 60, retry.speed_factor);
  return {
    nozzleDiameter,
    lineWidth: nozzleDiameter * (profile.line_width_ratio ?? 1.125),
    layerHeight: Math.round(layerHeight * 1000) / 1000,
    firstLayerHeight: Math.round(firstLayerHeight * 1000) / 1000,
    nozzleTemperature: settings.nozzle_temp ?? profile.nozzle_temp ?? material.nozzleTemperature,
    bedTemperature: Math.min(bed + (retry.bed_temp_offset ?? 0), hottestBed),
    infill: (settings.infill ?? profile.infill ?? 15) / 100,
    speed,
    firstLayerSpeed: Math.min(
      speed,
      slow(profile.first_layer_speed ?? 25, (retry.speed_factor ?? 1) * (retry.first_layer_speed_factor ?? 1)),
    ),
    travelSpeed: profile.travel_speed ?? 150,
    acceleration: profile.acceleration ?? 5000,
    retractLength: profile.retract_length ?? 0.8,
    retractSpeed: profile.retract_speed ?? 35,
    walls: settings.walls ?? profile.walls ?? 3,
    topLayers: settings.top_layers ?? profile.top_layers ?? 4,
    bottomLayers: settings.bottom_layers ?? profile.bottom_layers ?? 4,
    infillPattern: settings.infill_pattern ?? profile.infill_pattern ?? 'grid',
    seam: settings.seam ?? profile.seam ?? 'aligned',
    fan: (profile.fan ?? (coolsWell.test(material.type) ? 100 : 30)) / 100,
    layersWithoutFan: profile.layers_without_fan ?? (coolsWell.test(material.type) ? 1 : 3),
    shortestLayerSeconds: profile.shortest_layer_seconds ?? 8,
    brimWidth: settings.brim ?? profile.brim ?? 0,
    supports: settings.supports ?? profile.supports ?? 'none',
    prusa: profile.prusa ?? {},
  };
}

/** Materials that want a fan that blows fully; the others warp or delaminate under it. */
const coolsWell = /^(PLA|PVA|PCL)/i;
