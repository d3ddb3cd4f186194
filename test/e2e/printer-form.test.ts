import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { browserFor } from '../support/browser';
import { RealFarm } from '../support/real-farm';

/** The part of the editor's API that a test uses. */
interface Editor {
  nodes: { eachNode(look: (node: { id: string; type: string }) => void): void; node(id: string): unknown };
  editor: { edit(node: unknown): void };
}

/** Whether only the editor's own scripts took part in an error: its popovers are sometimes late for a closed form. */
function isOfTheEditor(stack: string): boolean {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.length > 0 && frames.every((frame) => /\/(red|vendor)\/[\w./-]+\.js/.test(frame));
}

describe('The forms of the printer nodes, in the editor', () => {
  const farm = new RealFarm();
  let browser: Browser | undefined;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    browser = await browserFor(this);
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, locale: 'en-GB' });
    page.on('pageerror', ({ stack = '', message }) => {
      if (!isOfTheEditor(stack)) errors.push(stack || message);
    });
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

  const edit = async (type: string): Promise<void> => {
    await page.evaluate((wanted) => {
      const { RED } = globalThis as unknown as { RED: Editor };
      RED.nodes.eachNode(({ id, type: kind }) => {
        if (kind === wanted) RED.editor.edit(RED.nodes.node(id));
      });
    }, type);
    await page.waitForSelector('#node-input-test', { state: 'visible' });
  };

  for (const type of ['bambu-printer', 'elegoo-printer', 'snapmaker-printer']) {
    it(`${type}: tests the connection with the values in the form`, async () => {
      await edit(type);
      await asked('#node-input-test');
      assert.match((await page.textContent('#node-input-answer')) ?? '', /^Ready for jobs/);
      // An empty field shows the value that applies.
      const grey = (name: string): Promise<string | null> => page.getAttribute(`#node-input-${name}`, 'placeholder');
      assert.match((await grey('buildX')) ?? '', /^\d+(\.\d+)?$/);
      assert.match((await grey('nozzles')) ?? '', /^0\.4/);
      await asked('#node-input-find');
      if (type === 'snapmaker-printer') {
        // A simulated Artisan answers on the usual port, unless another one already uses it.
        const found = await page.locator('#node-input-found option').count();
        assert.equal(await page.isVisible('#node-input-found'), found > 0);
      }
      await page.click('#node-dialog-cancel');
      await page.waitForSelector('#node-input-test', { state: 'detached' });
    });
  }

  it('bambu-printer: a model fills in its known values, and keeps what the user entered', async () => {
    await edit('bambu-printer');
    await page.waitForSelector('#node-input-model option[value="C12"]', { state: 'attached' });
    const accepts = '#node-input-acceptsModels';
    await page.selectOption('#node-input-model', 'C12');
    assert.equal(await page.inputValue(accepts), 'Bambu Lab P1S, C12');
    assert.equal(await page.getAttribute('#node-input-bedExclusions', 'placeholder'), '0,0-18,28');
    await page.selectOption('#node-input-model', 'N1');
    assert.equal(await page.inputValue(accepts), 'Bambu Lab A1 mini, N1');
    assert.equal(await page.getAttribute('#node-input-buildX', 'placeholder'), '180');
    await page.evaluate((selector) => {
      const { $ } = globalThis as unknown as { $(s: string): { val(text: string): { trigger(name: string): void } } };
      $(selector).val('Something else').trigger('change');
    }, accepts);
    await page.selectOption('#node-input-model', 'O1D');
    assert.equal(await page.inputValue(accepts), 'Something else');
    const refused = page.locator('#node-input-model option[value="O1C2"]');
    assert.ok((await refused.isDisabled()) && /in the air/.test((await refused.getAttribute('title')) ?? ''));
    await page.click('#node-dialog-cancel');
    await page.waitForSelector('#node-input-test', { state: 'detached' });
  });

  it('marks an invalid field, and makes it visible', async () => {
    await edit('snapmaker-printer');
    assert.equal(await page.isVisible('#node-input-nozzles'), false);
    await page.click('summary');
    await page.fill('#node-input-nozzles', '0,4');
    await page.press('#node-input-nozzles', 'Tab');
    await page.waitForSelector('#node-input-nozzles.input-error');
    await page.click('#node-dialog-ok');
    await page.waitForSelector('#node-input-test', { state: 'detached' });
    await edit('snapmaker-printer');
    await page.waitForSelector('#node-input-nozzles.input-error', { state: 'visible' });
    await page.fill('#node-input-nozzles', '0.4, 0.6');
    await page.press('#node-input-nozzles', 'Tab');
    await page.waitForSelector('#node-input-nozzles:not(.input-error)');
    await page.click('#node-dialog-ok');
    await page.waitForSelector('#node-input-test', { state: 'detached' });
  });

  it('causes no error in the browser', () => assert.deepEqual(errors, []));
});
