import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian's Chromium, or why the calling test is skipped; with CI=true that is a failure. */
export async function openBrowser(): Promise<Browser | { skip: string }> {
  const executablePath = process.env['CHROMIUM'] ?? programs.find(existsSync);
  if (!executablePath) {
    const skip = 'Chromium is not installed (Debian: apt install chromium)';
    if (process.env['CI']) throw new Error(`In CI no test may be skipped: ${skip}`);
    return { skip };
  }
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

/** The same for a suite's `before`, which is skipped, with the reason printed, if there is no browser. */
export async function browserFor(suite: Mocha.Context): Promise<Browser> {
  const opened = await openBrowser();
  if (!('skip' in opened)) return opened;
  console.log(`      skipped: ${opened.skip}`);
  return suite.skip();
}
