/** The motion limits of a machine, in mm, s; changed by M201, M203, M204 and M205 in a file. */
export interface MotionLimits {
  printAcceleration: number;
  travelAcceleration: number;
  retractAcceleration: number;
  /** x, y, z, e */
  maxAcceleration: [number, number, number, number];
  maxSpeed: [number, number, number, number];
  /** The instantaneous change of speed of an axis (jerk). */
  jerk: [number, number, number, number];
  /** mm; above 0 it replaces the jerk (Marlin 2). */
  junctionDeviation: number;
}

/** A machine of the class that all three makes belong to. */
export const usualLimits: MotionLimits = {
  printAcceleration: 5000,
  travelAcceleration: 5000,
  retractAcceleration: 5000,
  maxAcceleration: [10000, 10000, 500, 10000],
  maxSpeed: [500, 500, 30, 60],
  jerk: [9, 9, 2, 3],
  junctionDeviation: 0,
};

const capacity = 256;
const settled = 192;

/**
 * Computes the duration of moves: each move accelerates, cruises and brakes (a trapezoid); between two moves the speed is bounded
 * by the jerk of each axis, or by the junction deviation; a look-ahead over some 64 to 256 moves keeps every move able
 * to stop at the end of the known moves, as firmware does.
 */
export class MotionEstimator {
  readonly limits: MotionLimits;
  private elapsed = 0;
  private count = 0;
  private entrySpeed = 0;
  private readonly length = new Float64Array(capacity);
  private readonly cruise = new Float64Array(capacity);
  private readonly acceleration = new Float64Array(capacity);
  private readonly entryLimit = new Float64Array(capacity + 1);
  private readonly previous = new Float64Array(4);
  private readonly direction = new Float64Array(4);
  private previousCruise = 0;

  constructor(limits: MotionLimits = usualLimits) {
    this.limits = {
      ...limits,
      maxAcceleration: [...limits.maxAcceleration],
      maxSpeed: [...limits.maxSpeed],
      jerk: [...limits.jerk],
    };
  }

  /** Adds a move by the given distances (mm) at a feed rate (mm/s). */
  move(dx: number, dy: number, dz: number, de: number, speed: number): void {
    const travel = Math.sqrt(dx * dx + dy * dy + dz * dz);
    const length = travel > 0 ? travel : Math.abs(de);
    if (!(length > 0) || !(speed > 0) || length === Number.POSITIVE_INFINITY) return;
    const limits = this.limits;
    const direction = this.direction;
    direction[0] = dx / length;
    direction[1] = dy / length;
    direction[2] = dz / length;
    direction[3] = de / length;
    let cruise = speed;
    let acceleration =
      travel === 0 ? limits.retractAcceleration : de > 0 ? limits.printAcceleration : limits.travelAcceleration;
    for (let axis = 0; axis < 4; axis++) {
      const share = Math.abs(direction[axis] ?? 0);
      if (share < 1e-6) continue;
      cruise = Math.min(cruise, (limits.maxSpeed[axis] ?? 1) / share);
      acceleration = Math.min(acceleration, (limits.maxAcceleration[axis] ?? 1) / share);
    }
    const at = this.count++;
    this.length[at] = length;
    this.cruise[at] = cruise;
    this.acceleration[at] = acceleration;
    this.entryLimit[at] = this.junctionSpeed(cruise, acceleration);
    this.previous.set(direction);
    this.previousCruise = cruise;
    if (this.count === capacity) this.settle(settled);
  }

  /** Adds a pause. */
  pause(seconds: number): void {
    this.settle(this.count);
    this.previousCruise = 0;
    if (seconds > 0 && Number.isFinite(seconds)) this.elapsed += seconds;
  }

  /** Seconds of all moves so far; the machine stands still at the end. */
  seconds(): number {
    this.settle(this.count);
    this.previousCruise = 0;
    return this.elapsed;
  }

  private junctionSpeed(cruise: number, acceleration: number): number {
    let speed = Math.min(cruise, this.previousCruise);
    if (speed === 0) return 0;
    const { junctionDeviation, jerk } = this.limits;
    if (junctionDeviation > 0) {
      let cosine = 0;
      for (let axis = 0; axis < 3; axis++) cosine -= (this.previous[axis] ?? 0) * (this.direction[axis] ?? 0);
      if (cosine > 0.999999) return 0;
      const sine = Math.sqrt((1 - Math.max(cosine, -0.999999)) / 2);
      return Math.min(speed, Math.sqrt((acceleration * junctionDeviation * sine) / (1 - sine)));
    }
    for (let axis = 0; axis < 4; axis++) {
      const turn = Math.abs((this.direction[axis] ?? 0) - (this.previous[axis] ?? 0));
      if (turn > 1e-9) speed = Math.min(speed, (jerk[axis] ?? 0) / turn);
    }
    return speed;
  }

  /** Finalises the first `moves` moves, knowing that the machine can stop after the last one. */
  private settle(moves: number): void {
    const { length, cruise, acceleration, entryLimit } = this;
    entryLimit[this.count] = 0;
    for (let i = this.count - 1; i > 0; i--) {
      const next = entryLimit[i + 1] ?? 0;
      const reachable = Math.sqrt(next * next + 2 * (acceleration[i] ?? 0) * (length[i] ?? 0));
      if (reachable < (entryLimit[i] ?? 0)) entryLimit[i] = reachable;
    }
    let speed = this.entrySpeed;
    for (let i = 0; i < moves; i++) {
      const a = acceleration[i] ?? 1;
      const way = length[i] ?? 0;
      const top = cruise[i] ?? 1;
      speed = Math.min(speed, top);
      const exit = Math.min(entryLimit[i + 1] ?? 0, Math.sqrt(speed * speed + 2 * a * way));
      this.elapsed += trapezoidSeconds(way, speed, top, exit, a);
      speed = exit;
    }
    this.entrySpeed = speed;
    const left = this.count - moves;
    for (const values of [length, cruise, acceleration, entryLimit]) values.copyWithin(0, moves, moves + left);
    this.count = left;
  }
}

/** Seconds for a distance with entry speed `entry`, maximum speed `top` and exit speed `exit`. */
function trapezoidSeconds(way: number, entry: number, top: number, exit: number, acceleration: number): number {
  const speedUp = (top * top - entry * entry) / (2 * acceleration);
  const slowDown = (top * top - exit * exit) / (2 * acceleration);
  const cruising = way - speedUp - slowDown;
  if (cruising >= 0) return (2 * top - entry - exit) / acceleration + cruising / top;
  const peak = Math.sqrt(Math.max(acceleration * way + (entry * entry + exit * exit) / 2, 0));
  return Math.max(2 * peak - entry - exit, 0) / acceleration;
}
