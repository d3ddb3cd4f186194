/**
 * The differences between two slicers with the same settings that affect grams and hours. Values marked as fitted were
 * fitted to one half of the models of `npm run bench:estimate` and to its drawn shapes; the others follow from the
 * slicers' sources. PrusaSlicer's are of version 2.5: what `prusaProfile` sets, its defaults for the rest
 * (`PrintConfig.cpp`), and its sources where they are named. Ours are those of `toolpaths.ts`, `infill.ts` and
 * `gcode-writer.ts`.
 */
export interface Habits {
  /**
   * Whether walls change their width to fill thin parts too (Arachne); otherwise regions too thin for a line stay
   * empty.
   */
  fillsThinParts: boolean;
  /** Whether the outermost line lies half of its width inside the outline; else half of the lines' spacing. */
  outlineByWidth: boolean;
  /** Whether lines around a part have its corners; else they are round there. */
  mitres: boolean;
  /** How far infill reaches under the walls, in spacings; fitted. */
  overlap: number;
  /** Pieces of sparse infill below this are solid, mm² (`solid_infill_below_area`). */
  solidBelowMm2: number;
  /** Lines that those of sparse infill end before the edge of what they fill. */
  lineEnds: number;
  /** What runs along the walls from one line of sparse infill to the next, as a share of the walls' length; fitted. */
  anchors: number;
  /** Whether the lowest solid layer over sparse infill, and what hangs over air, is a bridge: thick round lines. */
  bridges: boolean;
  /** mm that a skin reaches into the part beyond the face that it is made for (`EXTERNAL_INFILL_MARGIN`). */
  skinMargin: number;
  /**
   * Lines by which the band of a slope is wider than it must be; one of twice as many lines is left as it is
   * (`discover_horizontal_shells`).
   */
  bandMargin: number;
  /** Lines that a skin must be wide in a part without infill (there too). */
  narrowestHollowSkin: number;
  /** Of the speed of inner lines. */
  solidSpeed: number;
  topSpeed: number;
  /** Whether loops shorter than 41 mm are drawn at half of the speed (`SMALL_PERIMETER_LENGTH`). */
  slowSmallLoops: boolean;
  /** mm of lifting before a travel. */
  liftMm: number;
  /** Whether travel, bridges and the skirt count for the shortest time of a layer. */
  coolingCountsAll: boolean;
  /** Whether lines of infill are joined along the walls; else each begins with a travel. */
  joinsLines: boolean;
  /** Seconds that a layer takes beside its lines; fitted. */
  secondsPerLayer: number;
  /** Whether the walls of the same depth in all outlines are drawn before the next; else those of an outline. */
  wallByWall: boolean;
  /** How many travels with a retraction a piece of infill needs; fitted. */
  travelsPerPiece: number;
  /** The same for each corner of a part so thin that its walls meet, and are drawn in several pieces; fitted. */
  travelsPerOddCorner: number;
  /** Slow ends of a line of infill: its own, and that of what joins it to the next. */
  stopsPerLine: number;
  /** mm/s, whatever the settings say: of the machine that the slicer assumes. */
  fastest: number;
  /** Slow corners for each that the outline has, and for each loop; fitted. */
  cornersPerLoop: number;
}

export const prusaHabits: Habits = {
  fillsThinParts: true,
  outlineByWidth: true,
  mitres: false,
  overlap: 0.25,
  solidBelowMm2: 70,
  lineEnds: 0.5,
  anchors: 0.35,
  bridges: true,
  skinMargin: 3,
  bandMargin: 3,
  narrowestHollowSkin: 2,
  solidSpeed: 1,
  topSpeed: 0.7,
  slowSmallLoops: true,
  liftMm: 0.2,
  coolingCountsAll: true,
  joinsLines: true,
  secondsPerLayer: 0.15,
  wallByWall: false,
  travelsPerPiece: 2,
  travelsPerOddCorner: 0.2,
  stopsPerLine: 2,
  fastest: 300,
  cornersPerLoop: 1,
};

export const builtInHabits: Habits = {
  fillsThinParts: false,
  outlineByWidth: false,
  mitres: true,
  overlap: 0,
  solidBelowMm2: 0,
  lineEnds: 0,
  anchors: 0,
  bridges: false,
  skinMargin: 0.4,
  bandMargin: 1,
  narrowestHollowSkin: 0,
  solidSpeed: 0.8,
  topSpeed: 0.8,
  slowSmallLoops: false,
  liftMm: 0,
  coolingCountsAll: false,
  joinsLines: false,
  secondsPerLayer: 0.1,
  wallByWall: true,
  travelsPerPiece: 1,
  travelsPerOddCorner: 0,
  stopsPerLine: 1,
  fastest: 500,
  cornersPerLoop: 1,
};
