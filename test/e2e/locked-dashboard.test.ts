import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserFor } from '../support/browser';
import { platewise } from '../support/program';
import { RealFarm } from '../support/real-farm';
import { DashboardClient } from '../support/socket-io';

interface Bed {
  state: string;
  version: number;
}

const nodes = JSON.parse(readFileSync(join('examples', 'dashboard.json'), 'utf8')) as {
  id: string;
  type: string;
  name: string;
}[];
const farmPage = nodes.find(({ type, name }) => type === 'ui-template' && name === 'Farm')?.id ?? '';

describe('The dashboard of a farm with keys', () => {
  const farm = new RealFarm();
  const keys: Record<string, string> = {};
  let client: DashboardClient;

  before(async () => {
    await farm.start();
    for (const scope of ['read', 'operate']) {
      const { stdout } = await platewise(['keys', 'create', '--name', scope, '--scope', scope], {
        PLATEWISE_DATA: farm.data,
        DATABASE_URL: '',
      });
      keys[scope] = stdout.trim();
    }
    client = await new DashboardClient(`${farm.url}/dashboard`).open();
  });
  after(async () => {
    client?.close();
    await farm.kill9();
  });

  const authorization = () => ({ authorization: `Bearer ${keys['operate']}` });
  const bed = async (): Promise<Bed> => {
    const { body } = await farm.api<{ printers: { printer_id: string; bed: Bed }[] }>('/printers', {
      headers: authorization(),
    });
    const found = body.printers.find(({ printer_id }) => printer_id === 'elegoo_giga');
    assert.ok(found);
    return found.bed;
  };
  for (const [whose, key] of [
    ['no key', () => undefined],
    ['a made-up key', () => 'pw_made-up'],
    ['a read-only key', () => keys['read']],
  ] as const) {
    it(`accepts no order with ${whose}, whatever its shape`, async () => {
      const { version } = await bed();
      const order = { action: 'clear-bed', printer_id: 'elegoo_giga', bed_version: version };
      const brought = key() === undefined ? {} : { authorization: `Bearer ${key()}` };
      for (const message of [
        { payload: order },
        { payload: order, actor: 'api:admin', _client: null },
        {
          payload: order,
          req: { method: 'POST', headers: { host: 'localhost' }, params: {}, query: {}, body: order },
          res: { _res: {} },
        },
      ]) {
        const refused = client.heard(/the order brings no key|this needs operate/);
        client.send(farmPage, { ...message, ...brought });
        await refused;
      }
      assert.equal((await bed()).version, version);
    });
  }

  it('accepts an order with a key that may operate', async () => {
    const { version } = await bed();
    const payload = { action: 'clear-bed', printer_id: 'elegoo_giga', bed_version: version };
    client.send(farmPage, { payload, ...authorization() });
    while ((await bed()).version === version) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('sends the key of the tab along, and records its name in the history', async function () {
    const form = new FormData();
    form.append('file', new Blob([readFileSync(join('test', 'fixtures', 'models', '20mm-xyz-cube.stl'))]), 'cube.stl');
    const { body: file } = await farm.api<{ stl_path: string }>('/files', {
      method: 'POST',
      body: form,
      headers: authorization(),
    });
    const { body: job } = await farm.api<{ job_id: string }>('/jobs', {
      method: 'POST',
      headers: { ...authorization(), 'content-type': 'application/json' },
      body: JSON.stringify({
        job_name: 'cube',
        stl_path: file.stl_path,
        material_id: 'pla_black_esun',
        // It waits for its start time, and can be held and released in the meantime.
        not_before: new Date(Date.now() + 86_400_000).toISOString(),
      }),
    });
    const browser = await browserFor(this);
    try {
      const page = await browser.newPage();
      await page.goto(`${farm.url}/dashboard/queue`);
      await page.locator('[data-action="hold"]').click();
      await page
        .getByText(/The farm is locked.*press “Key”/)
        .first()
        .waitFor();
      await page.locator('[data-action="key"]').click();
      await page.getByPlaceholder('pw_…').fill(keys['operate'] ?? '');
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.locator('[data-action="hold"]').click();
      await page.locator('[data-action="release"]').waitFor();
    } finally {
      await browser.close();
    }
    const { body } = await farm.api<{ hold: boolean }>(`/jobs/${job.job_id}`, { headers: authorization() });
    assert.equal(body.hold, true);
  });

  it('triggers a warning from `npm start` and doctor as long as it has no login', async () => {
    const flows = join(farm.data, 'node-red', 'flows.json');
    const { stdout } = await platewise(['doctor', '--json', '--flows', flows], {
      PLATEWISE_DATA: farm.data,
      DATABASE_URL: '',
      AMQP_URL: '',
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
    assert.equal(checks.find(({ name }) => name === 'dashboard')?.status, 'warning');
    await farm.stop();
    await farm.start();
    assert.match(farm.output, /The farm has keys, but its dashboard has no login/);
  });
});
