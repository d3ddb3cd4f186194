import type { Machine } from '../machine';
import type { SnapmakerState } from './state';

/** The numbers of the push 01/a0 (protocol notes, section 6). */
export const STATUS = {
  idle: 0,
  starting: 1,
  printing: 2,
  pausing: 3,
  paused: 4,
  stopping: 5,
  resuming: 10,
  emergency: 11,
} as const;

/** How long the passing states last, in printer seconds. */
export const PAUSING_SECONDS = 4;
export const RESUMING_SECONDS = 8;
export const STOPPING_SECONDS = 12;

/** The state that the controller reports. */
export function systemStatus(machine: Machine<SnapmakerState>): number {
  const { engine, extra } = machine;
  if (extra.emergencyStopped) return STATUS.emergency;
  const { run, progress } = engine;
  if (run === null || run.startedAt === null) return STATUS.idle;
  if (run.ending !== null || progress?.stage === 'finishing') return STATUS.stopping;
  if (run.paused !== null) {
    return engine.secondsSince(run.paused.at) < PAUSING_SECONDS ? STATUS.pausing : STATUS.paused;
  }
  if (run.resumedAt !== null && engine.secondsSince(run.resumedAt) < RESUMING_SECONDS) return STATUS.resuming;
  return progress?.stage === 'preparing' ? STATUS.starting : STATUS.printing;
}

/** Line and seconds of ac/a0 and ac/a5; both keep their last value until the next start. */
export function printPosition(machine: Machine<SnapmakerState>): { line: number; seconds: number } {
  const { run, progress } = machine.engine;
  if (run === null || run.startedAt === null || progress === undefined) {
    return { line: machine.extra.lastLine, seconds: machine.extra.lastSeconds };
  }
  return { line: progress.line, seconds: Math.floor(progress.totalSeconds) };
}
