import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { JobPreview } from '../../lib/jobs/preview';
import type { SetupView } from '../../lib/views/setups';
import type { PrinterView } from '../../lib/views/shapes';
import { browserFor } from '../support/browser';
import { poorContrasts } from '../support/contrast';
import { platewise } from '../support/program';
import { RealFarm } from '../support/real-farm';
import { defaultPrinters } from '../support/simulated-farm';

const cube = join('test', 'fixtures', 'models', '20mm-xyz-cube.stl');
const pages = ['farm', 'queue', 'plan', 'setups', 'submit', 'numbers', 'trouble'];

describe('The dashboard', () => {
  const farm = new RealFarm();
  let browser: Browser | undefined;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    browser = await browserFor(this);
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      colorScheme: 'light',
      locale: 'en-GB',
    });
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.text().startsWith('errorCaptured')) errors.push(message.text());
    });
    page.on('dialog', (dialog) => void dialog.accept());
    // With an operator always present the whole farm is planned ahead; a missing print is looked for only briefly.
    await farm.start({
      SIM_SPEED: '60',
      OPERATOR_HOURS: '00:00-24:00',
      LOOK_FOR_JOB_SECONDS: '2',
      START_COMMAND_SECONDS: '5',
    });
  });
  after(async () => {
    await browser?.close();
    await farm.kill9();
  });

  const open = async (name: string): Promise<void> => {
    await page.goto(`${farm.url}/dashboard/${name}`);
    await page.locator('section.pw').waitFor();
  };
  const card = (printer: string) => page.locator(`[data-printer="${printer}"]`);
  const printer = async (id: string): Promise<PrinterView> => {
    const { body } = await farm.api<{ printers: PrinterView[] }>('/printers');
    const found = body.printers.find((one) => one.printer_id === id);
    assert.ok(found);
    return found;
  };
  const cubeJob = async (more: Record<string, unknown> = {}): Promise<string> =>
    farm.submit({ job_name: 'Cube', stl_path: await farm.upload(cube), material_id: 'pla_black_esun', ...more });
  /** Acts on a simulated printer as an operator in front of it does, or triggers an event on it. */
  const atPrinter = async (id: string, what: string, body: unknown): Promise<void> => {
    const state = readFileSync(join(farm.data, 'simulators', id, 'state.json'), 'utf8');
    const { ports } = JSON.parse(state) as { ports: { control: number } };
    const url = `http://127.0.0.1:${ports.control}/${what}`;
    const { ok } = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    assert.ok(ok, what);
  };

  it('accepts a model that is dropped on it, and shows errors beside the field', async () => {
    await open('submit');
    const transfer = await page.evaluateHandle((base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const dropped = new DataTransfer();
      dropped.items.add(new File([bytes], '20mm-xyz-cube.stl'));
      return dropped;
    }, readFileSync(cube).toString('base64'));
    await page.locator('.pw-drop').dispatchEvent('drop', { dataTransfer: transfer });
    await page.getByText(/20\.0 × 20\.0 × 20\.0 mm/).waitFor();
    await page.getByLabel(/^Priority/).fill('11');
    await page.locator('form:has(.main)').evaluateAll((forms) => {
      for (const form of forms) form.setAttribute('novalidate', '');
    });
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.locator('label', { hasText: 'Priority' }).locator('.pw-error', { hasText: /./ }).waitFor();
    await page.getByLabel(/^Priority/).fill('3');
    const preview = page.locator('[data-preview]');
    await preview.getByText(/^About \d+ min of printing, \d+ g, \$\d/).waitFor();
    assert.equal(await preview.locator('.pw-badge', { hasText: 'fits' }).count(), defaultPrinters.length);
    assert.ok(await preview.locator('img').evaluate((image) => (image as HTMLImageElement).naturalWidth > 100));
    await page.getByLabel(/^Printer/).selectOption('snapmaker_artisan');
    await page.getByLabel(/^Kit/).fill('order 4711');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.getByRole('status').filter({ hasText: 'Accepted' }).waitFor();
    assert.equal((await farm.api<{ total_jobs: number }>('/queue?kit_id=order%204711')).body.total_jobs, 1);
  });

  it('gets the same from the API: a preview of a job, without storing one', async () => {
    const before = (await farm.api<{ total_jobs: number }>('/queue')).body.total_jobs;
    const job = { job_name: 'Clip', stl_path: await farm.upload(cube), material_id: 'pacf_black_bambu' };
    const { body } = await farm.api<JobPreview>('/jobs/preview', { method: 'POST', json: job });
    assert.deepEqual(
      body.printers.map(({ printer_id, because }) => [printer_id, because]),
      [
        ['bamboo_h2d', null],
        ['elegoo_giga', 'Elegoo OrangeStorm Giga does not print PA-CF.'],
        ['snapmaker_artisan', 'Snapmaker Artisan does not print PA-CF.'],
      ],
    );
    assert.match(body.thumbnail ?? '', /^data:image\/png;base64,iVBOR/);
    const refused = await farm.api('/jobs/preview', { method: 'POST', json: { ...job, material_id: 'unobtainium' } });
    assert.equal(refused.status, 422);
    assert.equal((await farm.api<{ total_jobs: number }>('/queue')).body.total_jobs, before);
  });

  it('shows that print until it is done, and accepts that its bed is clear', async () => {
    await open('farm');
    const artisan = card('snapmaker_artisan');
    await artisan.locator('.pw-big', { hasText: /^\d+ %$/ }).waitFor();
    assert.match((await artisan.textContent()) ?? '', /20mm-xyz-cube/);
    await artisan.locator('.pw-badge', { hasText: 'printing' }).waitFor();
    await artisan.locator('[data-action="clear-bed"]').click({ timeout: 120_000 });
    await artisan.getByText('bed clear').waitFor();
    const { body } = await farm.api<{ jobs: { job_id: string; priority: number }[] }>('/queue?status=completed');
    assert.equal(body.jobs[0]?.priority, 3);
  });

  it('shows three prints in progress, pauses one, lets it go on, and cancels it', async () => {
    for (const { id } of defaultPrinters) await cubeJob({ job_name: `Calibration cube on ${id}`, force_printer: id });
    for (const { id } of defaultPrinters) {
      await card(id).getByText(`Calibration cube on ${id}`).waitFor({ timeout: 90_000 });
      await card(id).locator('.pw-badge', { hasText: 'printing' }).waitFor({ timeout: 90_000 });
    }
    const h2d = card('bamboo_h2d');
    await h2d.locator('[data-action="pause"]').click();
    await h2d.locator('.pw-badge', { hasText: 'paused' }).waitFor();
    await h2d.locator('[data-action="resume"]').click();
    await h2d.locator('.pw-badge', { hasText: 'printing' }).waitFor();
    const job = (await printer('bamboo_h2d')).job_id ?? '';
    await h2d.locator('[data-action="cancel"]').click();
    await farm.until(job, ({ status }) => status === 'cancelled');
    await h2d.locator('[data-action="clear-bed"]').click();
    await h2d.getByText('bed clear').waitFor();
  });

  it('shows the queue as it changes: priority, hold, release and cancel', async () => {
    await open('queue');
    const held = await cubeJob({ job_name: '<b>Bracket</b>', material_id: 'petg_white_esun', hold: true });
    const row = page.locator(`[data-job="${held}"]`);
    await row.getByText('held', { exact: true }).waitFor();
    assert.match(
      (await row.textContent()) ?? '',
      /<b>Bracket<\/b>/,
      'a name is rendered as text, whatever it contains',
    );
    await row.locator('select').focus();
    await row.locator('select').selectOption('2');
    await farm.until(held, (job) => job['priority'] === 2);
    await row.locator('[data-action="release"]').click();
    await farm.until(held, (job) => job['hold'] === false);
    await row.locator('[data-action="hold"]').click();
    await row.getByText('held', { exact: true }).waitFor();
    assert.equal((await farm.until(held, () => true))['hold'], true);
    await page.getByLabel('Search').fill('no such job');
    await row.waitFor({ state: 'detached' });
    await page.getByLabel('Search').fill('bracket');
    await row.waitFor();
    await row.locator('[data-action="cancel"]').click();
    await row.waitFor({ state: 'detached' });
    await farm.until(held, ({ status }) => status === 'cancelled');
    await page.getByLabel('Search').fill('');
  });

  it('pauses the whole farm, shows it on two pages, and resumes it', async () => {
    await open('queue');
    await page.locator('[data-action="pause-farm"]').click();
    await page.getByText(/The farm is paused since/).waitFor();
    assert.ok((await farm.api<{ paused: object | null }>('/queue')).body.paused);
    await open('farm');
    await page
      .locator('.pw-paused')
      .getByText(/Nothing new starts/)
      .waitFor();
    await page.locator('[data-action="resume-farm"]').click();
    await page.locator('.pw-paused').waitFor({ state: 'detached' });
    assert.equal((await farm.api<{ paused: object | null }>('/queue')).body.paused, null);
  });

  it('shows the effect of an action on a second screen', async () => {
    const other = await page.context().newPage();
    await other.goto(`${farm.url}/dashboard/queue`);
    await open('queue');
    const job = await cubeJob({ job_name: 'Seen twice', hold: true });
    for (const screen of [page, other]) await screen.locator(`[data-job="${job}"]`).waitFor();
    await page.locator(`[data-job="${job}"] [data-action="cancel"]`).click();
    await other.locator(`[data-job="${job}"]`).waitFor({ state: 'detached' });
    await other.close();
  });

  it('shows the answer to a "what if", and changes nothing', async () => {
    const due = new Date(Date.now() + 20 * 60_000).toISOString();
    // The printer is busy first, so the promise is planned, not begun.
    const before = await cubeJob({ job_name: 'Sooner', force_printer: 'elegoo_giga', priority: 1 });
    const job = await cubeJob({
      job_name: 'Promised part',
      force_printer: 'elegoo_giga',
      deadline_at: due,
      priority: 9,
    });
    await open('plan');
    await page.locator('[data-bar="print"]').first().waitFor({ state: 'attached' });
    const form = page.locator('[data-form="what-if"]');
    await form.getByLabel('a rush job came').uncheck();
    await form.getByLabel('Elegoo OrangeStorm Giga').check();
    await form.getByRole('button', { name: 'Show what would be' }).click();
    await page.getByText('As it would be.').waitFor();
    const answer = page.locator('[data-answer]');
    await answer
      .locator('li', { hasText: 'Promised part' })
      .locator('.pw-badge', { hasText: 'breaks its deadline' })
      .waitFor();
    assert.match((await answer.textContent()) ?? '', /1 promise would be broken/);
    await form.getByLabel('Elegoo OrangeStorm Giga').uncheck();
    await form.getByLabel('a rush job came').check();
    await form.getByLabel('Name').fill('Fire brigade');
    await form.getByRole('button', { name: 'Show what would be' }).click();
    await answer.getByText(/Fire brigade: starts/).waitFor();
    await page.locator('[data-action="back"]').click();
    await page.getByText('As it would be.').waitFor({ state: 'detached' });
    const { body } = await farm.api<{ jobs: { job_name: string }[] }>('/queue');
    assert.ok(!body.jobs.some(({ job_name }) => job_name === 'Fire brigade'));
    for (const id of [before, job]) await farm.api(`/jobs/${id}`, { method: 'DELETE' });
  });

  it("lists the operator's setups, and accepts them as done", async () => {
    // The slot of a running print cannot be changed.
    await freed('snapmaker_artisan');
    await open('setups');
    const red = await cubeJob({
      job_name: 'Red part',
      material_id: 'pla_red_esun',
      force_printer: 'snapmaker_artisan',
    });
    const setup = page.locator('[data-setup^="snapmaker_artisan"][data-setup$="pla_red_esun"]');
    await setup.waitFor();
    const id = (await setup.getAttribute('data-setup')) ?? '';
    const { body } = await farm.api<{ setups: SetupView[] }>('/setups');
    const wanted = body.setups.find((one) => one.id === id);
    assert.ok(wanted);
    assert.equal(await setup.locator('[data-action="done"]').isDisabled(), true, 'no such spool is known yet');
    await setup.getByLabel(/new spool/).fill('750');
    await setup.getByRole('button', { name: 'Add it' }).click();
    await setup.locator('option', { hasText: '750 g' }).first().waitFor({ state: 'attached' });
    await setup.locator('[data-action="done"]:enabled').click();
    await page.locator(`[data-setup="${id}"]`).waitFor({ state: 'detached' });
    const slot = (await printer(wanted.printer_id)).slots.find((one) => one.slot === wanted.slot);
    assert.equal(slot?.material_id, 'pla_red_esun');
    await farm.api(`/jobs/${red}`, { method: 'DELETE' });
  });

  it('replays a job that was given up', async () => {
    await freed('bamboo_h2d');
    await atPrinter('bamboo_h2d', 'fault', { name: 'print_fails', times: 1 });
    const job = await cubeJob({ job_name: 'Given up', force_printer: 'bamboo_h2d', max_retries: 0 });
    await open('trouble');
    const letter = page.locator('[data-trouble="dead-letter"]', { hasText: 'Given up' });
    await letter.locator('[data-action="replay"]').click({ timeout: 90_000 });
    await letter.waitFor({ state: 'detached' });
    const { status } = await farm.until(job, (one) => one['status'] !== 'failed');
    assert.notEqual(status, 'failed');
    await farm.api(`/jobs/${job}`, { method: 'DELETE' });
  });

  it('asks whether a print happened, and accepts the answer', async () => {
    await freed('elegoo_giga');
    await atPrinter('elegoo_giga', 'fault', { name: 'start_ignored', times: 1 });
    const job = await cubeJob({ job_name: 'Nobody knows', force_printer: 'elegoo_giga' });
    await open('trouble');
    const question = page.locator('[data-trouble="unknown"]', { hasText: 'Nobody knows' });
    await question.locator('[data-action="not-printed"]').click({ timeout: 90_000 });
    await question.waitFor({ state: 'detached', timeout: 60_000 });
    const { attempts } = await farm.until(job, (one) => one.attempts.some(({ phase }) => phase === 'ended'));
    assert.ok(attempts.some(({ outcome }) => outcome === 'not_started'));
    await farm.api(`/jobs/${job}`, { method: 'DELETE' });
  });

  it('asks on two pages about a print whose printer is unreachable, and accepts that it is switched off', async () => {
    await freed('elegoo_giga');
    const job = await cubeJob({ job_name: 'Nobody hears', force_printer: 'elegoo_giga' });
    await farm.until(job, ({ status }) => status === 'printing');
    await atPrinter('elegoo_giga', 'fault', { name: 'offline' });
    await open('farm');
    await card('elegoo_giga').getByText('Did it print?').waitFor({ timeout: 90_000 });
    assert.equal(await card('elegoo_giga').locator('[data-action="clear-bed"]').count(), 0);
    await open('trouble');
    const question = page.locator('[data-trouble="unknown"]', { hasText: 'Nobody hears' });
    await question.getByText('The machine is switched off or gone').waitFor();
    assert.match((await question.textContent()) ?? '', /Elegoo OrangeStorm Giga/);
    assert.equal(await question.locator('[data-action="clear-bed"]').count(), 0);
    // Before that the start may still reach the printer, and the answer is rejected.
    await new Promise((done) => setTimeout(done, 5000));
    await question.locator('[data-action="not-printed"]').click();
    await question.waitFor({ state: 'detached', timeout: 60_000 });
    const { attempts } = await farm.until(job, (one) => one.attempts.some(({ phase }) => phase === 'ended'));
    assert.ok(attempts.some(({ outcome }) => outcome === 'failed'));
    await farm.api(`/jobs/${job}`, { method: 'DELETE' });
    await atPrinter('elegoo_giga', 'fault', { name: 'offline', on: false });
  });

  it('shows a print that ran out of filament, and lets it continue with another spool', async () => {
    await freed('bamboo_h2d');
    await farm.api('/spools', {
      method: 'POST',
      json: { material_id: 'pla_black_esun', grams: 640, label: 'Shelf 3' },
    });
    await atPrinter('bamboo_h2d', 'fault', { name: 'runout', at: 0.3, times: 1 });
    const job = await cubeJob({ job_name: 'Runs out', force_printer: 'bamboo_h2d' });
    await open('queue');
    const row = page.locator(`[data-job="${job}"]`);
    await row.getByText('paused', { exact: true }).waitFor({ timeout: 90_000 });
    assert.match((await row.locator('.pw-why').getAttribute('title')) ?? '', /^bamboo_h2d: .*has run out/);
    await open('trouble');
    const question = page.locator('[data-trouble="printer"]', { hasText: 'Runs out' });
    assert.equal(await question.locator('[data-action="refill"]').isDisabled(), true, 'no spool is chosen yet');
    await question.getByText('Same spool, resume').waitFor();
    const shelf = await question.locator('option', { hasText: 'Shelf 3, 640 g' }).getAttribute('value');
    await question.locator('select').selectOption(shelf);
    await question.locator('[data-action="refill"]').click();
    await question.waitFor({ state: 'detached', timeout: 60_000 });
    assert.ok((await printer('bamboo_h2d')).slots.some(({ spool_id }) => spool_id === shelf));
    await farm.api(`/jobs/${job}`, { method: 'DELETE' });
  });

  it("shows the farm's figures, and exports them", async () => {
    await open('numbers');
    await page.locator('label', { hasText: /^By/ }).locator('select').selectOption('printer');
    const { body } = await farm.api<{ total: { prints: number } }>('/numbers?by=printer');
    assert.ok(body.total.prints > 0);
    await page.locator('[data-figure="prints"]', { hasText: String(body.total.prints) }).waitFor();
    await page.locator('.pw-plain th', { hasText: 'Snapmaker Artisan' }).waitFor();
    const downloading = page.waitForEvent('download');
    await page.locator('[data-action="export"]').click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), 'numbers-by-printer.csv');
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\r\n');
    assert.match(lines[0] ?? '', /^key,name,prints,/);
    assert.ok(lines.some((line) => line.startsWith('snapmaker_artisan,Snapmaker Artisan,')));
    assert.match(lines.at(-1) ?? '', /^total,Total,/);
  });

  for (const [width, height] of [
    [1440, 900],
    [390, 844],
  ] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`is readable in ${colorScheme} on a screen of ${width} px`, async () => {
        await cubeJob({ job_name: 'Late', deadline_at: new Date(Date.now() + 60_000).toISOString() });
        await cubeJob({ job_name: 'Held', hold: true, copies: 3 });
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        for (const name of pages) {
          await open(name);
          await settled();
          assert.deepEqual(await poorContrasts(page), [], name);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${name} is ${wide} px wide`);
        }
        await page.setViewportSize({ width: 1440, height: 900 });
        await page.emulateMedia({ colorScheme: 'light' });
      });
    }
  }

  it('can be used with the keyboard alone', async () => {
    for (const name of pages) {
      await open(name);
      await settled();
      const mice = await page.evaluate(() =>
        [...document.querySelectorAll('.pw *')]
          .filter((one) => (one as { _vei?: { onClick?: unknown } })._vei?.onClick)
          .filter((one) => !one.matches('button, a, input, select, [role="button"][tabindex="0"]'))
          .map((one) => one.outerHTML.slice(0, 100)),
      );
      assert.deepEqual(mice, [], `${name}: everything clickable is reachable by keyboard`);
      const stops = await page.evaluate(() => {
        const all = [
          ...document.querySelectorAll<HTMLElement>(
            'section.pw :is(button, input, select, a, summary, [tabindex="0"])',
          ),
        ];
        const reachable = all.filter((one) => !one.matches(':disabled') && one.checkVisibility());
        for (const [index, one] of reachable.entries()) one.dataset['stop'] = String(index);
        return reachable.length;
      });
      // Some controls have several tab stops; the control as a whole shows the focus at the first.
      const reached = new Set<string>();
      const seen = new Set<string>();
      for (let presses = 0; presses < 2 * stops + 40 && reached.size < stops; presses++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => {
          const one = document.activeElement as HTMLElement | null;
          const style = one && getComputedStyle(one);
          return {
            stop: one?.dataset['stop'],
            seen: style?.outlineStyle !== 'none' && Number.parseFloat(style?.outlineWidth ?? '0') >= 2,
          };
        });
        if (at.stop === undefined) continue;
        reached.add(at.stop);
        if (at.seen) seen.add(at.stop);
      }
      assert.equal(seen.size, reached.size, `${name}: the focus is visible`);
      assert.equal(reached.size, stops, `${name}: every control is reached`);
    }
  });

  it('asks for a key in plain words once the farm has keys, and works with one', async () => {
    const held = await cubeJob({ job_name: 'Behind the lock', hold: true });
    const environment = { PLATEWISE_DATA: farm.data, DATABASE_URL: '' };
    const { code, stdout, stderr } = await platewise(
      ['keys', 'create', '--name', 'dashboard', '--scope', 'operate'],
      environment,
    );
    assert.equal(code, 0, stderr);
    const key = stdout.trim();
    for (const name of ['submit', 'numbers', 'plan']) {
      await open(name);
      await page.getByRole('alert').filter({ hasText: 'The farm asks for a key. Press “Key”' }).waitFor();
    }
    await open('farm');
    await card('elegoo_giga').waitFor();
    await open('numbers');
    const give = async (text: string): Promise<void> => {
      await page.locator('[data-action="key"]').click();
      await page.getByRole('dialog').getByLabel('Key').fill(text);
      await page.keyboard.press('Enter');
    };
    await give('pw_wrong');
    await page.getByRole('alert').filter({ hasText: 'This key is not in use' }).waitFor();
    await give(key);
    await page.locator('[data-figure="prints"]').waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    const kept = await page.evaluate(() => [localStorage, sessionStorage].map((one) => JSON.stringify({ ...one })));
    assert.ok(!kept[0]?.includes(key), 'it is not stored beyond the tab');
    assert.ok(kept[1]?.includes(key));
    await open('submit');
    await page.locator('input[type="file"]').setInputFiles(cube);
    await page.getByText(/20\.0 × 20\.0 × 20\.0 mm/).waitFor();
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.getByRole('status').filter({ hasText: 'Accepted' }).waitFor();
    // Orders go over the dashboard's own connection, which Node-RED's login protects.
    await open('queue');
    const row = page.locator(`[data-job="${held}"]`);
    await row.locator('[data-action="release"]').click();
    await row.locator('[data-action="hold"]').waitFor();
    assert.ok(!farm.output.includes(key), 'no key in the log');
  });

  it('caused no error in the browser', () => assert.deepEqual(errors, []));

  /** Waits until a page shows the data that the farm has sent. */
  async function settled(): Promise<void> {
    await page.locator('.pw', { hasText: /^\s*Waiting for/ }).waitFor({ state: 'detached' });
    await page.locator('section.pw :is(h2, .pw-badge, .pw-card)').first().waitFor();
    // The dashboard's own widgets take a moment to change their colours.
    await page.evaluate(() =>
      Promise.allSettled(document.getAnimations().map((one) => one instanceof CSSTransition && one.finished)),
    );
  }

  /** Cancels the job of a printer, and marks its bed clear. */
  async function freed(id: string): Promise<void> {
    const { job_id } = await printer(id);
    if (job_id) {
      await farm.api(`/jobs/${job_id}`, { method: 'DELETE' });
      await farm.until(job_id, ({ status }) => ['cancelled', 'completed', 'failed'].includes(String(status)));
    }
    const { bed } = await printer(id);
    if (bed.state === 'occupied')
      await farm.api(`/printers/${id}/bed/clear`, { method: 'POST', json: { bed_version: bed.version } });
  }
});
