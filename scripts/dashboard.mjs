// Puts examples/dashboard.json together from the pages in examples/dashboard/, so that each can be read and edited as what
// it is. With --check it only says whether the file is up to date.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const directory = join(root, 'examples', 'dashboard');
const read = (name) => readFileSync(join(directory, name), 'utf8');
/** The same name gives the same id, so that an import over an earlier one replaces it. */
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
  acceptsClientConfig: ['ui-notification', 'ui-control'],
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
  { name: 'Submit', icon: 'upload', file: 'submit.vue' },
  { name: 'Trouble', icon: 'alert-outline', file: 'trouble.vue' },
];

const nodes = [
  {
    id: tab,
    type: 'tab',
    label: 'Dashboard',
    disabled: false,
    env: [],
    info: 'The farm on one screen, for FlowFuse Dashboard 2 (`@flowfuse/node-red-dashboard`), at `/dashboard`.\n\nWhat happens comes over the status bus; every three seconds everything is asked again, for the progress of the prints. The page "Submit" uses the flows of the example `api`.',
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
const template = (page, x, targets) => ({
  ...wired('ui-template', page.name, x, {}, targets),
  group: id(`group ${page.name}`),
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
});
const question = (name, what, targets) =>
  wired('queue-status', name, 430, { farm: farm.id, question: what }, [
    targets.map((target) => `ui-template ${target}`),
  ]);

row = 0;
nodes.push(wired('status-bus', 'what happens', 120, { farm: farm.id, events: 'all' }, [['delay not too often']]));
nodes.push(question('printers', 'printers', ['Farm', 'Trouble']), template(pages[0], 700, [['job-control orders']]));
row = 1;
nodes.push({
  ...wired('delay', 'not too often', 120, {}, [['change everything']]),
  pauseType: 'rate',
  timeout: '5',
  timeoutUnits: 'seconds',
  rate: '2',
  nbRateUnits: '1',
  rateUnits: 'second',
  randomFirst: '1',
  randomLast: '5',
  randomUnits: 'seconds',
  drop: true,
  allowrate: false,
  outputs: 1,
});
nodes.push(question('queue', 'queue', ['Queue', 'Trouble']), template(pages[1], 700, [['job-control orders']]));
row = 2;
const inject = (name, repeat, payload, targets) => ({
  ...wired('inject', name, 120, {}, [targets]),
  props: [{ p: 'payload' }],
  repeat,
  crontab: '',
  once: true,
  onceDelay: 1,
  topic: '',
  payload,
  payloadType: 'json',
});
nodes.push(
  inject('every 3 s', '3', '{"limit": 200}', [
    'queue-status printers',
    'queue-status queue',
    'queue-status dead letters',
  ]),
);
nodes.push(question('dead letters', 'dead-letters', ['Trouble']), template(pages[3], 700, [['job-control orders']]));
row = 3;
nodes.push(template(pages[2], 700, [[]]));
row = 4;
nodes.push(wired('job-control', 'orders', 960, { farm: farm.id, action: '' }, [['change everything']]));
nodes.push({
  ...wired('change', 'everything', 120, {}, [
    ['queue-status printers', 'queue-status queue', 'queue-status dead letters'],
  ]),
  rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"limit": 200}', tot: 'json' }],
  action: '',
  property: '',
  from: '',
  to: '',
  reg: false,
});
row = 5;
nodes.push(
  { ...wired('catch', 'what was refused', 120, {}, [['change in words']]), scope: null, uncaught: false },
  {
    ...wired('change', 'in words', 430, {}, [['ui-notification notice']]),
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
row = 6;
nodes.push({
  ...wired('ui-template', 'look', 700, {}, [[]]),
  group: '',
  page: '',
  ui: base.id,
  order: 0,
  width: 0,
  height: 0,
  head: '',
  format: read('style.css'),
  storeOutMessages: true,
  passthru: false,
  resendOnRefresh: true,
  templateScope: 'site:style',
  className: '',
});

const text = `${JSON.stringify(nodes, null, 2)}\n`;
const target = join(root, 'examples', 'dashboard.json');
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('examples/dashboard.json is older than its pages: run node scripts/dashboard.mjs');
    process.exit(1);
  }
} else writeFileSync(target, text);
