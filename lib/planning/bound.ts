import type { Schedule } from './schedule';

/**
 * A cost that no plan of these jobs undercuts: tardiness as if each job had its best printer to itself, plus flow by
 * the larger of that and the bound of Eastman, Even & Isaacs (1964) for weighted completion on equal printers, each job
 * at its shortest and with the clearing of its bed. Filament changes, nights and promises are assumed to cost nothing.
 */
export function lowerBound(schedule: Schedule): number {
  const { tasks, printers, calendar, clearMinutes, weights } = schedule;
  const ready = printers.map((printer) =>
    printer.full ? calendar.next(printer.free, clearMinutes) + clearMinutes : printer.free,
  );
  let alone = 0;
  let tardiness = 0;
  let clearing = 0;
  const short: { weight: number; length: number }[] = [];
  for (const task of tasks) {
    let least = Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    let length = Number.POSITIVE_INFINITY;
    for (const [machine, minutes] of task.minutes.entries()) {
      if (!Number.isFinite(minutes)) continue;
      const end = Math.max(ready[machine] as number, task.release) + minutes;
      // The probability of being late does not always grow with the end; where it may not, it is left out.
      const whole = schedule.taskCost(task, end, minutes) - (task.weight * weights.flow * end) / 60;
      const certain = task.due <= 0 ? (task.weight * (end - task.due)) / 60 : whole;
      least = Math.min(least, certain);
      earliest = Math.min(earliest, end);
      length = Math.min(length, minutes);
    }
    if (!Number.isFinite(earliest)) continue;
    alone += task.weight * earliest;
    tardiness += least;
    // The bed is cleared after every print but those that nothing follows: the clearing of a job's own bed is taken off
    // below.
    short.push({ weight: task.weight, length: length + clearMinutes });
    clearing += task.weight * clearMinutes;
  }
  short.sort((a, b) => b.weight / b.length - a.weight / a.length);
  let time = 0;
  let one = 0;
  let own = 0;
  for (const { weight, length } of short) {
    time += length;
    one += weight * time;
    own += weight * length;
  }
  const m = Math.max(1, printers.length);
  const flow = Math.max(alone, one / m + ((m - 1) / (2 * m)) * own - clearing);
  return tardiness + (weights.flow * flow) / 60 + weights.change * certainChanges(schedule);
}

/** The number of filaments that must be loaded somewhere under any plan. */
function certainChanges({ tasks, printers }: Schedule): number {
  const missing = new Set<number>();
  for (const { minutes, materials } of tasks) {
    const able = printers.filter((_, machine) => Number.isFinite(minutes[machine]));
    if (able.length === 0) continue;
    for (const material of materials) {
      if (!able.some((printer) => printer.loaded.includes(material))) missing.add(material);
    }
  }
  return missing.size;
}
