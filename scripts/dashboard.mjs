// Builds examples/dashboard.json from the pages in examples/dashboard/, so that each can be edited as a separate file.
// With --check it only reports whether the file is up to date.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const directory = join(root, 'examples', 'dashboard');
const read = (name) =>
  readFileSync(join(directory, name), 'utf8').replace(
    /^ *(?:\/\/|<!--) include (\w+\.(?:js|html))(?: -->)?\n/gm,
    (_line, part) => read(part),
  );
/** Derives the id from the name, so that a new import replaces an earlier one. */
const id = (name) => createHash('sha256').update(`platewise dashboard ${name}`).digest('hex').slice(0, 16);

const farm = JSON.parse(readFileSync(join(root, 'examples', 'farm.json'), 'utf8')).find(
  ({ type }) => type === 'print-farm',
);
const tab = id('tab');
const base = {
  id: id('base'),
  type: 'ui-base',
  name: 'Platewise',
  path: '/dashboard',
  appIcon: '',
  includeClientData: true,
  // An answer or an error goes to the page that sent the request.
  acceptsClientConfig: ['ui-notification', 'ui-control', 'ui-template'],
  showPathInSidebar: false,
  headerContent: 'page',
  navigationStyle: 'default',
  titleBarStyle: 'default',
  showReconnectNotification: true,
  notificationDisplayTime: 1,
  showDisconnectNotification: true,
  allowInstall: false,
};
const theme = {
  id: id('theme'),
  type: 'ui-theme',
  name: 'Platewise',
  colors: { surface: '#ffffff', primary: '#0b62a8', bgPage: '#f2f4f7', groupBg: '#ffffff', groupOutline: '#d5dae1' },
  sizes: { density: 'default', pagePadding: '16px', groupGap: '16px', groupBorderRadius: '12px', widgetGap: '12px' },
};
const breakpoints = [
  ['Default', 3],
  ['Tablet', 6],
  ['Small Desktop', 9],
  ['Desktop', 12],
].map(([name, cols], index) => ({
  name,
  px: String([0, 576, 768, 1024][index]),
  cols: String(cols),
}));

const pages = [
  { name: 'Farm', icon: 'printer-3d', file: 'farm.vue' },
  { name: 'Queue', icon: 'format-list-numbered', file: 'queue.vue' },
  { name: 'Plan', icon: 'chart-gantt', file: 'plan.vue' },
  { name: 'Setups', icon: 'clipboard-check-outline', file: 'setups.vue' },
  { name: 'Submit', icon: 'upload', file: 'submit.vue' },
  { name: 'Numbers', icon: 'chart-bar', file: 'numbers.vue' },
  { name: 'Trouble', icon: 'alert-outline', file: 'trouble.vue' },
];

const nodes = [
  {
    id: tab,
    type: 'tab',
    label: 'Dashboard',
    disabled: false,
    env: [],
    info: 'The farm on one screen, for FlowFuse Dashboard 2 (`@flowfuse/node-red-dashboard`), at `/dashboard`.\n\nWhenever the status bus reports a change, all queries run again; the printers are queried every three seconds, for the progress of their prints. Each page receives the whole queue once, then only the changes. For its own requests (what if, numbers, submitting) a page uses the flows of the example `api`, with a key once the farm has keys. Orders carry that key too.',
  },
  farm,
  base,
  theme,
];
let row = 0;
const place = (x) => ({ z: tab, x, y: 60 + row * 60 });
const wired = (type, name, x, rest, targets) => ({
  id: id(`${type} ${name}`),
  type,
  ...place(x),
  name,
  ...rest,
  wires: targets.map((list) => list.map(id)),
});

for (const [order, page] of pages.entries()) {
  nodes.push(
    {
      id: id(`page ${page.name}`),
      type: 'ui-page',
      name: page.name,
      ui: base.id,
      path: `/${page.name.toLowerCase()}`,
      icon: page.icon,
      layout: 'grid',
      theme: theme.id,
      breakpoints,
      order: order + 1,
      className: '',
      visible: 'true',
      disabled: 'false',
    },
    {
      id: id(`group ${page.name}`),
      type: 'ui-group',
      name: page.name,
      page: id(`page ${page.name}`),
      width: '12',
      height: '1',
      order: 1,
      showTitle: false,
      className: '',
      visible: 'true',
      disabled: 'false',
      groupType: 'default',
    },
  );
}
const template = (name, targets) => {
  const page = pages.find((one) => one.name === name);
  return {
    ...wired('ui-template', name, 960, {}, targets),
    group: id(`group ${name}`),
    page: '',
    ui: '',
    order: 1,
    width: 0,
    height: 0,
    head: '',
    format: read(page.file),
    storeOutMessages: true,
    passthru: false,
    resendOnRefresh: true,
    templateScope: 'local',
    className: '',
  };
};
/** The queries that are sent on every change, and the pages that show the results. */
const questions = [
  ['printers', 'printers', ['Farm', 'Plan', 'Setups', 'Trouble']],
  ['changes of the queue', 'queue-changes', ['Queue']],
  ['plan', 'plan', ['Farm', 'Plan']],
  ['setups', 'setups', ['Setups']],
  ['spools', 'spools', ['Farm', 'Setups', 'Trouble']],
  ['under way', 'queue', ['Trouble']],
  ['dead letters', 'dead-letters', ['Trouble']],
];

row = 0;
nodes.push(
  wired('status-bus', 'that anything changed', 120, { farm: farm.id, events: 'changed' }, [['change everything']]),
);
row = 1;
nodes.push(
  {
    // The plan advances even when nothing happens.
    ...wired('inject', 'every 30 s', 120, {}, [['change everything']]),
    props: [],
    repeat: '30',
    crontab: '',
    once: true,
    onceDelay: 1,
    topic: '',
  },
  {
    // Each query uses the fields that it knows; the results go to every page, whichever page caused them.
    ...wired('change', 'everything', 470, {}, [
      [...questions.map(([name]) => `queue-status ${name}`), 'ui-template Numbers'],
    ]),
    rules: [
      {
        t: 'set',
        p: 'payload',
        pt: 'msg',
        to: '{"limit": 200, "hours": 168, "status": "scheduled,slicing,uploading,printing"}',
        tot: 'json',
      },
      { t: 'delete', p: '_client', pt: 'msg' },
    ],
    action: '',
    property: '',
    from: '',
    to: '',
    reg: false,
  },
);
row = 2;
nodes.push({
  ...wired('inject', 'progress, every 3 s', 120, {}, [['queue-status printers']]),
  props: [],
  repeat: '3',
  crontab: '',
  once: false,
  onceDelay: 1,
  topic: '',
});
for (const [index, [name, question, shown]] of questions.entries()) {
  row = index;
  const targets = shown.map((page) => `ui-template ${page}`);
  // The queue shows the result of an action immediately, and again in the new order when the plan is ready.
  if (name === 'plan') targets.push('queue-status changes of the queue');
  nodes.push(wired('queue-status', name, 700, { farm: farm.id, question }, [targets]));
}
for (const [index, { name }] of pages.entries()) {
  row = index;
  const targets = { Queue: [['switch whole queue or order']], Numbers: [[]], Submit: [[]] }[name];
  nodes.push(template(name, targets ?? [['switch just opened or order']]));
}
/** A page that was just opened sends `whole`; every other message of a page is an order. */
const wholeOr = (name, asked) => ({
  ...wired('switch', name, 1180, {}, [[asked], ['job-control orders']]),
  property: 'payload.whole',
  propertyType: 'msg',
  rules: [{ t: 'true' }, { t: 'else' }],
  checkall: 'false',
  repair: false,
  outputs: 2,
});
row = 1;
nodes.push(wholeOr('whole queue or order', 'queue-status changes of the queue'));
row = 2;
nodes.push(wholeOr('just opened or order', 'change everything'));
row = 3;
nodes.push(
  wired('job-control', 'orders', 1180, { farm: farm.id, action: '', keyNeeded: true }, [['change everything']]),
);
row = 7;
nodes.push(
  { ...wired('catch', 'what was refused', 120, {}, [['change in words']]), scope: null, uncaught: false },
  {
    ...wired('change', 'in words', 470, {}, [['ui-notification notice']]),
    rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'error.message', tot: 'msg' }],
    action: '',
    property: '',
    from: '',
    to: '',
    reg: false,
  },
  {
    ...wired('ui-notification', 'notice', 700, {}, [[]]),
    ui: base.id,
    position: 'top center',
    colorDefault: true,
    color: '#000000',
    displayTime: '6',
    showCountdown: true,
    outputs: 1,
    allowDismiss: true,
    dismissText: 'Close',
    allowConfirm: false,
    confirmText: 'Confirm',
    raw: false,
    className: '',
  },
);
row = 8;
const everywhere = (name, file, templateScope, x) => ({
  ...wired('ui-template', name, x, {}, [[]]),
  group: '',
  page: '',
  ui: base.id,
  order: 0,
  width: 0,
  height: 0,
  head: '',
  format: read(file),
  storeOutMessages: true,
  passthru: false,
  resendOnRefresh: true,
  templateScope,
  className: '',
});
nodes.push(everywhere('look', 'style.css', 'site:style', 470), everywhere('key', 'key.vue', 'widget:ui', 700));

const text = `${JSON.stringify(nodes, null, 2)}\n`;
const target = join(root, 'examples', 'dashboard.json');
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('examples/dashboard.json is older than its pages: run node scripts/dashboard.mjs');
    process.exit(1);
  }
} else writeFileSync(target, text);
