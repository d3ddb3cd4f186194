import type { PrinterCapabilities, ReportedCapabilities, Volume } from '../model/printer';

/**
 * Combines the capabilities of a printer: the owner's entries take precedence, then its report, then the known values
 * of its model.
 *
 * The travel of the axes is never less than the printable volume, so for a model with a known volume the report can
 * only reduce it: a Giga with two heads travels half as far. For an unknown model the travel is the only information.
 */
export function mergeCapabilities(
  given: Partial<PrinterCapabilities>,
  reported: ReportedCapabilities | undefined,
  model: PrinterCapabilities,
): PrinterCapabilities {
  const { toolVolumes, multiNozzleVolume, bedZones, ...ofModel } = model;
  const within = (volume: Volume): Volume => (reported?.buildVolume ? common(volume, reported.buildVolume) : volume);
  // The reach of each tool and the zones of the bed belong to the volume that they were given with.
  const reach = given.buildVolume
    ? {}
    : {
        buildVolume: hasSize(model.buildVolume)
          ? within(model.buildVolume)
          : (reported?.buildVolume ?? model.buildVolume),
        ...(toolVolumes && { toolVolumes: toolVolumes.map(within) }),
        ...(multiNozzleVolume && { multiNozzleVolume: within(multiNozzleVolume) }),
        ...(bedZones && { bedZones }),
      };
  const { buildVolume: _volume, nozzleDiameters: mounted = [], ...others } = reported ?? {};
  return {
    ...ofModel,
    ...reach,
    ...(mounted.length > 0 && { nozzleDiameters: mounted }),
    ...others,
    ...given,
  };
}

/** Whether a volume is not empty. */
export const hasSize = ({ min, max }: Volume): boolean => max.x > min.x && max.y > min.y && max.z > min.z;

function common(one: Volume, other: Volume): Volume {
  const axes = ['x', 'y', 'z'] as const;
  const corner = (pick: (a: number, b: number) => number, of: 'min' | 'max'): Volume['min'] => {
    const [x, y, z] = axes.map((axis) => pick(one[of][axis], other[of][axis]));
    return { x: x ?? 0, y: y ?? 0, z: z ?? 0 };
  };
  return { min: corner(Math.max, 'min'), max: corner(Math.min, 'max') };
}
