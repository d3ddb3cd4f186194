import type { PrintEngine } from './print-engine';

export interface Temperatures {
  nozzle: { current: number; target: number };
  bed: { current: number; target: number };
}

export const AMBIENT_CELSIUS = 25;

/** Plausible temperatures (degrees Celsius) for what the engine is doing: rising, held with a ripple, cooling down. */
export function temperaturesOf(engine: PrintEngine): Temperatures {
  const { run, last, progress } = engine;
  const job = run?.job ?? last?.job;
  if (job === undefined || progress === undefined) return { nozzle: still(), bed: still() };
  const nozzle = job.facts.nozzleTarget || 210;
  const bed = job.facts.bedTarget || 60;
  if (run !== null) {
    if (run.startedAt === null || progress.stage === 'accepted' || progress.stage === 'preparing') {
      return { nozzle: still(), bed: still() };
    }
    if (progress.stage === 'heating') {
      return { nozzle: rising(nozzle, progress.stageFraction), bed: rising(bed, progress.stageFraction) };
    }
    return { nozzle: held(nozzle), bed: held(bed) };
  }
  if (last === null || last.startedAt === null) return { nozzle: still(), bed: still() };
  const seconds = engine.secondsSince(last.endedAt);
  return { nozzle: cooling(nozzle, seconds, 120), bed: cooling(bed, seconds, 600) };
}

function still(): { current: number; target: number } {
  return { current: AMBIENT_CELSIUS, target: 0 };
}

function rising(target: number, fraction: number): { current: number; target: number } {
  return { current: AMBIENT_CELSIUS + (target - AMBIENT_CELSIUS) * fraction, target };
}

function held(target: number): { current: number; target: number } {
  return { current: target + 0.3 * Math.sin(Date.now() / 3000), target };
}

function cooling(from: number, seconds: number, halfLife: number): { current: number; target: number } {
  return { current: AMBIENT_CELSIUS + (from - AMBIENT_CELSIUS) * 0.5 ** (seconds / halfLife), target: 0 };
}
