import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { Database } from '../../lib/store/database';
import { EmbeddedPostgres } from '../../lib/store/embedded-postgres';
import { openBrowser } from '../../test/support/browser';
import { RealFarm } from '../../test/support/real-farm';

const usage = `usage: npm run bench:dashboard [-- --jobs 5000] [--rounds 10] [--hours 06:00-22:00] [--json]
  Opens the dashboard's page "Queue" with this many queued jobs in Chromium and measures: the delay from the data to the first
  painted rows, the longest task of the page's thread during scrolling, and the delay from an event to the updated row.`;

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '10' },
    hours: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** A figure (ms) and its limit. */
interface Figure {
  name: string;
  value: number;
  limit: number;
}

/** Measurements that the page records while it runs. */
interface Notes {
  arrived?: number;
  painted?: number;
  longTasks: { at: number; milliseconds: number }[];
}

/** Stores queued jobs as if they had been submitted, without a file: none can be printed, and the beds stay as they are. */
async function fill(farm: RealFarm, jobs: number): Promise<void> {
  const { connection } = EmbeddedPostgres.inspect(join(farm.data, 'postgres'));
  const database = new Database({ connection: connection ?? {}, poolSize: 1, onProblem: () => undefined });
  await database.query(
    `INSERT INTO print_jobs (job_name, stl_path, material_id, print_settings, estimated_grams, estimated_duration_hours, priority,
       deadline_at, created_by, model_sha256, model_kind, model_x_mm, model_y_mm, model_z_mm, model_volume_mm3, job_seq)
     SELECT 'Part ' || n, '/part.stl', (ARRAY['pla_black_esun', 'petg_white_esun', 'pla_red_esun'])[1 + n % 3], '{}', 20,
       1 + n % 7, 1 + n % 10, CASE WHEN n % 4 = 0 THEN now() + n * interval '1 hour' END, 'bench', repeat('0', 64), 'stl', 50, 50, 50,
       10000, 1
     FROM generate_series(1, $1::int) n`,
    [jobs],
  );
  // Occupied by a foreign print: no job starts during the measurement.
  await database.query(
    `UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown', bed_attempt_id = NULL, bed_version = bed_version + 1`,
  );
  await database.close();
}

/** Runs in the page before any of its own scripts. */
function takeNotes(): void {
  const notes: Notes = { longTasks: [] };
  (window as unknown as { notes: Notes }).notes = notes;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      notes.longTasks.push({ at: entry.startTime, milliseconds: entry.duration });
    }
  }).observe({ type: 'longtask', buffered: true });
  // The whole queue is by far the largest message, whichever transport carries it.
  const large = 100_000;
  const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
  Object.defineProperty(WebSocket.prototype, 'onmessage', {
    configurable: true,
    get: own?.get ?? (() => null),
    set(this: WebSocket, handler: (event: MessageEvent) => void) {
      own?.set?.call(this, (event: MessageEvent) => {
        if (typeof event.data === 'string' && event.data.length > large) notes.arrived ??= performance.now();
        handler(event);
      });
    },
  });
  addEventListener('DOMContentLoaded', () => {
    const observer = new MutationObserver(() => {
      if (!document.querySelector('tr[data-job]')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (notes.painted = performance.now())));
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });
}

const notesOf = (page: Page): Promise<Notes> => page.evaluate(() => (window as unknown as { notes: Notes }).notes);

/** The load of scrolling on the page's thread (ms): the longest task by the clock, and the most work in one task. */
interface Scrolled {
  longest: number;
  longestWork: number;
  frames: number;
  seconds: number;
}

/** Chromium's record of a task; `tdur` is its processor time (µs). */
interface TraceEvent {
  pid: number;
  tid: number;
  name: string;
  tdur?: number;
  args?: { name?: string };
}

/** Scrolls through all rows, five per frame, then jumps around as an operator dragging the scroll bar does. */
async function scroll(page: Page): Promise<Scrolled> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', { categories: 'toplevel', transferMode: 'ReportEvents' });
  const from = await page.evaluate(() => performance.now());
  const frames = await page.evaluate(async () => {
    const box = document.querySelector('.pw-scroll');
    if (!box) throw new Error('there is nothing to scroll');
    const end = box.scrollHeight - box.clientHeight;
    const places = Array.from({ length: Math.ceil(end / 310) }, (_, index) => index * 310);
    for (let jump = 1; jump <= 40; jump++) places.push((jump * 0.618 * end) % end);
    for (const place of places) {
      box.scrollTop = place;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return places.length;
  });
  const to = await page.evaluate(() => performance.now());
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const work = events
    .filter(({ pid, tid, name }) => name.endsWith('RunTask') && mains.some((one) => one.pid === pid && one.tid === tid))
    .map(({ tdur = 0 }) => tdur / 1000);
  const { longTasks } = await notesOf(page);
  const during = longTasks.filter(({ at }) => at >= from && at <= to).map(({ milliseconds }) => milliseconds);
  return { longest: Math.max(0, ...during), longestWork: Math.max(...work), frames, seconds: (to - from) / 1000 };
}

/** The time from a change request until the job's row shows it (ms). */
async function update(farm: RealFarm, page: Page, job: string, round: number): Promise<number> {
  const wanted = round % 2 === 0 ? 'held' : 'queued';
  const begun = performance.now();
  const shown = page.waitForFunction(
    ([id, text]) => document.querySelector(`tr[data-job="${id}"] .pw-badge`)?.textContent === text,
    [job, wanted],
    { polling: 'raf' },
  );
  const { status } = await farm.api(`/jobs/${job}/${wanted === 'held' ? 'hold' : 'release'}`, { method: 'POST' });
  if (status !== 200) throw new Error(`the order was answered ${status}`);
  await shown;
  return performance.now() - begun;
}

async function main(): Promise<void> {
  if (options.help) {
    console.log(usage);
    return;
  }
  const jobs = Number(options.jobs);
  const browser = await openBrowser();
  if ('skip' in browser) throw new Error(browser.skip);
  const farm = new RealFarm();
  try {
    await farm.start({ SIM_SPEED: '1', ...(options.hours && { OPERATOR_HOURS: options.hours }) });
    await fill(farm, jobs);
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.addInitScript(takeNotes);
    await page.goto(`${farm.url}/dashboard/queue`);
    await page.getByText(`${jobs} open`).waitFor({ timeout: 60_000 });
    const { arrived, painted } = await page
      .waitForFunction(() => (window as unknown as { notes: Notes }).notes.painted !== undefined)
      .then(() => notesOf(page));
    if (arrived === undefined || painted === undefined) throw new Error('the queue came in no message that was seen');
    const rows = await page.locator('tr[data-job]').count();
    const scrolled = await scroll(page);
    await page.evaluate(() => document.querySelector('.pw-scroll')?.scrollTo(0, 0));
    const job = (await page.locator('tr[data-job]').nth(2).getAttribute('data-job')) ?? '';
    // Held or not, it stays in view.
    const name = await page.locator(`tr[data-job="${job}"] .pw-name`).textContent();
    await page.getByLabel('Search').fill(name ?? '');
    const updates: number[] = [];
    for (let round = 0; round < Number(options.rounds); round++) updates.push(await update(farm, page, job, round));
    const sorted = [...updates].sort((a, b) => a - b);
    const figures: Figure[] = [
      { name: 'first rows painted after the data (ms)', value: painted - arrived, limit: 1000 },
      { name: 'longest task while scrolling (ms)', value: scrolled.longest, limit: 100 },
      { name: 'slowest update after its event (ms)', value: sorted.at(-1) ?? Number.NaN, limit: 1000 },
    ];
    const more = {
      jobs,
      rows_in_the_page: rows,
      frames: scrolled.frames,
      longest_work: Math.round(scrolled.longestWork),
      load: loadavg()[0]?.toFixed(1),
      processors: availableParallelism(),
      frames_per_second: Math.round(scrolled.frames / scrolled.seconds),
      median_update: Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN),
    };
    if (options.json) console.log(JSON.stringify({ ...more, figures }));
    else {
      console.log(
        `${jobs} queued jobs, ${rows} rows in the page; ${more.processors} processors, their load ${more.load}`,
      );
      console.log(
        `${more.frames_per_second} frames a second while scrolling, the most work of one task ${more.longest_work} ms`,
      );
      console.log(`median update ${more.median_update} ms`);
      for (const { name, value, limit } of figures) {
        console.log(`${value <= limit ? 'ok  ' : 'OVER'} ${name}: ${Math.round(value)}, at most ${limit}`);
      }
    }
    if (figures.some(({ value, limit }) => !(value <= limit))) process.exitCode = 1;
  } finally {
    await browser.close();
    await farm.kill9();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
