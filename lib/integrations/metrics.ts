import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Farm } from '../farm/farm';
import { printerStates } from '../model/printer';
import { jobStatuses } from '../model/status';
import { alertsOf } from '../planning/promise';
import { StandingPlan } from '../schedule/standing-plan';
import { figures } from '../store/figures';
import { printers } from '../views/queries';

/** The media type of the Prometheus text format. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE;

/** The states, as `printers` returns them. */
const states = ['offline', ...printerStates];

let ofProcess: Registry | undefined;

/** Memory, processor and event loop; one set per process, regardless of the number of farms. */
function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Returns all metrics of the farm in the Prometheus text format. */
export async function metrics(farm: Farm): Promise<string> {
  const parts = [await farmMetrics(farm), farm.requestDurations.registry, processMetrics()];
  return Registry.merge(parts as Parameters<typeof Registry.merge>[0]).metrics();
}

async function farmMetrics(farm: Farm): Promise<Registry> {
  const registry = new Registry();
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> =>
    new Gauge({ name: `platewise_${name}`, help, labelNames, registers: [registry] });
  const counted = await farm.database.read(figures);
  const machines = (await printers(farm)).printers;

  const jobs = gauge('jobs', 'Jobs by status.', ['status']);
  for (const status of jobStatuses) jobs.set({ status }, counted.jobs[status] ?? 0);

  const machinesBy = gauge('printers', 'Printers by state; offline: no recent report.', ['state']);
  for (const state of states) machinesBy.set({ state }, machines.filter((one) => one.state === state).length);
  const beds = gauge('beds', 'Beds by state.', ['state']);
  for (const state of ['clear', 'occupied'])
    beds.set({ state }, machines.filter((one) => one.bed.state === state).length);

  const ended = new Counter({
    name: 'platewise_attempts_ended_total',
    help: 'Attempts that have ended, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const [outcome, count] of Object.entries(counted.ended)) ended.inc({ outcome }, count);

  const waited = gauge('queue_wait_seconds', 'How long the jobs that could be planned have waited.', ['quantile']);
  if (counted.waited) {
    waited.set({ quantile: '0.5' }, counted.waited.half);
    waited.set({ quantile: '0.9' }, counted.waited.most);
    waited.set({ quantile: '1' }, counted.waited.all);
  }

  const unsent = gauge('outbox_messages', 'Unpublished messages, by kind.', ['kind']);
  for (const kind of ['dispatch', 'status', 'dead_letter']) unsent.set({ kind }, counted.unsent[kind] ?? 0);
  gauge('outbox_oldest_seconds', 'Age of the oldest unpublished message.').set(counted.oldestUnsent);
  gauge('dead_letters', 'Open dead letters.').set(counted.deadLetters);

  const dropped = 'Messages from the broker that this process could not read and dropped.';
  new Counter({ name: 'platewise_messages_dropped_total', help: dropped, registers: [registry] }).inc(
    farm.dropped.count,
  );

  const { last } = farm.part(StandingPlan);
  if (last) {
    gauge('plan_age_seconds', 'Age of the last plan of this process.').set((performance.now() - last.at) / 1000);
    if (last.plan.value) {
      gauge('plan_gap_ratio', 'The largest share of its cost that any plan could save.').set(last.plan.value.gap);
    }
    const risk = 'Jobs whose deadline the last plan of this process misses.';
    gauge('deadlines_at_risk', risk).set(alertsOf(last.snapshot, last.plan).length);
  }
  return registry;
}
