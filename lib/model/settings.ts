/** What a submitter may choose for a print. Everything is optional; what is left out comes from profile, material and printer. */
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
  /** The name of a profile: `draft`, `standard`, `fine`, or what the operator has written. */
  quality?: string;
}

/** What a quality may be called. */
export const qualityPattern = '^[a-z][a-z0-9_-]{0,30}$';

/** What a retry does differently from what was asked for; see the retry policy. */
export interface RetrySettings {
  /** Of the speed of the first layer. */
  first_layer_speed_factor?: number;
  /** Of all speeds. */
  speed_factor?: number;
  /** °C on top of the bed's temperature. */
  bed_temp_offset?: number;
}
