// Takes the README's picture of the pipeline from the editor of a running farm (`npm start`), in Debian's Chromium.
// Usage: node scripts/screenshot-pipeline.mjs [http://127.0.0.1:1880 [picture.png]]
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './prepare.mjs';

const url = process.argv[2] ?? 'http://127.0.0.1:1880';
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 });
await page.goto(url);
await page.waitForSelector('.red-ui-flow-node-group');
await page.waitForFunction(() => document.querySelectorAll('.red-ui-palette-node').length > 20);
await page.screenshot({ path: process.argv[3] ?? join(root, 'docs', 'images', 'pipeline.png') });
await browser.close();
