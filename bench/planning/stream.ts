import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A job of a stream, with the luck of each of its attempts. Minutes from day 0 00:00. */
export interface StreamJob {
  id: number;
  arrive_min: number;
  slicer_minutes_h2d: number;
  dim_mm: [number, number, number];
  materials: string[];
  priority: number;
  due_min: number | null;
  attempts: { noise: number; fail: boolean; fail_at: number }[];
}

export interface StreamPrinter {
  id: string;
  volume_mm: [number, number, number];
  slots: number;
  speed_factor: number;
  actual_over_slicer_bias: number;
  materials: string[];
  initially_loaded: string[];
}

export interface StreamFarm {
  shift: [string, string];
  clear_min: number;
  swap_min: number;
  printers: StreamPrinter[];
}

const text = (path: string): string => {
  const bytes = readFileSync(path);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
};

/** The jobs of a stream, gzipped or not, by arrival. */
export function readStream(path: string): StreamJob[] {
  const jobs = text(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): StreamJob => JSON.parse(line));
  return jobs.sort((a, b) => a.arrive_min - b.arrive_min || a.id - b.id);
}

/** The streams of a folder, each with its load: the start of its name, up to the first underscore. */
export function streamsOf(folder: string): { name: string; load: string }[] {
  return readdirSync(folder)
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .sort()
    .map((name) => ({ name, load: name.split('_')[0] ?? name }));
}

export const readFarm = (path: string): StreamFarm => JSON.parse(text(path));

/** Whether a printer can ever print a job: all three axes, turned about Z, and each material. */
export function fits(job: StreamJob, printer: StreamPrinter): boolean {
  const [x, y, z] = job.dim_mm;
  const [w, d, h] = printer.volume_mm;
  const flat = (x <= w && y <= d) || (x <= d && y <= w);
  return (
    flat &&
    z <= h &&
    job.materials.every((material) => printer.materials.includes(material)) &&
    job.materials.length <= printer.slots
  );
}

/** The first jobs of a stream as if they had all arrived at 08:00 of day 0, and without failures. */
export function asBacklog(jobs: readonly StreamJob[], count: number): StreamJob[] {
  const begin = 8 * 60;
  return jobs.slice(0, count).map((job) => ({
    ...job,
    arrive_min: begin,
    due_min: job.due_min === null ? null : begin + job.due_min - job.arrive_min,
    attempts: job.attempts.map((attempt) => ({ ...attempt, fail: false })),
  }));
}
