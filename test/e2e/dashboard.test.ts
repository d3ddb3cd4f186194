import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser } from '../support/browser';
import { RealFarm } from '../support/real-farm';
import { temporaryDirectory } from '../support/servers';
import { defaultPrinters } from '../support/simulated-farm';

const cube = join('test', 'fixtures', 'models', '20mm-xyz-cube.stl');
/** Where the pictures go: into the documentation when they are to be made anew. */
const pictures = process.env['PLATEWISE_SCREENSHOTS'] ? join('docs', 'images') : temporaryDirectory('pictures');

describe('The dashboard', () => {
  const farm = new RealFarm();
  let browser: Browser | undefined;
  let context: BrowserContext;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    const opened = await openBrowser();
    if ('skip' in opened) {
      console.log(`      skipped: ${opened.skip}`);
      return this.skip();
    }
    browser = opened;
    mkdirSync(pictures, { recursive: true });
    context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      colorScheme: 'light',
      locale: 'en-GB',
    });
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('dialog', (dialog) => void dialog.accept());
    await farm.start({ SIM_SPEED: '60' });
  });
  after(async () => {
    await browser?.close();
    await farm.kill9();
  });

  const open = async (name: string): Promise<void> => {
    await page.goto(`${farm.url}/dashboard/${name}`);
    await page.waitForSelector('.pw');
  };
  const picture = (name: string): Promise<unknown> => page.screenshot({ path: join(pictures, `dashboard${name}.png`) });

  it('shows three prints in progress', async () => {
    const model = await farm.upload(cube);
    const ids = [];
    for (const { id } of defaultPrinters) {
      const job = {
        job_name: `Calibration cube on ${id}`,
        stl_path: model,
        material_id: 'pla_black_esun',
        force_printer: id,
      };
      ids.push(await farm.submit(job));
    }
    for (const id of ids) await farm.until(id, (job) => job['status'] === 'printing', 90_000);
    await open('farm');
    for (const { id } of defaultPrinters) {
      const card = page.locator(`[data-printer="${id}"]`);
      await card.locator('.pw-badge', { hasText: 'printing' }).waitFor();
      await card.locator('.pw-big', { hasText: /^[1-9]\d* %$/ }).waitFor();
      assert.match((await card.textContent()) ?? '', new RegExp(`Calibration cube on ${id}`));
    }
    await picture('');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForFunction('document.documentElement.scrollWidth <= 390');
    await picture('-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await open('farm');
    await page.locator('.pw-big').nth(2).waitFor();
    await page.waitForFunction(
      'getComputedStyle(document.querySelector(".v-main")).backgroundColor === "rgb(17, 22, 29)"',
    );
    await picture('-dark');
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('shows the queue as it changes, and cancels a print from it', async () => {
    await open('queue');
    await page.locator('.pw-table tbody tr').nth(2).waitFor();
    const model = await farm.upload(cube);
    const held = await farm.submit({
      job_name: '<b>Bracket</b>',
      stl_path: model,
      material_id: 'petg_white_esun',
      hold: true,
    });
    const row = page.locator(`[data-job="${held}"]`);
    await row.getByText('held', { exact: true }).waitFor();
    assert.match((await row.textContent()) ?? '', /<b>Bracket<\/b>/, 'a name is text, whatever is in it');
    await picture('-queue');
    await row.locator('select').selectOption('2');
    await farm.until(held, (job) => job['priority'] === 2);
    await row.locator('[data-action="release"]').click();
    await farm.until(held, (job) => job['hold'] === false);
    await row.locator('[data-action="cancel"]').click();
    await row.waitFor({ state: 'detached' });
    assert.equal((await farm.until(held, () => true))['status'], 'cancelled');
  });

  it('pauses a print and lets it go on', async () => {
    await open('farm');
    const card = page.locator('[data-printer="bamboo_h2d"]');
    await card.locator('[data-action="pause"]').click();
    await card.locator('.pw-badge', { hasText: 'paused' }).waitFor();
    await card.locator('[data-action="resume"]').click();
    await card.locator('.pw-badge', { hasText: 'printing' }).waitFor();
  });

  it('clears a bed', async () => {
    const { body } = await farm.api<{ printers: { printer_id: string; job_id: string }[] }>('/printers');
    const printing = body.printers.find((printer) => printer.printer_id === 'elegoo_giga');
    await farm.api(`/jobs/${printing?.job_id}`, { method: 'DELETE' });
    await open('farm');
    const card = page.locator('[data-printer="elegoo_giga"]');
    await card.locator('[data-action="clear-bed"]').click();
    await card.getByText('bed clear').waitFor();
  });

  it('takes a model that is dropped on it, and says what is wrong beside the field', async () => {
    await open('submit');
    await page.locator('input[type="file"]').setInputFiles(cube);
    await page.getByText(/20\.0 × 20\.0 × 20\.0 mm/).waitFor();
    await page.getByLabel(/^Priority/).fill('11');
    await page.locator('form').evaluate((form) => form.setAttribute('novalidate', ''));
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.locator('label', { hasText: 'Priority' }).locator('.pw-error', { hasText: /./ }).waitFor();
    await picture('-submit');
    await page.getByLabel(/^Priority/).fill('3');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.getByRole('status').filter({ hasText: 'Accepted' }).waitFor();
    const { body } = await farm.api<{ jobs: { job_name: string; priority: number }[] }>('/queue');
    assert.ok(body.jobs.some((job) => job.job_name === '20mm-xyz-cube' && job.priority === 3));
  });

  it('shows what needs a hand, and nothing of it broke', async () => {
    await open('trouble');
    await page
      .getByText(/Nothing needs a hand|The bed is clear|given up/)
      .first()
      .waitFor();
    await picture('-trouble');
    assert.deepEqual(errors, []);
  });
});
