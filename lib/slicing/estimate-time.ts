import type { SlicingSettings } from './defaults';
import type { Habits } from './estimate-habits';
import type { LayerAmounts } from './estimate-layers';

/** Cooling slows no line below this, mm/s. */
const slowestSpeed = 10;
/** mm/s that an axis takes at once, as both slicers reckon. */
const jerk = 9;
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
  const { speed, acceleration } = settings;
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
  const drawing = parts.reduce((sum, [length, at]) => sum + length / at, 0);
  const slowest = parts.reduce((sum, [length, at]) => sum + length / Math.min(at, slowestSpeed), 0);
  const bridging = bridge / pace(Math.min(speed, 40));
  const stop = (at: number) => (habits.stops * Math.max(0, at - jerk) ** 2) / (at * acceleration);
  const lift = habits.liftMm > 0 ? 4 * Math.sqrt(habits.liftMm / liftAcceleration) : 0;
  const retraction = (2 * settings.retractLength) / settings.retractSpeed + lift;
  const way = (mm: number) => mm / settings.travelSpeed + Math.sqrt(Math.max(0, mm) / acceleration);
  const pieceWay = way(amounts.loops > 0 ? amounts.travel / Math.max(1, amounts.pieces) : 0);
  const travels = habits.travelsPerLoop * amounts.loops + habits.travelsPerPiece * amounts.pieces;
  const betweenSparse = habits.joinsLines
    ? 0
    : way(amounts.sparseSpacing) + (amounts.sparseSpacing > retractBeyondMm ? retraction : 0);
  const betweenSolid = habits.joinsLines ? 0 : way(0.4);
  const travelling =
    travels * (pieceWay + retraction) + amounts.sparseLines * betweenSparse + amounts.solidLines * betweenSolid;
  const stopping =
    (amounts.corners + amounts.solidLines * 2 + amounts.sparseLines * 2) * stop(pace(speed)) + habits.secondsPerLayer;
  const counted = habits.coolingCountsAll ? travelling + bridging + (first ? approach : 0) : 0;
  const wanted = settings.shortestLayerSeconds;
  const cooled = Math.max(drawing, Math.min(slowest, wanted - counted));
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
