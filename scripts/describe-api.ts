// Writes docs/openapi.yaml from the table of endpoints. Run by the build, before the client's types are generated from it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { endpoints } from '../lib/api/endpoints';
import { describeApi } from '../lib/api/openapi';

const head = '# Generated from lib/api and lib/contracts by `npm run build`; change it there.\n';
const text = stringify(describeApi(endpoints), { lineWidth: 140, aliasDuplicateObjects: false });
writeFileSync(join(__dirname, '..', 'docs', 'openapi.yaml'), head + text);
