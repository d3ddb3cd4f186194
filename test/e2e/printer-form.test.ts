import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { browserFor } from '../support/browser';
import { RealFarm } from '../support/real-farm';

/** The part of the editor that a test uses. */
interface Editor {
  nodes: { eachNode(look: (node: { id: string; type: string }) => void): void; node(id: string): unknown };
  editor: { edit(node: unknown): void };
}

describe('The forms of the printer nodes, in the editor', () => {
  const farm = new RealFarm();
  let browser: Browser | undefined;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    browser = await browserFor(this);
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, locale: 'en-GB' });
    page.on('pageerror', (error) => errors.push(error.message));
    await farm.start({ SIM_SPEED: '60' });
    await page.goto(farm.url);
    await page.waitForSelector('.red-ui-flow-node-group');
  });
  after(async () => {
    await browser?.close();
    await farm.kill9();
  });

  const asked = async (button: string): Promise<void> => {
    await page.click(button);
    await page.waitForFunction(
      (selector) =>
        (globalThis as unknown as { $(s: string): { prop(n: string): unknown } }).$(selector).prop('disabled') ===
        false,
      button,
    );
  };

  for (const type of ['bambu-printer', 'elegoo-printer', 'snapmaker-printer']) {
    it(`${type}: tests the connection, with what the form holds`, async () => {
      await page.evaluate((wanted) => {
        const { RED } = globalThis as unknown as { RED: Editor };
        RED.nodes.eachNode(({ id, type: kind }) => {
          if (kind === wanted) RED.editor.edit(RED.nodes.node(id));
        });
      }, type);
      await page.waitForSelector('#node-input-test', { state: 'visible' });
      await asked('#node-input-test');
      assert.match((await page.textContent('#node-input-answer')) ?? '', /^Ready for jobs/);
      await asked('#node-input-find');
      if (type === 'snapmaker-printer') {
        // A simulated Artisan answers on the usual port, if no other one had it before.
        const found = await page.locator('#node-input-found option').count();
        assert.equal(await page.isVisible('#node-input-found'), found > 0);
      }
      await page.click('#node-dialog-cancel');
      await page.waitForSelector('#node-input-test', { state: 'detached' });
    });
  }

  it('without an error in the browser', () => assert.deepEqual(errors, []));
});
