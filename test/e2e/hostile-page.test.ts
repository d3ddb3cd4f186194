import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { browserFor } from '../support/browser';
import { RealFarm } from '../support/real-farm';

interface Bed {
  state: string;
  version: number;
}

/** The outcome of each attempt of a page; runs in the browser. */
async function attack({ url, job, bed }: { url: string; job: string; bed: string }): Promise<Record<string, string>> {
  const api = `${url}/api/fabrication`;
  const outcomes: Record<string, string> = {};
  const attempt = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    outcomes[what] = await act().then(
      (answer) => String(answer),
      (error: unknown) => `failed: ${String(error)}`,
    );
  };
  const blindly = (path: string, body?: BodyInit): Promise<unknown> =>
    fetch(api + path, { method: 'POST', mode: 'no-cors', ...(body !== undefined && { body }) }).then(
      ({ type }) => type,
    );
  await attempt('a job as text', () => blindly('/jobs', job));
  await attempt('a job without a type', () => blindly('/jobs', new Blob([job])));
  await attempt('a job as json by text', () => blindly('/jobs', new Blob([job], { type: 'text/plain;json' })));
  await attempt('a bed without a body', () => blindly('/printers/elegoo_giga/bed/clear'));
  await attempt('a bed with its version', () => blindly('/printers/elegoo_giga/bed/clear', new Blob([bed])));
  await attempt('a pass of the scheduler', () => blindly('/schedule'));
  await attempt('an upload', () => {
    const form = new FormData();
    form.append('file', new File(['solid x\nendsolid x\n'], 'x.stl'));
    return blindly('/files', form);
  });
  await attempt('a beacon', async () => navigator.sendBeacon(`${api}/jobs`, job));
  await attempt('a form', async () => {
    const frame = document.createElement('iframe');
    frame.name = 'target';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: `${api}/jobs`, target: 'target', enctype: 'text/plain' });
    const field = document.createElement('input');
    // As text/plain this is a whole JSON object.
    Object.assign(field, { name: `${job.slice(0, -1)}, "x": "`, value: '"}' });
    form.append(field);
    document.body.append(form);
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    form.submit();
    await loaded;
    return 'sent';
  });
  await attempt('a read', () => fetch(`${api}/printers`).then((answer) => answer.text()));
  await attempt('a read of the flows', () => fetch(`${url}/flows`).then((answer) => answer.text()));
  const socket = (path: string, said: string): Promise<unknown> =>
    new Promise((resolve) => {
      const opened = new WebSocket(`${url.replace('http', 'ws')}${path}`);
      opened.onmessage = ({ data }: MessageEvent<string>) => {
        if (data.startsWith('0')) opened.send('40');
        else if (data.startsWith(said)) resolve('let in');
        else if (data.startsWith('44')) resolve('refused');
      };
      opened.onclose = () => resolve('refused');
    });
  await attempt('the socket of the dashboard', () => socket('/dashboard/socket.io/?EIO=4&transport=websocket', '40'));
  await attempt('the socket of the editor', () => socket('/comms', '['));
  await attempt('a frame', async () => {
    const frame = document.createElement('iframe');
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    frame.src = `${url}/dashboard/farm`;
    frame.id = 'framed';
    document.body.append(frame);
    await loaded;
    return 'loaded';
  });
  return outcomes;
}

describe('A page of another site in the operator’s browser', () => {
  const farm = new RealFarm();
  let browser: Browser;
  let hostile: Server;
  let page: Page;
  let job: string;

  before(async function () {
    browser = await browserFor(this);
    hostile = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Free models</title><body>');
    }).listen(0);
    await once(hostile, 'listening');
    page = await browser.newPage();
    await farm.start();
    const stl_path = await farm.upload(join('test', 'fixtures', 'models', '20mm-xyz-cube.stl'));
    job = JSON.stringify({ job_name: 'stranger', stl_path, material_id: 'pla_black_esun' });
  });
  after(async () => {
    await browser?.close();
    hostile?.close();
    await farm.kill9();
  });

  const jobs = async (): Promise<number> => (await farm.api<{ total_jobs: number }>('/queue')).body.total_jobs;
  const bedOf = async (): Promise<Bed> => {
    const { body } = await farm.api<{ printers: { printer_id: string; bed: Bed }[] }>('/printers');
    const found = body.printers.find(({ printer_id }) => printer_id === 'elegoo_giga');
    assert.ok(found);
    return found.bed;
  };

  for (const host of ['localhost', '127.0.0.1']) {
    it(`on another port of ${host} changes and reads nothing, and gets no socket and no frame`, async () => {
      const { port } = new URL(farm.url);
      const [before, bed] = [await jobs(), await bedOf()];
      await page.goto(`http://${host}:${(hostile.address() as AddressInfo).port}/`);
      const url = `http://${host}:${port}`;
      const outcomes = await page.evaluate(attack, { url, job, bed: JSON.stringify({ bed_version: bed.version }) });
      assert.match(outcomes['a read'] ?? '', /^failed/, 'it cannot even read');
      assert.match(outcomes['a read of the flows'] ?? '', /^failed/, 'nor can it read the editor');
      for (const socket of ['the socket of the dashboard', 'the socket of the editor']) {
        assert.equal(outcomes[socket], 'refused', socket);
      }
      const framed = await (await page.$('#framed'))?.contentFrame();
      assert.match(framed?.url() ?? '', /^chrome-error:/, 'the frame stays empty');
      assert.equal(await jobs(), before, JSON.stringify(outcomes));
      assert.deepEqual(await bedOf(), bed, JSON.stringify(outcomes));
    });
  }

  it('does not restrict the farm’s own pages', async () => {
    const { version } = await bedOf();
    await page.goto(`${farm.url}/dashboard/farm`);
    await page.locator('[data-printer="elegoo_giga"]').waitFor();
    const ask = (path: string, body: unknown): Promise<number> =>
      page.evaluate(
        async ([where, text]) => {
          const headers = { 'content-type': 'application/json' };
          return (await fetch(`/api/fabrication${where}`, { method: 'POST', headers, body: text })).status;
        },
        [path, JSON.stringify(body)] as const,
      );
    assert.equal(await ask('/printers/elegoo_giga/bed/clear', { bed_version: version }), 200);
    assert.equal(await ask('/jobs', { ...JSON.parse(job), hold: true }), 201);
    await page.goto(`${farm.url}/dashboard/queue`);
    await page.locator('[data-action="release"]').waitFor();
    page.once('dialog', (dialog) => void dialog.accept());
    await page.locator('[data-action="cancel"]').click();
    await page.getByText('Nothing here.').waitFor();
    assert.equal(await jobs(), 0);
  });
});
