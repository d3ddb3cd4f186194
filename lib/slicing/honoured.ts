import type { PrintSettings } from '../model/settings';

/** The support of a slicer for each setting: all of its values, none, or only these. */
export type Honoured = { readonly [Name in keyof Required<PrintSettings>]: boolean | readonly PrintSettings[Name][] };

/** The support of a slicer that honours every setting. */
export const honoursAll: Honoured = {
  nozzle_temp: true,
  bed_temp: true,
  layer_height: true,
  infill: true,
  speed: true,
  supports: true,
  brim: true,
  walls: true,
  top_layers: true,
  bottom_layers: true,
  infill_pattern: true,
  seam: true,
  first_layer_height: true,
  quality: true,
};

/** A sentence for each setting that was asked for and that the slicer does not honour. */
export function notHonoured({ name, honours }: { name: string; honours: Honoured }, asked: PrintSettings): string[] {
  const known = Object.keys(honours) as (keyof PrintSettings)[];
  const solid = (asked.infill ?? 0) >= 100 && asked.infill_pattern !== undefined;
  const said = solid ? ['At 100 % infill there is no pattern: infill_pattern is not used.'] : [];
  return said.concat(
    ...known.map((setting) => {
      const value = asked[setting];
      if (value === undefined) return [];
      const honoured = honours[setting];
      const does = typeof honoured === 'boolean' ? honoured : (honoured as readonly unknown[]).includes(value);
      return does ? [] : [`The ${name} slicer does not honour ${setting} (${value}).`];
    }),
  );
}
