import type { PrintEngine } from './print-engine';
import { type PrintJob, toolAt } from './print-run';

export interface Temperature {
  current: number;
  target: number;
}

export interface Temperatures {
  /** The tool that extrudes, or did last. */
  active: number;
  /** Of that tool. */
  nozzle: Temperature;
  /** Of any tool, by its number. */
  tool(number: number): Temperature;
  bed: Temperature;
}

export const AMBIENT_CELSIUS = 25;

/** Plausible temperatures (degrees Celsius) for what the engine is doing: rising, held with a ripple, cooling down. */
export function temperaturesOf(engine: PrintEngine): Temperatures {
  const { run, last, progress } = engine;
  const job = run?.job ?? last?.job;
  if (job === undefined || progress === undefined) return { active: 0, nozzle: still(), tool: still, bed: still() };
  const active = toolAt(job, run === null && last !== null ? last.fraction : progress.fraction);
  const tool = (number: number): Temperature => {
    const target = targetOf(job, number, active);
    return target === 0 ? still() : heated(engine, target, 120);
  };
  return { active, nozzle: tool(active), tool, bed: heated(engine, job.facts.bedTarget || 60, 600) };
}

/** A file that sets no temperature is printed at a usual one. */
function targetOf(job: PrintJob, tool: number, active: number): number {
  const targets = job.toolTargets ?? [];
  if (targets.some((target) => target > 0)) return targets[tool] ?? 0;
  return tool === active ? job.facts.nozzleTarget || 210 : 0;
}

/** A heater with this target now; it halves its distance to the room in `halfLife` printer seconds when it is off. */
function heated(engine: PrintEngine, target: number, halfLife: number): Temperature {
  const { run, last, progress } = engine;
  if (run !== null && progress !== undefined) {
    if (run.startedAt === null || progress.stage === 'accepted' || progress.stage === 'preparing') return still();
    return progress.stage === 'heating' ? rising(target, progress.stageFraction) : held(target);
  }
  if (last === null || last.startedAt === null) return still();
  return cooling(target, engine.secondsSince(last.endedAt), halfLife);
}

function still(): Temperature {
  return { current: AMBIENT_CELSIUS, target: 0 };
}

function rising(target: number, fraction: number): Temperature {
  return { current: AMBIENT_CELSIUS + (target - AMBIENT_CELSIUS) * fraction, target };
}

function held(target: number): Temperature {
  return { current: target + 0.3 * Math.sin(Date.now() / 3000), target };
}

function cooling(from: number, seconds: number, halfLife: number): Temperature {
  return { current: AMBIENT_CELSIUS + (from - AMBIENT_CELSIUS) * 0.5 ** (seconds / halfLife), target: 0 };
}
