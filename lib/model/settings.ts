/** The settings that a submitter may choose for a print. All are optional; defaults come from profile, material and printer. */
export interface PrintSettings {
  /** °C */
  nozzle_temp?: number;
  /** °C */
  bed_temp?: number;
  /** mm */
  layer_height?: number;
  /** percent, 0..100 */
  infill?: number;
  /** mm/s */
  speed?: number;
  supports?: Supports;
  /** Width of a brim around the first layer, mm; 0: none. */
  brim?: number;
  /** Lines of each wall. */
  walls?: number;
  /** Solid layers at the top and at the bottom. */
  top_layers?: number;
  bottom_layers?: number;
  infill_pattern?: InfillPattern;
  seam?: Seam;
  /** mm */
  first_layer_height?: number;
  /** The name of a profile: `draft`, `standard`, `fine`, or one that the operator has written. */
  quality?: string;
}

/** Where supports may be: nowhere, on the bed only (`auto`), or on the part too. */
export const supportKinds = ['none', 'auto', 'everywhere'] as const;
export type Supports = (typeof supportKinds)[number];

export const infillPatterns = ['grid', 'gyroid', 'honeycomb', 'cubic', 'rectilinear', 'lines', 'triangles'] as const;
export type InfillPattern = (typeof infillPatterns)[number];

/** Where the layers of a wall begin and end. */
export const seams = ['nearest', 'aligned', 'rear', 'random'] as const;
export type Seam = (typeof seams)[number];

/** The pattern of the name of a quality. */
export const qualityPattern = '^[a-z][a-z0-9_-]{0,30}$';

/** The changed settings of a retry; see the retry policy. */
export interface RetrySettings {
  /** Factor of the speed of the first layer. */
  first_layer_speed_factor?: number;
  /** Factor of all speeds. */
  speed_factor?: number;
  /** °C added to the bed's temperature. */
  bed_temp_offset?: number;
}
