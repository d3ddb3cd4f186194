import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import createClient, { type Client } from 'openapi-fetch';
import { fixture } from '../fixtures';
import type { components, paths } from '../generated/api';
import { RealFarm } from '../support/real-farm';

type Job = components['schemas']['Job'];

/** A client as another program would have it: types from docs/openapi.yaml, no code of ours. */
describe('A client that is generated from the description', () => {
  const farm = new RealFarm();
  let client: Client<paths>;
  before(async () => {
    await farm.start({ SIM_SPEED: '240' });
    client = createClient<paths>({ baseUrl: `${farm.url}/api/fabrication` });
  });
  after(() => farm.kill9());

  async function upload(): Promise<string> {
    const { data, error } = await client.POST('/files', {
      body: { file: '' },
      bodySerializer: () => {
        const form = new FormData();
        form.append('file', new Blob([readFileSync(fixture('models', '20mm-xyz-cube.stl'))]), 'cube.stl');
        return form;
      },
    });
    assert.ok(data, error?.detail);
    return data.stl_path;
  }

  async function submit(job: components['schemas']['JobSubmission']): Promise<string> {
    const { data, error } = await client.POST('/jobs', { body: job });
    assert.ok(data, error?.detail);
    return data.job_id;
  }

  async function job(id: string): Promise<Job> {
    const { data, error } = await client.GET('/jobs/{id}', { params: { path: { id } } });
    assert.ok(data, error?.detail);
    return data;
  }

  /** Resolves when the event stream reports that a job has reached this status. */
  async function watch(id: string, status: Job['status']): Promise<void> {
    const ended = new AbortController();
    const { data } = await client.GET('/events', { parseAs: 'stream', signal: ended.signal });
    assert.ok(data);
    if ((await job(id)).status === status) return ended.abort();
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of data as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const told = text.split('\n').filter((line) => line.startsWith('data: ') && line.endsWith('}'));
      const messages = told.map((line) => JSON.parse(line.slice(6)) as { job_id?: string; to_status?: string });
      if (messages.some(({ job_id, to_status }) => job_id === id && to_status === status)) break;
    }
    ended.abort();
  }

  it('takes a job through its whole life', async () => {
    const path = await upload();
    const id = await submit({
      job_name: 'cube',
      stl_path: path,
      material_id: 'pla_black_esun',
      force_printer: 'elegoo_giga',
      hold: true,
    });
    const other = await submit({ job_name: 'another', stl_path: path, material_id: 'pla_black_esun', hold: true });
    assert.equal((await job(id)).hold, true);

    const released = await client.POST('/jobs/{id}/release', { params: { path: { id } } });
    assert.equal(released.data?.hold, false);
    const held = await client.POST('/jobs/{id}/hold', { params: { path: { id: other } } });
    assert.equal(held.data?.hold, true);

    await watch(id, 'completed');
    const done = await job(id);
    assert.equal(done.attempts.at(-1)?.outcome, 'completed');

    const printers = await client.GET('/printers');
    const printer = printers.data?.printers.find(({ printer_id }) => printer_id === 'elegoo_giga');
    assert.equal(printer?.bed.state, 'occupied');
    const cleared = await client.POST('/printers/{id}/bed/clear', {
      params: { path: { id: 'elegoo_giga' } },
      body: { bed_version: printer?.bed.version ?? -1 },
    });
    assert.equal(cleared.data?.bed.state, 'clear');

    const cancelled = await client.DELETE('/jobs/{id}', { params: { path: { id: other } } });
    assert.equal(cancelled.data?.status, 'cancelled');
    assert.equal((await job(other)).status, 'cancelled');
  });

  it('receives a typed problem for an invalid request', async () => {
    const { data, error, response } = await client.POST('/jobs', {
      body: { job_name: 'x', stl_path: '/nowhere.stl', material_id: 'unobtainium' },
    });
    assert.equal(data, undefined);
    assert.equal(response.status, 422);
    assert.deepEqual(
      error?.errors.map(({ field }) => field),
      ['material_id', 'stl_path'],
    );
  });
});
