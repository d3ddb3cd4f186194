// Compiles the sources and copies the other files (the editor's HTML, locales and icons; test fixtures) beside them.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import openapiTypes, { astToString } from 'openapi-typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

rmSync(join(root, 'dist'), { recursive: true, force: true });
// Generates the description of the API from its table of endpoints, and the client types from that, as any other
// program would; a test uses them.
const described = join(root, 'docs', 'openapi.yaml');
const describer = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'scripts', 'describe-api.ts')], {
  cwd: root,
  stdio: 'inherit',
});
if (describer.status !== 0) process.exit(describer.status ?? 1);
const generated = join(root, 'test', 'generated');
mkdirSync(generated, { recursive: true });
const types = await openapiTypes(pathToFileURL(described), { defaultNonNullable: false });
writeFileSync(join(generated, 'api.ts'), astToString(types));
const compiler = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', root], {
  stdio: 'inherit',
});
if (compiler.status !== 0) process.exit(compiler.status ?? 1);
cpSync(join(root, 'nodes'), join(root, 'dist', 'nodes'), {
  recursive: true,
  filter: (source) => !/\.ts$/.test(source),
});
cpSync(join(root, 'plugins'), join(root, 'dist', 'plugins'), { recursive: true });
cpSync(join(root, 'test', 'fixtures'), join(root, 'dist', 'test', 'fixtures'), { recursive: true });
chmodSync(join(root, 'dist', 'bin', 'platewise.js'), 0o755);
