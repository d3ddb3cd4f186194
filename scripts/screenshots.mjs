// Takes the documents' pictures of the dashboard: starts a separate farm on a fresh directory, submits jobs, and takes
// a screenshot of every page in Debian's Chromium, light, dark and on a phone. Usage: node scripts/screenshots.mjs
// [directory]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openAsBlob, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { printers } from './demo-printers.mjs';
import { root } from './prepare.mjs';

const pictures = process.argv[2] ?? join(root, 'docs', 'images');
const model = join(root, 'test', 'fixtures', 'models', '3DBenchy.3mf');
const cube = join(root, 'test', 'fixtures', 'models', '20mm-xyz-cube.stl');
const pages = ['farm', 'queue', 'plan', 'setups', 'submit', 'numbers', 'trouble'];
const views = [
  { name: '', width: 1440, height: 900, colorScheme: 'light' },
  { name: '-dark', width: 1440, height: 900, colorScheme: 'dark' },
  { name: '-phone', width: 390, height: 844, colorScheme: 'light' },
];
const hour = 3_600_000;
const ids = printers.map(({ id }) => id);
const last = printers.at(-1);
const lastMaker = last.name.split(' ')[0];

const data = mkdtempSync(join(tmpdir(), 'platewise-pictures-'));
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const farm = spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    ...{
      PORT: String(port),
      PLATEWISE_DATA: data,
      SIM_SPEED: '20',
      OPERATOR_HOURS: hoursAround(),
      DATABASE_URL: '',
      AMQP_URL: '',
    },
  },
});
try {
  await said(farm, 'Platewise is ready');
  await work();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  mkdirSync(pictures, { recursive: true });
  for (const { name, width, height, colorScheme } of views) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: 'en-GB' });
    const page = await context.newPage();
    for (const one of pages) {
      await page.goto(`${url}/dashboard/${one}`);
      await page.locator('section.pw :is(h2, .pw-badge, .pw-card)').first().waitFor();
      await prepare(page, one);
      await page.evaluate(() =>
        Promise.allSettled(document.getAnimations().map((one) => one instanceof CSSTransition && one.finished)),
      );
      await page.screenshot({ path: join(pictures, `dashboard-${one}${name}.png`) });
    }
    await context.close();
  }
  await browser.close();
} finally {
  farm.kill('SIGTERM');
  await new Promise((done) => farm.once('exit', done));
  rmSync(data, { recursive: true, force: true });
}

/** Operator hours that start now and last ten hours, whatever the time is. */
function hoursAround() {
  const clock = (at) => new Date(at).toISOString().slice(11, 16);
  return `${clock(Date.now() - hour)}-${clock(Date.now() + 9 * hour)}`;
}

/** Gives the farm ended prints, running prints, and a queue with every kind of entry. */
async function clearBed(printer) {
  const { printers } = await ask('/printers');
  const { bed } = printers.find((one) => one.printer_id === printer);
  await ask(`/printers/${printer}/bed/clear`, { bed_version: bed.version });
}

async function work() {
  const small = await upload(cube);
  const boat = await upload(model);
  const first = { job_name: 'Cable clip', stl_path: small, material_id: 'pla_black_esun' };
  const done = [];
  for (const force_printer of ids) {
    done.push((await ask('/jobs', { ...first, force_printer, deadline_at: inHours(2) })).job_id);
  }
  for (const id of done) await until(id, ['completed']);
  for (const printer of ids) await clearBed(printer);
  // A job that is given up.
  await atPrinter(last.id, 'fault', { name: 'print_fails', times: 1 });
  const lost = (await ask('/jobs', { ...first, job_name: 'Lamp foot', force_printer: last.id, max_retries: 0 })).job_id;
  await until(lost, ['failed']);
  await clearBed(last.id);
  const names = [
    'Drone arm',
    'Planter',
    'Gear 40 T',
    'Hinge, left',
    'Hinge, right',
    'Camera mount',
    'Door stop',
    'Fan duct',
  ];
  const materials = [
    'pla_black_esun',
    'pla_black_esun',
    'petg_white_esun',
    'pla_black_esun',
    'pla_white_esun',
    'pla_red_esun',
  ];
  for (const [index, job_name] of [...names, ...names.map((name) => `${name}, spare`)].entries()) {
    await ask('/jobs', {
      ...{ job_name, stl_path: index % 3 === 1 ? small : boat, material_id: materials[index % materials.length] },
      ...{ priority: 1 + (index % 7), copies: index % 5 === 4 ? 3 : 1, hold: index === 6 },
      ...(index % 2 === 0 && { deadline_at: inHours(1 + index) }),
    });
  }
  await until((await ask('/queue?limit=1')).jobs[0].job_id, ['printing']);
  await new Promise((ready) => setTimeout(ready, 20_000));
}

/** Brings a page into the state that its picture shows. */
async function prepare(page, name) {
  if (name === 'submit') {
    await page.locator('input[type="file"]').setInputFiles(model);
    await page.locator('[data-preview]').waitFor();
  }
  if (name === 'plan') {
    await page.getByLabel('Show').selectOption('6');
    await page.locator('[data-bar="print"]').first().waitFor({ state: 'attached' });
    await page.locator('.pw-gantt text', { hasText: lastMaker }).waitFor();
  }
  if (name === 'numbers') await page.locator('label', { hasText: /^By/ }).locator('select').selectOption('printer');
  if (name === 'numbers') await page.locator('.pw-plain th', { hasText: lastMaker }).waitFor();
  if (name === 'trouble') await page.locator('[data-trouble="dead-letter"]').waitFor();
}

async function ask(path, body) {
  const response = await fetch(`${url}/api/fabrication${path}`, {
    ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${answer.detail}`);
  return answer;
}

async function upload(path) {
  const form = new FormData();
  form.append('file', await openAsBlob(path), path.split('/').at(-1));
  const response = await fetch(`${url}/api/fabrication/files`, { method: 'POST', body: form });
  return (await response.json()).stl_path;
}

async function until(job, statuses) {
  const end = Date.now() + 300_000;
  for (;;) {
    const { status } = await ask(`/jobs/${job}`);
    if (statuses.includes(status)) return;
    if (Date.now() > end) throw new Error(`job ${job} is still ${status}`);
    await new Promise((done) => setTimeout(done, 500));
  }
}

/** Acts on a simulated printer as an operator in front of it does. */
async function atPrinter(id, what, body) {
  const { ports } = JSON.parse(readFileSync(join(data, 'simulators', id, 'state.json'), 'utf8'));
  await fetch(`http://127.0.0.1:${ports.control}/${what}`, { method: 'POST', body: JSON.stringify(body) });
}

function inHours(hours) {
  return new Date(Date.now() + hours * hour).toISOString();
}

function said(child, words) {
  return new Promise((done, fail) => {
    child.stdout.on('data', (text) => String(text).includes(words) && done());
    child.once('exit', () => fail(new Error('The farm ended before it was ready.')));
  });
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address();
      server.close(() => done(free));
    });
  });
}
