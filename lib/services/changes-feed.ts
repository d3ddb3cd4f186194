import type { Farm } from '../farm/farm';

/** Changes within this interval are reported as one (ms). */
const gathering = 100;
/** Minimum notification interval (ms). */
const pause = 250;

/**
 * Reports that something of the farm has changed: a job, a printer, a bed or the plan. It reports immediately, but at most four times
 * a second, and at least once after the last change.
 * @returns a function that ends it
 */
export async function listenToChanges(farm: Farm, changed: () => void): Promise<() => void> {
  let timer: NodeJS.Timeout | undefined;
  let last = Number.NEGATIVE_INFINITY;
  const unlisten = await farm.database.listen((payload) => {
    const matters = ['plan', 'event', 'reconnected'].includes(payload) || payload.startsWith('job:');
    if (!matters || timer) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        changed();
      },
      Math.max(gathering, pause - (performance.now() - last)),
    );
  });
  return () => {
    clearTimeout(timer);
    unlisten();
  };
}
