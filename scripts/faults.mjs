// `npm run faults -- --minutes 30 --pair both --json`: builds what is missing and runs the fault campaign. With
// `breakages` (npm run faults:breakages) it plants bugs, one at a time, and checks that the campaign catches them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const [first, ...rest] = process.argv.slice(2);
const planted = first === 'breakages';
const program = join(root, 'dist', 'test', 'faults', planted ? 'breakages-main.js' : 'main.js');
const options = planted ? rest : process.argv.slice(2);
const { status } = spawnSync(process.execPath, [program, ...options], { stdio: 'inherit' });
process.exit(status ?? 1);
