import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { asError } from '../../lib/model/errors';
import { type Command, EXIT, UsageError } from '../command';
import { checkBroker } from './doctor/broker';
import type { Check } from './doctor/check';
import { checkDatabase } from './doctor/database';
import { checkMachine } from './doctor/machine';
import { checkPrinters } from './doctor/printers';

const HELP = `Usage: platewise doctor [options]

Connects to the database, the broker, the slicer and the printers of a farm, and says of each what works, what does not and
what to do. Changes nothing. Exit code: 0 nothing failed, 1 something did, 2 the command makes no sense.

Options:
  --flows FILE          the flow file of Node-RED: its printers are asked too. Their secrets come from the environment
                        (PLATEWISE_<PRINTER>_ACCESS_CODE, _API_KEY, _TOKEN). The settings.js beside it
                        tells whether the dashboard has a login
  --prusa-slicer PATH   where PrusaSlicer is, if it is not on the PATH
  --json                one JSON object: {ready, checks: [{name, status, detail, remedy}]}

The farm is the one that DATABASE_URL, AMQP_URL and PLATEWISE_DATA (default .platewise) name.
`;

const marks = { ok: '✔', warning: '!', failed: '✘' } as const;

/** `platewise doctor`: checks the parts of a farm and gives remedies. */
export const doctor: Command = {
  summary: 'check database, broker, slicer and printers, and say what to do',
  help: HELP,
  async run(args) {
    const values = read(args);
    const data = resolve(process.env['PLATEWISE_DATA'] || '.platewise');
    const parts = await Promise.all([
      checkMachine(data, values['prusa-slicer']),
      checkDatabase(process.env['DATABASE_URL'] || undefined, data, values.flows),
      checkBroker(process.env['AMQP_URL'] || undefined),
      checkPrinters(values.flows),
    ]);
    const checks = parts.flat();
    const ready = checks.every(({ status }) => status !== 'failed');
    process.stdout.write(values.json ? `${JSON.stringify({ ready, checks })}\n` : inWords(checks, ready));
    return ready ? EXIT.ok : EXIT.failed;
  },
};

function read(args: string[]): { flows?: string; 'prusa-slicer'?: string; json?: boolean } {
  try {
    return parseArgs({
      args,
      options: { flows: { type: 'string' }, 'prusa-slicer': { type: 'string' }, json: { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}

function inWords(checks: Check[], ready: boolean): string {
  const lines = checks.flatMap(({ name, status, detail, remedy }) => [
    `${marks[status]} ${name}: ${detail}`,
    ...(remedy === null ? [] : [`    ${remedy}`]),
  ]);
  return [...lines, '', ready ? 'Nothing is in the way.' : 'Something is in the way: see the lines with ✘.', ''].join(
    '\n',
  );
}
