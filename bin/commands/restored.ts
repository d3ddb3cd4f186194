import { parseArgs } from 'node:util';
import { BackupError } from '../../lib/farm/backup-format';
import type { Restored } from '../../lib/farm/epoch';
import { restored as treatAsRestored } from '../../lib/jobs/restored';
import { asError } from '../../lib/model/errors';
import { hasTables } from '../../lib/store/copy';
import { migrate } from '../../lib/store/migrate';
import { type Command, EXIT, UsageError } from '../command';
import { withDatabase } from './farm-database';

const HELP = `Usage: platewise restored [--json]

Declares that the farm's database was restored to an older state. The database does not contain what was printed since the
backup, so Platewise makes no assumptions: unclaimed attempts are withdrawn, an operator is asked for the outcome of claimed
ones, jobs that were under way are held, and every bed counts as occupied until an operator has looked at it.

"platewise restore" does this automatically, and a farm that starts on its old data directory detects it. The command is needed
if the data directory was restored together with the database.

The farm is the one that DATABASE_URL and PLATEWISE_DATA (default .platewise) name.
`;

/** `platewise restored`: makes a restored database safe to use. */
export const restored: Command = {
  summary: 'say that the database was put back to an older state',
  help: HELP,
  async run(args) {
    const json = read(args);
    return withDatabase(async (database) => {
      if (!(await hasTables(database, database.schema))) {
        const remedy = 'Check DATABASE_URL and PLATEWISE_DATA: they must name the farm that was put back.';
        throw new BackupError('There is no farm in this database.', 'database_empty', remedy);
      }
      await migrate(database);
      const done = await treatAsRestored(database, 'platewise restored');
      process.stdout.write(json ? `${JSON.stringify(restoredView(done))}\n` : restoredInWords(done));
      return EXIT.ok;
    });
  },
};

function read(args: string[]): boolean {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean', default: false } } }).values.json;
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}

/** Returns the result for programs. */
export const restoredView = ({ withdrawn, outcomeUnknown, held, beds }: Restored) => ({
  withdrawn,
  outcome_unknown: outcomeUnknown,
  held,
  beds,
});

/** Returns the result as text, with the operator's next steps. */
export const restoredInWords = ({ withdrawn, outcomeUnknown, held, beds }: Restored): string =>
  `Attempts withdrawn: ${withdrawn}. Attempts whose outcome is unknown: ${outcomeUnknown}. Jobs held: ${held}. Beds to look at: ${beds}.
Answer what became of the prints in question, look at every bed and clear it, and release the jobs that are to be printed.
Queued jobs go on by themselves: hold or cancel those that were printed after the backup.
`;
