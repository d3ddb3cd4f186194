import assert from 'node:assert/strict';
import { join } from 'node:path';
import { RealFarm } from '../support/real-farm';

interface Told {
  id: string;
  event: string;
  data: {
    event?: string;
    job_id?: string;
    job_seq?: number;
    to_status?: string;
    printer_id?: string;
    bed?: { state: string };
  };
}

/** A client of Server-Sent Events, as specified by the standard. */
class Listener {
  readonly told: Told[] = [];
  lastId = '';
  readonly #abort = new AbortController();
  #wake: () => void = () => undefined;

  async open(url: string, after?: string): Promise<this> {
    const response = await fetch(url, {
      signal: this.#abort.signal,
      headers: after === undefined ? {} : { 'last-event-id': after },
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    void this.#read(response).catch(() => this.#wake());
    return this;
  }

  close(): void {
    this.#abort.abort();
  }

  async until(satisfied: (told: Told[]) => boolean): Promise<void> {
    while (!satisfied(this.told)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').flatMap((line) => {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value ?? ''] as const];
      }),
    );
    const id = fields.get('id');
    if (id !== undefined) this.lastId = id;
    const data = fields.get('data');
    if (data === undefined) return;
    this.told.push({ id: id ?? '', event: fields.get('event') ?? 'message', data: JSON.parse(data) as Told['data'] });
    this.#wake();
  }
}

describe('The event stream', () => {
  const farm = new RealFarm();
  before(() => farm.start({ SIM_SPEED: '240' }));
  after(() => farm.kill9());

  const jobs = (told: Told[], id: string): Told[] =>
    told.filter(({ event, data }) => event === 'job' && data.job_id === id);

  it('sends a client that reconnects everything that it missed, also across a restart', async () => {
    const url = `${farm.url}/api/fabrication/events`;
    const model = await farm.upload(join('test', 'fixtures', 'models', '20mm-xyz-cube.stl'));
    const first = await new Listener().open(url);
    const id = await farm.submit({
      job_name: 'cube',
      stl_path: model,
      material_id: 'pla_black_esun',
      force_printer: 'elegoo_giga',
    });
    await first.until((told) => jobs(told, id).some(({ data }) => data.to_status === 'slicing'));
    first.close();
    await farm.until(id, (job) => job['status'] === 'printing');
    await farm.stop();
    await farm.start();
    const job = await farm.until(id, (one) => one['status'] === 'completed', 120_000);

    const second = await new Listener().open(url, first.lastId);
    await second.until((told) => jobs(told, id).some(({ data }) => data.to_status === 'completed'));
    second.close();
    const heard = [...first.told, ...second.told];
    assert.deepEqual(
      jobs(heard, id).map(({ data }) => data.job_seq),
      Array.from({ length: job.history.length }, (_, index) => index + 1),
      'each once, in order, none missing',
    );
    const ids = heard.filter((one) => one.id !== '').map((one) => Number(one.id));
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    );
  });

  it('gives every message its own event name: a bed is not a job', async () => {
    const url = `${farm.url}/api/fabrication/events`;
    const listener = await new Listener().open(url);
    const { body: told } = await farm.api<{ printers: { printer_id: string; bed: { version: number } }[] }>(
      '/printers',
    );
    const { version } = told.printers.find((one) => one.printer_id === 'elegoo_giga')?.bed ?? {};
    const { status } = await farm.api('/printers/elegoo_giga/bed/clear', {
      method: 'POST',
      json: { bed_version: version },
    });
    assert.equal(status, 200);
    const id = await farm.submit({
      job_name: 'held\nevent: bed',
      stl_path: await farm.upload(join('test', 'fixtures', 'models', '20mm-xyz-cube.stl')),
      material_id: 'pla_black_esun',
      hold: true,
    });
    await listener.until((told) => jobs(told, id).length > 0 && told.some(({ event }) => event === 'bed'));
    listener.close();
    const messages = listener.told.filter((one) => one.id !== '');
    for (const { event, data } of messages) assert.equal(event, data.event);
    for (const { data } of listener.told.filter(({ event }) => event === 'job')) assert.ok(data.job_id);
    const beds = listener.told.filter(({ event }) => event === 'bed');
    assert.deepEqual(
      beds.map(({ data }) => [data.printer_id, data.bed?.state, data.job_id]),
      [['elegoo_giga', 'clear', undefined]],
    );
  });

  it('reports when it cannot know which events were missed, and rejects a malformed id', async () => {
    const url = `${farm.url}/api/fabrication/events`;
    const listener = await new Listener().open(url, '999999999');
    await listener.until((told) => told.some(({ event }) => event === 'gap'));
    listener.close();
    const { status, body } = await farm.api('/events', { headers: { 'last-event-id': 'x; DROP TABLE outbox' } });
    assert.deepEqual([status, body['code']], [400, 'malformed_input']);
  });
});
