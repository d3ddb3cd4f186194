import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { browserFor } from '../support/browser';
import { RealFarm } from '../support/real-farm';

const labels = { 'en-GB': 'Platewise dashboard', 'de-DE': 'Platewise-Dashboard' };

describe("The editor's menu entry", () => {
  const farm = new RealFarm();
  let browser: Browser | undefined;
  before(async function () {
    browser = await browserFor(this);
    await farm.start();
  });
  after(async () => {
    await browser?.close();
    await farm.kill9();
  });

  for (const [locale, label] of Object.entries(labels)) {
    it(`opens the dashboard (${locale})`, async () => {
      const context = (await browser?.newContext({ locale, viewport: { width: 1440, height: 900 } })) as BrowserContext;
      const page = await context.newPage();
      await page.goto(farm.url);
      await page.waitForSelector('.red-ui-flow-node-group');
      await page.click('#red-ui-header-button-sidemenu');
      const entry = page.locator('#menu-item-platewise-dashboard');
      await entry.waitFor({ state: 'visible' });
      assert.equal((await entry.textContent())?.trim(), label);
      const picture = process.env['PLATEWISE_SCREENSHOTS'];
      if (picture) await page.screenshot({ path: join(picture, `menu-${locale}.png`) });
      const [dashboard] = await Promise.all([context.waitForEvent('page'), entry.click()]);
      await dashboard.waitForLoadState();
      assert.match(new URL(dashboard.url()).pathname, /^\/dashboard/);
      await context.close();
    });
  }

  it('reports if there is no dashboard, and cannot be redirected elsewhere', async () => {
    const page = await (browser as Browser).newPage({ locale: 'en-GB' });
    await page.goto(farm.url);
    await page.waitForSelector('.red-ui-flow-node-group');
    const asked = await page.evaluate(() => {
      const editor = globalThis as unknown as {
        RED: {
          nodes: { eachConfig(look: (node: { type: string; path?: string }) => void): void };
          actions: { invoke(name: string): void };
        };
        open: (url: string) => void;
      };
      const opened: string[] = [];
      editor.open = (url) => opened.push(url);
      const bases: { type: string; path?: string }[] = [];
      editor.RED.nodes.eachConfig((node) => {
        if (node.type === 'ui-base') bases.push(node);
      });
      for (const path of ['//example.org/x', 'javascript:alert(1)', 'https://example.org', '/\\example.org']) {
        for (const base of bases) base.path = path;
        editor.RED.actions.invoke('platewise:open-dashboard');
      }
      for (const base of bases) base.type = 'gone';
      editor.RED.actions.invoke('platewise:open-dashboard');
      return opened;
    });
    for (const url of asked) assert.equal(new URL(url).origin, farm.url, url);
    await page.waitForSelector('.red-ui-notification:has-text("There is no dashboard in the flows")');
    await page.close();
  });

  it('has the same texts in each language', () => {
    const keys = ['en-US', 'de'].map((language) => {
      const path = join('plugins', 'open-dashboard', 'locales', language, 'open-dashboard.json');
      const { 'open-dashboard': words } = JSON.parse(readFileSync(path, 'utf8')) as Record<
        string,
        Record<string, string>
      >;
      for (const word of Object.values(words ?? {})) assert.notEqual(word.trim(), '');
      return Object.keys(words ?? {});
    });
    assert.deepEqual(keys[1], keys[0]);
  });
});
