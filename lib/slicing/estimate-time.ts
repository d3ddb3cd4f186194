import type { SlicingSettings } from './defaults';
import type { Habits } from './estimate-habits';
import type { LayerAmounts } from './estimate-layers';

/** Cooling slows no line below this, mm/s. */
const slowestSpeed = 10;
/** The instantaneous change of speed of an axis in both slicers' models, mm/s. */
const jerk = 9;
/** mm/s of filament. */
const fastestFilament = 60;
/** mm/s² of the vertical axis. */
const liftAcceleration = 500;
/** Shorter ways are travelled without pulling the filament back, mm. */
const retractBeyondMm = 2;

/** Seconds of one layer, by what they are for. */
export interface LayerTime {
  /** Lines that cooling may slow down, as slow as they are then. */
  drawing: number;
  /** Bridges, which it does not slow down. */
  bridging: number;
  /** Travels with their retractions and lifts. */
  travelling: number;
  /** What corners and the ends of lines cost. */
  stopping: number;
}

/**
 * Seconds of one layer.
 *
 * @param approach seconds of the way to the part, before the first layer
 */
export function layerTime(
  amounts: LayerAmounts,
  first: boolean,
  settings: SlicingSettings,
  habits: Habits,
  approach = 0,
): LayerTime {
  const { acceleration } = settings;
  const speed = Math.min(settings.speed, habits.fastest);
  const travelSpeed = Math.min(settings.travelSpeed, habits.fastest);
  const pace = (wanted: number) => Math.max(0.1, first ? Math.min(wanted, settings.firstLayerSpeed) : wanted);
  const { outerWalls, innerWalls, smallOuterWalls, smallInnerWalls, solid, top, bridge, sparse, support, brim } =
    amounts;
  const parts: [length: number, speed: number][] = [
    [outerWalls - smallOuterWalls, pace(0.6 * speed)],
    [innerWalls - smallInnerWalls, pace(speed)],
    [smallOuterWalls + smallInnerWalls, pace(0.5 * speed)],
    [solid, pace(habits.solidSpeed * speed)],
    [top, pace(habits.topSpeed * speed)],
    [sparse, pace(speed)],
    [support + brim + (habits.coolingCountsAll ? amounts.skirt : 0), pace(speed)],
  ];
  const length = parts.reduce((sum, [mm]) => sum + mm, 0);
  const drawing = parts.reduce((sum, [mm, at]) => sum + mm / at, 0);
  const slowest = parts.reduce((sum, [mm, at]) => sum + mm / Math.min(at, slowestSpeed), 0);
  const bridging = bridge / pace(Math.min(speed, 40));
  const lift = habits.liftMm > 0 ? 4 * Math.sqrt(habits.liftMm / liftAcceleration) : 0;
  const retraction = (2 * settings.retractLength) / Math.min(settings.retractSpeed, fastestFilament) + lift;
  const way = (mm: number) => fromRestToRest(mm, travelSpeed, acceleration);
  const { outlines, islands, pieces, loops } = amounts;
  const pieceTravels = habits.travelsPerPiece * pieces;
  // walls of one outline follow each other, or those of the same depth in all outlines
  const wallTravels = habits.wallByWall && outlines > 1 ? loops : outlines;
  const long = wallTravels + pieceTravels + habits.travelsPerOddCorner * amounts.oddCorners;
  const between = islands > 1 ? (habits.wallByWall ? (wallTravels * islands) / outlines : islands) : 0;
  // ways are spread about their mean, exponentially; the filament is pulled back on long ones
  const trip = (mm: number) => way(mm) + (mm > 0 ? retraction * Math.exp(-retractBeyondMm / mm) : 0);
  const betweenSparse = habits.joinsLines
    ? 0
    : way(amounts.sparseSpacing) + (amounts.sparseSpacing > retractBeyondMm ? retraction : 0);
  const betweenSolid = habits.joinsLines ? 0 : way(0.4);
  const toWalls = Math.max(0, wallTravels - between);
  const travelling =
    between * trip(amounts.apart) +
    toWalls * trip(habits.wallByWall ? amounts.thickness : amounts.travel) +
    (long - between - toWalls) * trip(amounts.travel) +
    Math.max(0, loops - wallTravels) * way(0.4) +
    amounts.sparseLines * betweenSparse +
    amounts.solidLines * betweenSolid;
  const counted = habits.coolingCountsAll ? travelling + bridging + (first ? approach : 0) : 0;
  const wanted = settings.shortestLayerSeconds;
  const cooled = Math.max(drawing, Math.min(slowest, wanted - counted));
  const meanSpeed = cooled > 0 ? length / cooled : pace(speed);
  const stops = amounts.corners + habits.stopsPerLine * (amounts.solidLines + amounts.sparseLines);
  const mean = stops > 0 ? length / stops : 0;
  const stopping = stops * lostBetweenStops(mean, meanSpeed, acceleration) + habits.secondsPerLayer;
  // slowed down like the other lines though it does not count
  const skirt = habits.coolingCountsAll
    ? 0
    : (Math.max(1, cooled / Math.max(drawing, 1e-9)) * amounts.skirt) / pace(speed);
  return {
    drawing: cooled + Math.min(skirt, amounts.skirt / Math.min(pace(speed), slowestSpeed)),
    bridging,
    travelling,
    stopping,
  };
}

/** Seconds for a way (mm) from standstill to standstill, at most at a speed. */
function fromRestToRest(mm: number, speed: number, acceleration: number): number {
  return mm * acceleration >= speed ** 2 ? mm / speed + speed / acceleration : 2 * Math.sqrt(mm / acceleration);
}

/**
 * What a line costs beyond its length over its speed when the machine slows down to its jerk at both ends: it speeds up
 * and brakes, and may be too short to become as fast.
 */
function lostBetweenStops(mm: number, speed: number, acceleration: number): number {
  if (speed <= jerk) return 0;
  if (mm * acceleration >= speed ** 2 - jerk ** 2) return (speed - jerk) ** 2 / (speed * acceleration);
  return (2 * (Math.sqrt(jerk ** 2 + acceleration * mm) - jerk)) / acceleration - mm / speed;
}
