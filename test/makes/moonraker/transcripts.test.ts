import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrinterRefusedError, UploadFailedError } from '../../../lib/makes/driver';
import { httpError, rpcError } from '../../../lib/makes/moonraker/errors';
import { readHistoryJob } from '../../../lib/makes/moonraker/state-mapping';
import { klippyOf, StateTracker } from '../../../lib/makes/moonraker/tracker';
import { confirmedSize } from '../../../lib/makes/moonraker/upload';

type Fields = Record<string, unknown>;

/** One line of a transcript. */
interface Entry {
  t: number;
  kind: 'rpc_req' | 'rpc_resp' | 'http' | 'notify' | 'ws_closed';
  method?: string;
  path?: string;
  code?: number;
  body?: Fields & { result?: unknown; error?: unknown; method?: string; params?: unknown[] };
}

const folder = join(__dirname, '..', '..', 'fixtures', 'moonraker');
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

function entriesOf(file: string): Entry[] {
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** Passes one line to the state machine as the driver would. */
function take(tracker: StateTracker, entry: Entry): void {
  const result = fieldsOf(entry.body?.result);
  if (entry.kind === 'notify') tracker.notify(entry.body?.method ?? '', entry.body?.params ?? []);
  else if (entry.kind === 'rpc_resp' && result.status !== undefined) {
    const status = fieldsOf(result.status);
    if (status.webhooks !== undefined) tracker.objectsAre(status, 'ready');
  } else if (entry.kind === 'http' && entry.path === '/server/info' && entry.code === 200) {
    tracker.klippyIs(klippyOf(result));
  } else if (entry.kind === 'http' && entry.path?.startsWith('/server/history/list?limit=1') && entry.code === 200) {
    const [newest] = Array.isArray(result.jobs) ? result.jobs : [];
    const job = readHistoryJob(newest);
    if (job !== undefined) tracker.newestJobIs(job);
  }
}

/** The meanings of the history's words. A print whose record Moonraker closed when it stopped ran to its end. */
const endings: Record<string, string> = {
  completed: 'finished',
  cancelled: 'cancelled',
  error: 'failed',
  klippy_shutdown: 'failed',
  klippy_disconnect: 'failed',
  server_exit: 'finished',
};
const historyMs = 5000;

/** Replays a transcript and lists the printer's actions: each change of state, job and ending. */
function replay(file: string): string[] {
  const tracker = new StateTracker(historyMs);
  const seen: string[] = [];
  for (const entry of entriesOf(file)) {
    take(tracker, entry);
    const mapped = tracker.at(entry.t * 1000);
    const text = `${mapped.state} ${mapped.job?.name ?? '-'} ${mapped.ending ?? '-'}`;
    if (text !== seen.at(-1)) seen.push(text);
  }
  return seen;
}

/** Whether the texts occur in this order, possibly with others in between. */
function follows(seen: string[], expected: string[]): void {
  let from = 0;
  for (const text of expected) {
    const at = seen.indexOf(text, from);
    strictEqual(at >= 0, true, `"${text}" does not follow in ${JSON.stringify(seen, null, 1)}`);
    from = at + 1;
  }
}

describe('Moonraker transcripts', () => {
  it('are complete', () => strictEqual(transcripts.length, 7));

  for (const file of transcripts) {
    it(`${file}: every job ends as the printer's own history says, or as its state says if the history lost track`, () => {
      const tracker = new StateTracker(historyMs);
      const open = new Map<string, string>();
      for (const entry of entriesOf(file)) {
        take(tracker, entry);
        const { job, ending, state } = tracker.at(entry.t * 1000);
        const name = job?.name ?? '';
        const expected = open.get(name);
        if (expected !== undefined && ending !== null && state !== 'busy') {
          strictEqual(ending, expected, `${name} at ${entry.t} s`);
        }
        const [change] = entry.body?.method === 'notify_history_changed' ? (entry.body.params ?? []) : [];
        const { action, job: record } = fieldsOf(change);
        const told = readHistoryJob(record);
        if (action === 'added' && told !== undefined) open.delete(told.fileName);
        if (action === 'finished' && told !== undefined) {
          open.set(told.fileName, endings[told.status] ?? `no ending for ${told.status}`);
        }
      }
    });

    it(`${file}: every rejection is read, with its reason`, () => {
      for (const entry of entriesOf(file)) {
        const error = entry.body?.error;
        if (error === undefined) continue;
        if (entry.kind === 'rpc_resp') {
          const read = rpcError(error);
          ok(read.message !== '' && !read.message.includes('WebRequestError'), read.message);
        } else if (entry.kind === 'http') {
          const read = httpError(entry.code ?? 0, JSON.stringify(entry.body));
          strictEqual(read.status, entry.code);
          strictEqual(read.unauthorized, entry.code === 401, read.message);
          ok(!read.message.includes('WebRequestError'), read.message);
        }
      }
    });

    it(`${file}: every upload is judged correctly`, () => {
      for (const entry of entriesOf(file)) {
        if (entry.kind !== 'http' || entry.path !== '/server/files/upload' || (entry.code ?? 0) < 0) continue;
        const reply = { status: entry.code ?? 0, body: JSON.stringify(entry.body) };
        const item = fieldsOf(entry.body?.item);
        const outcome = ((): unknown => {
          try {
            return confirmedSize(reply);
          } catch (thrown) {
            return thrown;
          }
        })();
        if (reply.status === 201) strictEqual(outcome, item.size);
        else if (reply.status === 401) ok(outcome instanceof PrinterRefusedError);
        else ok(outcome instanceof UploadFailedError && outcome.retryable === (reply.status !== 403));
      }
    });
  }

  it('modern-giga-1: print, pause, resume, completion, and cancels that leave no name', () => {
    const seen = replay('modern-giga-1.jsonl');
    strictEqual(seen[1], 'idle - -');
    follows(seen, [
      'preparing pr.gcode -',
      'printing pr.gcode -',
      'paused pr.gcode -',
      'printing pr.gcode -',
      'idle pr.gcode finished',
      'preparing ca.gcode -',
      'busy ca.gcode -',
      'idle ca.gcode cancelled',
      'paused heat.gcode -',
      'idle heat.gcode finished',
      'idle heat.gcode cancelled',
    ]);
  });

  for (const vintage of ['legacy-giga-1.jsonl', 'modern-giga-2.jsonl']) {
    it(`${vintage}: errors, emergency stop, a killed host and a restarted Moonraker`, () => {
      follows(replay(vintage), [
        'idle err.gcode failed',
        'idle fan.gcode failed',
        'printing es.gcode -',
        'fault es.gcode failed',
        'busy es.gcode failed',
        'idle es.gcode failed',
        'printing kk.gcode -',
        'busy kk.gcode failed',
        'printing km.gcode -',
        'idle km.gcode finished',
      ]);
    });
  }

  it('legacy-giga-1: cancels during a print and during a pause', () => {
    follows(replay('legacy-giga-1.jsonl'), [
      'printing ca.gcode -',
      'idle ca.gcode cancelled',
      'paused ca.gcode -',
      'idle ca.gcode cancelled',
    ]);
  });

  it('legacy-giga-2: a pause without effect, and a file that ends immediately', () => {
    const seen = replay('legacy-giga-2.jsonl');
    follows(seen, ['printing nohome.gcode -', 'idle nohome.gcode finished']);
    ok(!seen.includes('paused nohome.gcode -'));
    follows(seen, ['idle nx.gcode finished', 'idle empty.gcode finished']);
  });

  for (const file of ['modern-upload.jsonl', 'legacy-upload.jsonl']) {
    it(`${file}: every started job is followed to its end`, () => {
      const started = entriesOf(file).flatMap(({ body }) => {
        const { action, job } = fieldsOf(body?.method === 'notify_history_changed' ? body.params?.[0] : undefined);
        return action === 'added' ? [String(fieldsOf(job).filename)] : [];
      });
      const seen = replay(file);
      for (const name of started)
        ok(
          seen.some((text) => text.includes(` ${name} `)),
          name,
        );
    });
  }

  it('modern-auth: nothing is reported about jobs', () => {
    deepStrictEqual(replay('modern-auth.jsonl'), ['busy - -']);
  });
});
