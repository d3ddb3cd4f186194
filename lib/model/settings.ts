/** What a submitter may choose for a print. Everything is optional; what is left out comes from material and printer. */
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
}
