import type { Decision, Policy, QueuedJob, SimulatedPrinter, World } from './simulation';
import { fits } from './stream';

/** The operator's filament change for a job without a plan: the slots that rested longest. */
export function plainChanges(printer: SimulatedPrinter, job: QueuedJob): Decision['changes'] {
  const changes: Decision['changes'] = [];
  const loaded = [...printer.loaded];
  for (const material of job.own.materials) {
    if (loaded.includes(material)) continue;
    const free = loaded
      .map((held, slot) => ({ held, slot, used: held === '' ? -1 : (printer.used[slot] ?? 0) }))
      .filter(({ held }) => !job.own.materials.includes(held))
      .sort((a, b) => a.used - b.used)[0];
    if (!free) continue;
    loaded[free.slot] = material;
    changes.push({ slot: free.slot, material });
  }
  return changes;
}

function greedy(
  name: string,
  key: (job: QueuedJob, printer: SimulatedPrinter, now: number) => number[],
  able: (job: QueuedJob, printer: SimulatedPrinter) => boolean,
): Policy {
  return {
    name,
    decide(world: World): Decision[] {
      const decisions: Decision[] = [];
      const taken = new Set<QueuedJob>();
      for (const printer of world.printers) {
        if (printer.state !== 'idle') continue;
        let best: { job: QueuedJob; key: number[]; changes: Decision['changes'] } | null = null;
        for (const job of world.queue) {
          if (taken.has(job) || !able(job, printer)) continue;
          const changes = plainChanges(printer, job);
          if (changes.length > 0 && !world.couldChange(changes.length)) continue;
          const own = key(job, printer, world.now);
          if (best === null || before(own, best.key)) best = { job, key: own, changes };
        }
        if (!best) continue;
        taken.add(best.job);
        decisions.push({ printer, job: best.job, changes: best.changes });
      }
      return decisions;
    },
  };
}

function before(a: number[], b: number[]): boolean {
  for (const [index, value] of a.entries()) {
    if (value !== b[index]) return value < (b[index] ?? 0);
  }
  return false;
}

const trueFit = (job: QueuedJob, printer: SimulatedPrinter): boolean => fits(job.own, printer.own);

/** Oldest first. */
export const fifo = (): Policy => greedy('fifo', (job) => [job.own.arrive_min, job.own.id], trueFit);

/** Nearest deadline first, jobs without one last, then oldest. */
export const edd = (): Policy =>
  greedy('edd', (job) => [job.own.due_min ?? Number.POSITIVE_INFINITY, job.own.arrive_min, job.own.id], trueFit);

/** The plain greedy rule: deadline within 24 h, material match, priority, age; the largest dimension against the smallest edge. */
export const seed = (): Policy =>
  greedy(
    'seed',
    (job, printer, now) => [
      job.own.due_min !== null && job.own.due_min <= now + 1440 ? 0 : 1,
      job.own.materials[0] === printer.lastMaterial ? 0 : 1,
      job.own.priority,
      job.own.arrive_min,
      job.own.id,
    ],
    (job, printer) => trueFit(job, printer) && Math.max(...job.own.dim_mm) <= Math.min(...printer.own.volume_mm),
  );

/** Oldest first, and the next print only when the previous one is done and cleared: each job on its fastest printer. */
export function sequential(): Policy {
  return {
    name: 'sequential',
    decide(world: World): Decision[] {
      if (world.printers.some((printer) => printer.state !== 'idle')) return [];
      const [job] = [...world.queue].sort((a, b) => a.own.arrive_min - b.own.arrive_min || a.own.id - b.own.id);
      if (!job) return [];
      const printer = world.printers
        .filter((one) => trueFit(job, one))
        .sort((a, b) => a.own.speed_factor - b.own.speed_factor)[0];
      if (!printer) return [];
      const changes = plainChanges(printer, job);
      return changes.length > 0 && !world.couldChange(changes.length) ? [] : [{ printer, job, changes }];
    },
  };
}
