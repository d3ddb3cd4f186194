import type { Dimensions } from '../model/printer';

/** A box around something (mm). */
export interface Bounds {
  min: Dimensions;
  max: Dimensions;
}
