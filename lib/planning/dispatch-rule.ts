import type { Schedule } from './schedule';

/**
 * The dispatch rule, which always gives a plan within milliseconds: on the printer that is free first, the job of the
 * highest apparent tardiness cost with setups (Lee, Bhaskaran & Pinedo 1997), multiplied by factors for the time that
 * the printer would wait for the operator after it and for how much faster another printer would be.
 *
 * @param count the number of tasks to place
 */
export function dispatchOrder(schedule: Schedule, count = schedule.tasks.length): number[][] {
  const { tasks, printers, calendar, clearMinutes, changeMinutes } = schedule;
  const order: number[][] = printers.map(() => []);
  const states = printers.map((printer) => ({
    time: printer.full ? calendar.next(printer.free, clearMinutes) + clearMinutes : printer.free,
    loaded: [...printer.loaded],
  }));
  const fastest = tasks.map((task) => Math.min(...task.minutes));
  let waiting = Int32Array.from(fastest.keys()).filter((index) => index < count && Number.isFinite(fastest[index]));
  const taken = new Uint8Array(tasks.length);
  let left = waiting.length;
  let mean = 0;
  for (const index of waiting) mean += fastest[index] as number;
  mean /= Math.max(1, waiting.length);
  /** The value of a task on a printer if it is late, needs no setup and leaves no gap: the upper bound of its value. */
  const heads = printers.map((_, machine) =>
    Float64Array.from(tasks, (task, index) => {
      const length = task.minutes[machine] as number;
      return length === Number.POSITIVE_INFINITY
        ? Number.NEGATIVE_INFINITY
        : Math.log((task.weight / length) * ((fastest[index] as number) / length));
    }),
  );
  const closed = new Set<number>();
  while (left > 0 && closed.size < printers.length) {
    let machine = -1;
    let time = Number.POSITIVE_INFINITY;
    for (const [index, state] of states.entries()) {
      if (closed.has(index) || !(state.time < time)) continue;
      machine = index;
      time = state.time;
    }
    if (machine < 0) break;
    const state = states[machine] as (typeof states)[number];
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    let bestEnd = 0;
    const head = heads[machine] as Float64Array;
    if (left < waiting.length / 2) waiting = waiting.filter((index) => taken[index] === 0);
    for (let k = 0; k < waiting.length; k++) {
      const index = waiting[k] as number;
      if (taken[index] === 1 || !((head[index] as number) > highest)) continue;
      const task = tasks[index] as (typeof tasks)[number];
      const length = task.minutes[machine] as number;
      let missing = 0;
      for (const material of task.materials) if (!state.loaded.includes(material)) missing++;
      const ready = Math.max(time, task.release);
      const begin = missing > 0 ? calendar.next(ready, missing * changeMinutes) : ready;
      const end = schedule.allowed(machine, begin + missing * changeMinutes, length) + length;
      const idle = begin - time + calendar.next(end, clearMinutes) - end;
      const due = Math.min(task.due, task.softDue);
      const slack = Math.max(0, due - length - time);
      const value = (head[index] as number) - slack / (2 * mean) - missing - idle / (0.3 * mean);
      if (value > highest) {
        highest = value;
        best = index;
        bestEnd = end;
      }
    }
    if (best < 0) {
      closed.add(machine);
      continue;
    }
    taken[best] = 1;
    left--;
    order[machine]?.push(best);
    const materials = tasks[best]?.materials ?? [];
    for (const material of materials) {
      if (state.loaded.includes(material)) continue;
      const slot = state.loaded.findIndex((held) => !materials.includes(held));
      if (slot >= 0) state.loaded[slot] = material;
    }
    state.time = calendar.next(bestEnd, clearMinutes) + clearMinutes;
  }
  return order;
}
