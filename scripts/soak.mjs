// `npm run soak -- --minutes 60 --pair rabbitmq --json`: builds what is missing and runs the soak run.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const program = join(root, 'dist', 'bench', 'soak', 'main.js');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
