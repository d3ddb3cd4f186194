import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { WebSocket } from 'ws';
import type { RunningSimulator } from '../../lib/simulators';
import { Bench, control, eventually, fixture, gcode, port, truth, truthNames } from './support';

type Json = Record<string, unknown>;

interface Recorded {
  kind: string;
  method?: string;
  path?: string;
  code?: number;
  body: Json;
}

function recorded(file: string): Recorded[] {
  return fixture(`moonraker/${file}`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}

/** The names of all fields at every depth that is an object, sorted: the shape of an answer without its values. */
function shape(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${prefix}: ${kindOf(value)}`];
  return Object.entries(value)
    .flatMap(([name, inner]) => shape(inner, `${prefix}.${name}`))
    .sort();
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

/** A JSON-RPC client that collects messages, in order. */
class RpcClient {
  readonly heard: { method: string; params?: unknown[] }[] = [];
  closed = false;
  #next = 1;
  readonly #pending = new Map<number, (answer: Json) => void>();

  private constructor(readonly socket: WebSocket) {
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as Json & { id?: number; method?: string };
      assert.equal(message.jsonrpc, '2.0');
      if (message.id !== undefined) this.#pending.get(message.id)?.(message);
      else if (message.method !== undefined && message.method !== 'notify_proc_stat_update') {
        this.heard.push(message as { method: string });
      }
    });
  }

  static open(simulator: RunningSimulator, query = ''): Promise<RpcClient> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port(simulator, 'http')}/websocket${query}`);
      const client = new RpcClient(socket);
      socket.once('open', () => resolve(client));
      socket.once('error', reject);
    });
  }

  send(method: string, params?: Json): Promise<Json> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, id, ...(params === undefined ? {} : { params }) }));
    });
  }

  async call(method: string, params?: Json): Promise<unknown> {
    const answer = await this.send(method, params);
    assert.ok('result' in answer, JSON.stringify(answer));
    return answer.result;
  }

  async refused(method: string, params?: Json): Promise<{ code: number; message: string }> {
    const answer = await this.send(method, params);
    assert.ok('error' in answer, JSON.stringify(answer));
    return answer.error as { code: number; message: string };
  }

  states(): unknown[] {
    return this.heard
      .filter(({ method }) => method === 'notify_status_update')
      .map(({ params }) => ((params?.[0] as Json | undefined)?.print_stats as Json | undefined)?.state)
      .filter((state) => state !== undefined);
  }

  history(): string[] {
    return this.heard
      .filter(({ method }) => method === 'notify_history_changed')
      .map(({ params }) => params?.[0] as { action: string; job: { status: string } })
      .map(({ action, job }) => `${action} ${job.status}`);
  }
}

async function upload(
  simulator: RunningSimulator,
  name: string,
  content: string,
  fields: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append('file', new Blob([content]), name);
  const response = await fetch(`http://127.0.0.1:${port(simulator, 'http')}/server/files/upload`, {
    method: 'POST',
    body: form,
  });
  return { status: response.status, body: (await response.json()) as Json };
}

async function http(simulator: RunningSimulator, verb: string, path: string): Promise<{ status: number; body: Json }> {
  const response = await fetch(`http://127.0.0.1:${port(simulator, 'http')}${path}`, { method: verb });
  return { status: response.status, body: (await response.json()) as Json };
}

const SUBSCRIPTION = {
  objects: { webhooks: null, print_stats: null, virtual_sdcard: null, extruder: ['temperature', 'target'] },
};

describe('Moonraker simulator', () => {
  const bench = new Bench();
  const clients: RpcClient[] = [];

  async function connected(simulator: RunningSimulator): Promise<RpcClient> {
    const client = await RpcClient.open(simulator);
    clients.push(client);
    await client.call('printer.objects.subscribe', SUBSCRIPTION);
    return client;
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.terminate();
    await bench.clean();
  });

  for (const [profile, file] of [
    ['legacy-giga', 'legacy-giga-1.jsonl'],
    ['modern-giga', 'modern-giga-2.jsonl'],
  ] as const) {
    describe(`${profile} beside ${file}`, () => {
      it('answers a subscription in the recorded shape', async () => {
        const simulator = await bench.start('moonraker', { profile });
        const client = await RpcClient.open(simulator);
        clients.push(client);
        const lines = recorded(file);
        const request = lines.find(({ kind }) => kind === 'rpc_req')?.body.params as Json;
        const expected =
          (lines.find(({ kind }) => kind === 'rpc_resp')?.body.result as { status: Json } | undefined)?.status ?? {};
        const { status } = (await client.call('printer.objects.subscribe', request)) as { status: Json };
        // Values that are null before the first print may be of any type.
        const loose = (names: string[]): string[] => names.map((name) => name.replace(/: (null|number|string)$/, ''));
        assert.ok(Object.keys(expected).length > 5);
        for (const [name, object] of Object.entries(expected)) {
          const missing = loose(shape(object)).filter((field) => !loose(shape(status[name])).includes(field));
          const unneeded = ['.max_accel_to_decel', '.minimum_cruise_ratio'];
          const known = missing.filter((field) => !unneeded.some((prefix) => field.startsWith(prefix)));
          assert.deepEqual(known, [], name);
        }
      });

      it('answers server.info and printer.info in the recorded shape', async () => {
        const simulator = await bench.start('moonraker', { profile });
        for (const path of ['/server/info', '/printer/info']) {
          const expected = recorded(file).find((line) => line.path === path && line.code === 200)?.body;
          assert.ok(expected !== undefined, path);
          const { body } = await http(simulator, 'GET', path);
          assert.deepEqual(shape(body), shape(expected), path);
        }
        const { result } = (await http(simulator, 'GET', '/server/info')).body as { result: Json };
        const old = recorded(file).find((line) => line.path === '/server/info')?.body.result as Json;
        assert.deepEqual(result.components, old.components);
        assert.equal(result.api_version_string, old.api_version_string);
      });

      it('answers an upload, a history job and errors in the recorded shape', async () => {
        const simulator = await bench.start('moonraker', { profile, operator: 'immediate' });
        const lines = recorded(file);
        const client = await connected(simulator);
        const stored = await upload(simulator, 'ca.gcode', gcode(1));
        assert.equal(stored.status, 201);
        const example = lines.find((line) => line.path === '/server/files/upload' && line.code === 201)?.body;
        assert.deepEqual(shape(stored.body), shape(example));

        await client.call('printer.print.start', { filename: 'ca.gcode' });
        await eventually(() => client.history().includes('finished completed'));
        const { jobs } = (await client.call('server.history.list', { limit: 1 })) as { jobs: Json[] };
        const jobExample = lines
          .filter((line) => line.path?.startsWith('/server/history/list'))
          .map((line) => (line.body.result as { jobs: Json[] }).jobs[0])[0];
        assert.deepEqual(Object.keys(jobs[0] ?? {}).sort(), Object.keys(jobExample ?? {}).sort());

        await client.call('printer.emergency_stop');
        await eventually(() => client.heard.some(({ method }) => method === 'notify_klippy_shutdown'));
        const refusal = await client.refused('printer.print.start', { filename: 'ca.gcode' });
        const recordedRefusal = lines
          .filter(({ kind, body }) => kind === 'rpc_resp' && 'error' in body)
          .map(({ body }) => body.error as { code: number; message: string })
          .find(({ code }) => code === 400);
        assert.deepEqual(refusal, recordedRefusal);
        const overHttp = await http(simulator, 'POST', '/printer/print/start?filename=ca.gcode');
        const recordedHttp = lines.find((line) => line.path === '/printer/print/start' && line.code === 400)?.body;
        assert.equal(overHttp.status, 400);
        assert.equal((overHttp.body.error as Json).message, (recordedHttp?.error as Json | undefined)?.message);
      });
    });
  }

  it('prints to the end in the recorded order of events', async () => {
    const simulator = await bench.start('moonraker', { speed: 500 });
    const client = await connected(simulator);
    const content = gcode(100);
    await upload(simulator, 'q-1.gcode', content);
    assert.equal(await client.call('printer.print.start', { filename: 'q-1.gcode' }), 'ok');
    assert.equal(client.history().length, 0);
    await eventually(() => client.history().length === 2);
    assert.deepEqual(client.states(), ['printing', 'complete']);
    assert.deepEqual(client.history(), ['added in_progress', 'finished completed']);
    const order = client.heard
      .filter(({ method, params }) =>
        method === 'notify_status_update'
          ? ((params?.[0] as Json | undefined)?.print_stats as Json | undefined)?.state !== undefined
          : method === 'notify_history_changed' || JSON.stringify(params).includes('Done printing'),
      )
      .map(({ method }) => method);
    assert.deepEqual(order, [
      'notify_status_update',
      'notify_history_changed',
      'notify_gcode_response',
      'notify_status_update',
      'notify_history_changed',
    ]);
    assert.deepEqual(truthNames(simulator), ['upload', 'start', 'started', 'finished']);
    const sha256 = createHash('sha256').update(content).digest('hex');
    assert.ok(truth(simulator).every((event) => event.sha256 === sha256 && event.file_name === 'q-1.gcode'));
    const { status } = (await client.call('printer.objects.query', SUBSCRIPTION)) as {
      status: { print_stats: Json; virtual_sdcard: Json };
    };
    assert.equal(status.print_stats.state, 'complete');
    assert.equal(status.virtual_sdcard.progress, 1);
    assert.equal(simulator.state().plate, 'q-1.gcode');
  });

  it('answers SD busy while it prints, and clears print_stats for a missing file', async () => {
    const simulator = await bench.start('moonraker', { profile: 'legacy-giga' });
    const client = await connected(simulator);
    await upload(simulator, 'q-2.gcode', gcode(90_000));
    await client.call('printer.print.start', { filename: 'q-2.gcode' });
    assert.deepEqual(await client.refused('printer.print.start', { filename: 'q-2.gcode' }), {
      code: 400,
      message: "{'error': 'WebRequestError', 'message': 'SD busy'}",
    });
    assert.equal((await upload(simulator, 'q-2.gcode', gcode(1))).status, 403);
    assert.equal((await upload(simulator, 'other.gcode', gcode(1), { print: 'true' })).body.print_started, false);
    await client.call('printer.print.cancel');
    const missing = await http(simulator, 'POST', '/printer/print/start?filename=nothing.gcode');
    assert.equal(missing.status, 400);
    assert.equal((missing.body.error as Json).message, 'Bad Request');
    assert.match(String((missing.body.error as Json).traceback), /'message': 'Unable to open file'\}\)\n$/);
  });

  it('cancels into standby on Giga macros and into cancelled on plain ones', async () => {
    for (const [profile, state, filename] of [
      ['modern-giga', 'standby', ''],
      ['modern', 'cancelled', 'q-3.gcode'],
    ] as const) {
      const simulator = await bench.start('moonraker', { profile });
      const client = await connected(simulator);
      await upload(simulator, 'q-3.gcode', gcode(90_000));
      await client.call('printer.print.start', { filename: 'q-3.gcode' });
      await client.call('printer.print.pause');
      await eventually(() => client.states().includes('paused'));
      await client.call('printer.print.resume');
      await client.call('printer.print.cancel');
      await eventually(() => client.history().includes('finished cancelled'));
      assert.deepEqual(client.states(), ['printing', 'paused', 'printing', state]);
      const { status } = (await client.call('printer.objects.query', SUBSCRIPTION)) as {
        status: { print_stats: Json };
      };
      assert.equal(status.print_stats.filename, filename);
      assert.deepEqual(truthNames(simulator), ['upload', 'start', 'started', 'stopped']);
    }
  });

  it('delays a pause while the file heats up', async () => {
    const simulator = await bench.start('moonraker', { speed: 500 });
    const client = await connected(simulator);
    await upload(simulator, 'q-4.gcode', gcode(9000));
    await client.call('printer.print.start', { filename: 'q-4.gcode' });
    const paused = client.call('printer.print.pause');
    assert.equal(simulator.state().stage, 'heating');
    await paused;
    assert.equal(simulator.state().stage, 'printing');
    assert.equal(simulator.state().paused, 'user');
  });

  it('checks the sha256 of an upload, in the codes of its vintage', async () => {
    for (const [profile, wrong] of [
      ['legacy-giga', 500],
      ['modern', 422],
    ] as const) {
      const simulator = await bench.start('moonraker', { profile });
      const content = gcode(3);
      const checksum = createHash('sha256').update(content).digest('hex');
      assert.equal((await upload(simulator, 'a.gcode', content, { checksum: 'f'.repeat(64) })).status, wrong);
      assert.equal((await upload(simulator, 'a.gcode', content, { checksum, path: 'farm' })).status, 201);
      assert.equal((await upload(simulator, '../../evil.gcode', content, { path: '../..' })).status, 400);
      assert.equal(readFileSync(join(simulator.ready.truth_log, '..', 'files', 'farm', 'a.gcode'), 'utf8'), content);
      const metadata = (await http(simulator, 'GET', '/server/files/metadata?filename=farm/a.gcode')).body
        .result as Json;
      assert.equal(metadata.size, content.length);
      assert.equal((await http(simulator, 'GET', '/server/files/metadata?filename=b.gcode')).status, 404);
      const list = (await http(simulator, 'GET', '/server/files/list?root=gcodes')).body.result as Json[];
      assert.deepEqual(
        list.map(({ path }) => path),
        ['farm/a.gcode'],
      );
      const back = await fetch(`http://127.0.0.1:${port(simulator, 'http')}/server/files/gcodes/farm/a.gcode`);
      assert.equal(await back.text(), content);
      assert.equal((await http(simulator, 'DELETE', '/server/files/gcodes/farm/a.gcode')).status, 200);
      assert.deepEqual((await http(simulator, 'GET', '/server/files/list')).body.result, []);
    }
  });

  it('shuts down on an emergency stop and comes back with a firmware restart', async () => {
    const simulator = await bench.start('moonraker');
    const client = await connected(simulator);
    await upload(simulator, 'q-5.gcode', gcode(90_000));
    await client.call('printer.print.start', { filename: 'q-5.gcode' });
    await client.call('printer.emergency_stop');
    await eventually(() => client.history().includes('finished klippy_shutdown'));
    assert.deepEqual(client.states(), ['printing', 'paused']);
    await client.call('printer.firmware_restart');
    await eventually(() => client.heard.some(({ method }) => method === 'notify_klippy_ready'));
    const names = client.heard.map(({ method }) => method);
    assert.ok(names.indexOf('notify_klippy_disconnected') < names.indexOf('notify_klippy_ready'));
    const { status } = (await client.call('printer.objects.query', SUBSCRIPTION)) as { status: { print_stats: Json } };
    assert.deepEqual([status.print_stats.state, status.print_stats.filename], ['standby', '']);
    assert.equal(simulator.state().plate, 'q-5.gcode');
  });

  it('records a print that a power cut ended as its vintage does', async () => {
    for (const [profile, status] of [
      ['legacy-giga', 'in_progress'],
      ['modern-giga', 'interrupted'],
    ] as const) {
      const simulator = await bench.start('moonraker', { profile });
      const client = await connected(simulator);
      await upload(simulator, 'q-9.gcode', gcode(90_000));
      await client.call('printer.print.start', { filename: 'q-9.gcode' });
      await eventually(() => client.history().includes('added in_progress'));
      await simulator.powerCycle();
      assert.ok(await eventually(() => client.closed));
      const again = await connected(simulator);
      const { jobs } = (await again.call('server.history.list', {})) as { jobs: Json[] };
      assert.equal(jobs[0]?.status, status);
      const { result } = (await http(simulator, 'GET', '/printer/objects/query?print_stats=state,filename')).body as {
        result: { status: Json };
      };
      assert.deepEqual(result.status, { print_stats: { state: 'standby', filename: '' } });
      assert.equal(simulator.state().plate, 'q-9.gcode');
    }
  });

  it('asks for a key if it has one, and accepts a one-shot token once', async () => {
    const simulator = await bench.start('moonraker', { profile: 'modern', accessCode: 'k'.repeat(32) });
    const base = `http://127.0.0.1:${port(simulator, 'http')}`;
    assert.equal((await fetch(`${base}/server/info`)).status, 401);
    const headers = { 'x-api-key': 'k'.repeat(32) };
    const response = await fetch(`${base}/access/oneshot_token`, { headers });
    const token = ((await response.json()) as { result: string }).result;
    assert.match(token, /^[A-Z2-7]{32}$/);
    const open = await RpcClient.open(simulator, `?token=${token}`);
    clients.push(open);
    await open.call('server.info');
    const spent = await RpcClient.open(simulator, `?token=${token}`);
    clients.push(spent);
    assert.deepEqual(await spent.refused('server.info'), { code: -32602, message: 'Unauthorized' });
    const identity = { client_name: 'x', version: '1', type: 'other', url: 'u' };
    assert.equal((await spent.refused('server.connection.identify', { ...identity, api_key: 'bad' })).code, -32602);
    await spent.call('server.connection.identify', { ...identity, api_key: 'k'.repeat(32) });
    await spent.call('server.info');
    assert.equal((await spent.refused('no.such.method')).code, -32601);
  });

  it('shows the contents of its plate, in the list of its vintage', async () => {
    const legacy = ['name', 'location', 'service', 'target_fps', 'stream_url', 'snapshot_url', 'flip_horizontal'];
    legacy.push('flip_vertical', 'rotation', 'source');
    const modern = [...legacy, 'enabled', 'icon', 'target_fps_idle', 'aspect_ratio', 'extra_data', 'uid'];
    for (const [profile, fields] of [
      ['legacy-giga', legacy],
      ['modern', modern],
    ] as const) {
      const simulator = await bench.start('moonraker', { profile });
      const client = await RpcClient.open(simulator);
      clients.push(client);
      const camera = async (): Promise<Json | undefined> =>
        ((await client.call('server.webcams.list')) as { webcams: Json[] }).webcams[0];
      const seen = await camera();
      assert.deepEqual(Object.keys(seen ?? {}).sort(), [...fields].sort());
      /** The colour in the middle of the plate, just above it, and at the end of the bar. */
      const look = async (): Promise<string[]> => {
        const response = await fetch(`http://127.0.0.1:${port(simulator, 'http')}${String(seen?.snapshot_url)}`);
        assert.equal(response.headers.get('content-type'), 'image/png');
        const { data, width } = PNG.sync.read(Buffer.from(await response.arrayBuffer()));
        return [
          [160, 170],
          [285, 218],
        ].map(([x = 0, y = 0]) => data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).toString('hex'));
      };
      const empty = await look();
      await upload(simulator, 'part.gcode', gcode(20));
      await client.call('printer.print.start', { filename: 'part.gcode' });
      await eventually(() => truthNames(simulator).includes('finished'));
      const [part, bar] = await look();
      assert.notEqual(part, empty[0]);
      assert.notEqual(bar, empty[1]);
      await control(simulator, '/plate/clear');
      assert.deepEqual(await look(), [empty[0], bar]);
      assert.equal((await control(simulator, '/webcam', { snapshot_url: null })).status, 200);
      assert.equal(await camera(), undefined);
      assert.equal((await control(simulator, '/webcam')).status, 400);
    }
  });

  it('keeps printing while the program is down, and finishes in the history', async () => {
    const dataDir = bench.folder();
    const before = await bench.start('moonraker', { dataDir, speed: 300 });
    const client = await connected(before);
    await upload(before, 'q-6.gcode', gcode(20));
    await client.call('printer.print.start', { filename: 'q-6.gcode' });
    await eventually(() => client.history().includes('added in_progress'));
    await before.close();
    assert.ok(await eventually(() => client.closed));

    const after = await bench.start('moonraker', { dataDir, speed: 300 });
    const again = await connected(after);
    await eventually(() => truthNames(after).includes('finished'));
    const { jobs } = (await again.call('server.history.list', {})) as { jobs: { status: string; filename: string }[] };
    assert.deepEqual(
      jobs.map(({ status, filename }) => `${filename} ${status}`),
      ['q-6.gcode completed'],
    );
    assert.deepEqual(truthNames(after), ['upload', 'start', 'started', 'finished']);
  });

  it('answers 504 behind a proxy although the actions happen', async () => {
    const simulator = await bench.start('moonraker', { speed: 300 });
    const base = `http://127.0.0.1:${port(simulator, 'http')}`;
    await control(simulator, '/fault', { name: 'upload_504', times: 1 });
    const form = new FormData();
    form.append('file', new Blob([gcode(9000)]), 'q-10.gcode');
    const uploaded = await fetch(`${base}/server/files/upload`, { method: 'POST', body: form });
    assert.equal(uploaded.status, 504);
    assert.match(await uploaded.text(), /^<html>/);
    assert.deepEqual(simulator.state().files, ['q-10.gcode']);
    await fetch(`${base}/printer/print/start?filename=q-10.gcode`, { method: 'POST' });
    await control(simulator, '/fault', { name: 'proxy_504', seconds: 0.05, times: 1 });
    // The file is heating up, so the macro waits.
    const paused = await fetch(`${base}/printer/print/pause`, { method: 'POST' });
    assert.equal(paused.status, 504);
    await eventually(() => simulator.state().paused === 'user');
  });

  it('supports a foreign print and other faults', async () => {
    const simulator = await bench.start('moonraker', { speed: 300 });
    const client = await connected(simulator);
    await upload(simulator, 'q-7.gcode', gcode(60));
    await control(simulator, '/fault', { name: 'start_ignored', times: 1 });
    assert.equal(await client.call('printer.print.start', { filename: 'q-7.gcode' }), 'ok');
    assert.equal(simulator.state().printing, null);

    await control(simulator, '/foreign-start', { file_name: 'vase.gcode', minutes: 600 });
    await eventually(() => client.states().includes('printing'));
    assert.equal(truth(simulator).at(-1)?.event, 'foreign_start');
    assert.equal((await control(simulator, '/plate/clear')).status, 400);
    await control(simulator, '/screen/cancel');
    await eventually(() => truthNames(simulator).at(-1) === 'stopped');

    await control(simulator, '/fault', { name: 'print_fails', at: 0.5 });
    await client.call('printer.print.start', { filename: 'q-7.gcode' });
    await eventually(() => client.states().includes('error'));
    const failed = truth(simulator).at(-1);
    assert.deepEqual([failed?.event, failed?.file_name, failed?.reason], ['stopped', 'q-7.gcode', 'fault']);
    const started = truth(simulator).filter(({ event }) => event === 'started');
    assert.deepEqual(
      started.map(({ bed }) => bed),
      ['vase.gcode'],
    );

    await control(simulator, '/fault', { name: 'upload_breaks', times: 1, after_bytes: 600 });
    await assert.rejects(upload(simulator, 'q-8.gcode', gcode(5).repeat(50)));
    await control(simulator, '/fault', { name: 'offline' });
    await eventually(() => client.closed);
    await assert.rejects(http(simulator, 'GET', '/server/info'));
    await control(simulator, '/fault', { name: 'offline', on: false });
    assert.equal((await http(simulator, 'GET', '/server/info')).status, 200);
    assert.equal((await control(simulator, '/fault', { name: 'nonsense' })).status, 400);
  });

  /** The last line of the truth log about how a print went, and its filament. */
  const tools = (simulator: RunningSimulator) => truth(simulator).findLast(({ tools }) => tools !== undefined);
  const printed = async (simulator: RunningSimulator, content: string, name = 'tools.gcode') => {
    const before = truthNames(simulator).length;
    await upload(simulator, name, content);
    assert.equal((await http(simulator, 'POST', `/printer/print/start?filename=${name}`)).status, 200);
    return eventually(() =>
      truth(simulator)
        .slice(before)
        .find(({ event }) => event === 'finished' || event === 'stopped'),
    );
  };

  it('records in the truth log which extruder extruded which loaded filament', async () => {
    const simulator = await bench.start('moonraker', {
      profile: 'modern',
      extruders: 2,
      loads: { extruder: 'pla_black_esun', extruder1: 'pla_white_esun' },
    });
    const file = (more: string): string => gcode(5).replace('M104 S210', `M104 S210\nM104 T1 S210\n${more}`);
    const first = await printed(simulator, file(''));
    assert.deepEqual(
      first.tools?.map(({ tool, material }) => [tool, material]),
      [[0, 'pla_black_esun']],
    );
    const started = truth(simulator).find(({ event }) => event === 'started');
    assert.deepEqual(started?.tools, first.tools);
    assert.ok((first.tools?.[0]?.grams ?? 0) > 0.05);
    assert.equal((await printed(simulator, file('T1'), 'second.gcode')).tools?.[0]?.material, 'pla_white_esun');
    const objects = await http(simulator, 'GET', '/printer/objects/query?extruder&extruder1&toolhead=extruder');
    const { status } = objects.body.result as { status: Record<string, Json> };
    assert.equal(status.toolhead?.extruder, 'extruder1');
    await control(simulator, '/load', { slot: 'extruder1', material: null });
    assert.deepEqual((await printed(simulator, file('T1'), 'third.gcode')).tools, [
      { tool: 1, material: null, grams: 0 },
    ]);
    assert.equal(tools(simulator)?.event, 'finished');
  });

  it('ends a print in the state error, without a shutdown, where an extruder is cold', async () => {
    const simulator = await bench.start('moonraker', { profile: 'modern', extruders: 2 });
    const ended = await printed(simulator, gcode(5).replace('G28', 'T1\nG28'));
    assert.deepEqual([ended.event, ended.tools], ['stopped', []]);
    assert.match(ended.reason ?? '', /^Extrude below minimum temp/);
    const { body } = await http(simulator, 'GET', '/printer/objects/query?print_stats&webhooks');
    const { status } = body.result as { status: Record<string, Json> };
    assert.equal(status.print_stats?.state, 'error');
    assert.match(String(status.print_stats?.message), /^Extrude below minimum temp/);
    assert.equal(status.webhooks?.state, 'ready');
  });

  it('is empty until filament is loaded, keeps it, and rejects a load without a place', async () => {
    const dataDir = bench.folder();
    const before = await bench.start('moonraker', { dataDir, loads: {} });
    const sensor = async (simulator: RunningSimulator): Promise<unknown> => {
      const path = '/printer/objects/query?filament_switch_sensor%20fila';
      const { body } = await http(simulator, 'GET', path);
      const { status } = body.result as { status: Record<string, Json> };
      return status['filament_switch_sensor fila']?.filament_detected;
    };
    assert.equal(await sensor(before), false);
    assert.deepEqual((await printed(before, gcode(5))).tools, [{ tool: 0, material: null, grams: 0 }]);
    const loaded = await control(before, '/load', { slot: 'extruder', material: 'petg_white_esun' });
    assert.equal(loaded.status, 200);
    assert.equal(await sensor(before), true);
    const refused = await control(before, '/load', { slot: 'extruder1', material: 'petg_white_esun' });
    assert.equal(refused.status, 400);
    assert.match(String(refused.body.error), /no slot "extruder1". Slots: extruder/);
    assert.equal((await control(before, '/load', { slot: 'extruder' })).status, 400);
    await before.close();
    // Loads given as options apply only to a printer that was never used.
    const after = await bench.start('moonraker', { dataDir, loads: { extruder: 'pla_red_esun' } });
    await control(after, '/plate/clear');
    assert.equal((await printed(after, gcode(5), 'again.gcode')).tools?.[0]?.material, 'petg_white_esun');
  });
});
