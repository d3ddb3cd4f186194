import type { Machine } from '../machine';
import { filamentUsed } from '../print-run';
import type { GcodeStore } from './gcode-store';
import type { Profile } from './profiles';
import { type HistoryJob, type MoonrakerState, unixSeconds } from './state';

/** Moonraker's record of jobs; the newest is the last of the list. */
export class History {
  constructor(
    private readonly machine: Machine<MoonrakerState>,
    private readonly profile: Profile,
    private readonly files: GcodeStore,
  ) {}

  get open(): HistoryJob | undefined {
    const newest = this.machine.extra.jobs.at(-1);
    return newest?.status === 'in_progress' ? newest : undefined;
  }

  begin(filename: string): HistoryJob {
    const { extra } = this.machine;
    const number = extra.nextJob ?? this.profile.firstJobNumber;
    extra.nextJob = number + 1;
    const file = this.files.find(filename);
    const job: HistoryJob = {
      job_id: number.toString(16).toUpperCase().padStart(6, '0'),
      filename,
      status: 'in_progress',
      start_time: unixSeconds(this.machine),
      end_time: null,
      print_duration: 0,
      total_duration: 0,
      filament_used: 0,
      metadata: file?.metadata ?? {},
    };
    if (file !== undefined) {
      file.printStartTime = job.start_time;
      file.jobId = job.job_id;
    }
    extra.jobs.push(job);
    this.machine.persist();
    return job;
  }

  /** Closes the open record with what the last print came to. */
  finish(status: HistoryJob['status']): HistoryJob | undefined {
    const job = this.open;
    const { last } = this.machine.engine;
    if (job === undefined) return undefined;
    job.status = status;
    job.end_time = unixSeconds(this.machine);
    if (last !== null && last.job.fileName === job.filename) {
      job.print_duration = last.printSeconds;
      job.total_duration = last.totalSeconds;
      job.filament_used = filamentUsed(last.job, last.fraction);
    }
    this.machine.persist();
    return job;
  }

  find(jobId: string): HistoryJob | undefined {
    return this.machine.extra.jobs.find(({ job_id }) => job_id === jobId);
  }

  list(query: Record<string, unknown>): { count: number; jobs: Record<string, unknown>[] } {
    const number = (name: string): number | undefined => {
      const value = Number(query[name]);
      return query[name] === undefined || Number.isNaN(value) ? undefined : value;
    };
    const since = number('since') ?? -Infinity;
    const before = number('before') ?? Infinity;
    const all = this.machine.faults.isOn('history_lost') ? [] : this.machine.extra.jobs;
    const chosen = all.filter(({ start_time }) => start_time > since && start_time < before);
    if (query.order !== 'asc') chosen.reverse();
    const start = number('start') ?? 0;
    const limit = number('limit') ?? 50;
    const jobs = (limit === 0 ? chosen.slice(start) : chosen.slice(start, start + limit)).map((job) => this.show(job));
    // The old software counts all jobs, the new one those that it sends.
    return { count: this.profile.legacy ? chosen.length : jobs.length, jobs };
  }

  totals(): Record<string, unknown> {
    const { jobs } = this.machine.extra;
    const sum = (of: (job: HistoryJob) => number): number => jobs.reduce((total, job) => total + of(job), 0);
    return {
      job_totals: {
        total_jobs: jobs.length,
        total_time: sum((job) => job.total_duration),
        total_print_time: sum((job) => job.print_duration),
        total_filament_used: sum((job) => job.filament_used),
        longest_job: Math.max(0, ...jobs.map((job) => job.total_duration)),
        longest_print: Math.max(0, ...jobs.map((job) => job.print_duration)),
      },
    };
  }

  /** A job as it is sent. */
  show(job: HistoryJob): Record<string, unknown> {
    const shown = { ...job, exists: this.files.find(job.filename) !== undefined };
    return this.profile.legacy ? shown : { ...shown, user: '_TRUSTED_USER_', auxiliary_data: [] };
  }
}
