import type { Farm } from '../farm/farm';

/** Changes that come together are told once (ms). */
const gathering = 100;
/** Nobody is told more often (ms). */
const pause = 250;

/**
 * Tells that something of the farm has changed, a job, a printer, a bed or the plan: at once, but not more often than four times
 * a second, and never less than once after the last change.
 * @returns ends it
 */
export async function listenToChanges(farm: Farm, told: () => void): Promise<() => void> {
  let timer: NodeJS.Timeout | undefined;
  let last = Number.NEGATIVE_INFINITY;
  const unlisten = await farm.database.listen((payload) => {
    const matters = ['plan', 'event', 'reconnected'].includes(payload) || payload.startsWith('job:');
    if (!matters || timer) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        told();
      },
      Math.max(gathering, pause - (performance.now() - last)),
    );
  });
  return () => {
    clearTimeout(timer);
    unlisten();
  };
}
