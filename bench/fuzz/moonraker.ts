import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { httpError } from '../../lib/makes/moonraker/errors';
import { readMessage } from '../../lib/makes/moonraker/rpc-socket';
import { mapProgress, mapSlots, mapTemperatures } from '../../lib/makes/moonraker/state-mapping';
import { StateTracker } from '../../lib/makes/moonraker/tracker';
import { confirmedSize } from '../../lib/makes/moonraker/upload';
import { damage, grafts, regraft, spoil } from './mutate';
import { type FuzzTarget, promise } from './target';

const historyMs = 5000;

/** Messages of real printers, from the transcripts. */
function recorded(): object[] {
  const folder = join(__dirname, '..', '..', 'test', 'fixtures', 'moonraker');
  const messages = ['modern-giga-1.jsonl', 'legacy-giga-1.jsonl'].flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { kind: string; body: { method?: string; params?: unknown[] } })
      .filter(({ kind, body }) => {
        if (kind === 'rpc_resp') return true;
        const text = JSON.stringify(body);
        return kind === 'notify' && (text.includes('"state"') || !text.includes('notify_status_update'));
      })
      .map(({ body }) => body),
  );
  return messages.slice(0, 400);
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** Notifications and answers of real printers, and generated ones, corrupted as JSON or as bytes. */
export const moonraker: FuzzTarget = {
  name: 'moonraker',
  promise:
    'nothing throws, and a job is reported as finished only if print_stats or the history reported it for that file',
  run(cases, seed) {
    let finished = 0;
    const state = fc.constantFrom('printing', 'paused', 'complete', 'cancelled', 'error', 'standby', 'dancing');
    const fileName = fc.constantFrom('ours.gcode', 'other.gcode', '');
    const word = fc.constantFrom('completed', 'cancelled', 'error', 'in_progress', 'server_exit', 'klippy_shutdown');
    const notification = (method: string, params: unknown[]): object => ({ jsonrpc: '2.0', method, params });
    const made = fc.oneof(
      fc
        .record({ state, filename: fileName }, { requiredKeys: [] })
        .map((stats) => notification('notify_status_update', [{ print_stats: stats }, 1])),
      fc
        .tuple(fileName, word)
        .map(([filename, status]) =>
          notification('notify_history_changed', [{ action: 'finished', job: { job_id: '1', filename, status } }]),
        ),
      fc
        .constantFrom('ready', 'shutdown', 'disconnected')
        .map((name) => ({ jsonrpc: '2.0', method: `notify_klippy_${name}` })),
      fc.tuple(state, fileName).map(([word_, filename]) => ({
        ...{ jsonrpc: '2.0', id: 1 },
        result: { eventtime: 1, status: { webhooks: { state: 'ready' }, print_stats: { state: word_, filename } } },
      })),
    );
    const step = fc.record({
      message: fc.oneof({ weight: 3, arbitrary: made }, { weight: 1, arbitrary: fc.constantFrom(...recorded()) }),
      grafts: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: grafts }),
      damages: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: damage }),
      wait: fc.constantFrom(0, 250, 6000),
      http: fc.constantFrom(0, 200, 201, 401, 403, 422, 500, 502, 504),
    });
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
      const tracker = new StateTracker(historyMs);
      let now = 0;
      let stats: Fields = {};
      const done = new Set<unknown>();
      for (const { message, grafts: changes, damages, wait, http } of steps) {
        now += wait;
        const sent = spoil(Buffer.from(JSON.stringify(regraft(message, changes)) ?? ''), damages).toString('utf8');
        if (http !== 0) tryHttp(http, sent);
        const read = readMessage(sent);
        if (read?.kind === 'notification') {
          const [first] = read.params;
          if (read.method === 'notify_status_update') stats = { ...stats, ...fieldsOf(fieldsOf(first).print_stats) };
          const { job } = fieldsOf(first);
          if (read.method === 'notify_history_changed' && fieldsOf(job).status === 'completed') {
            done.add(String(fieldsOf(job).filename));
          }
          tracker.notify(read.method, read.params);
        } else if (read?.kind === 'answer') {
          const { status } = fieldsOf(read.result);
          if (typeof status === 'object' && status !== null && !Array.isArray(status)) {
            stats = fieldsOf(fieldsOf(status).print_stats);
            tracker.objectsAre(status as Fields, 'ready');
          }
        }
        if (stats.state === 'complete') done.add(String(stats.filename ?? ''));
        const seen = tracker.at(now);
        const { objects } = tracker.state;
        mapProgress(objects, {});
        mapTemperatures(objects);
        mapSlots(objects);
        if (seen.ending === 'finished') {
          finished++;
          promise(done.has(seen.job?.name), () => `${seen.job?.name} is reported as finished`);
        }
      }
    });
    fc.assert(property, { numRuns: cases, seed, endOnFailure: true });
    return Promise.resolve(finished);
  },
};

/** An upload is confirmed only by an answer that states it. */
function tryHttp(status: number, body: string): void {
  promise(httpError(status, body).message !== '', () => 'a rejection without a message');
  try {
    const size = confirmedSize({ status, body });
    promise(size === undefined || status < 300, () => `a size was read from an answer ${status}`);
  } catch (error) {
    promise(status >= 400 && error instanceof Error && 'code' in error, () => String(error));
  }
}
