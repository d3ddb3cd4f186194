import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalFileStore } from '../../lib/files/file-store';
import { asError } from '../../lib/model/errors';
import { restore as restoreFarm } from '../../lib/services/restore';
import { type Command, EXIT, UsageError } from '../command';
import { dataDirectory, withDatabase } from './farm-database';
import { restoredInWords, restoredView } from './restored';

const HELP = `Usage: platewise restore DIR [--replace] [--json]

Puts a farm back from what "platewise backup" has written: the database and the files that were in use. Every part is compared
with its SHA-256 before anything is changed. A backup of an older version is brought up to date, one of a newer version is
refused. The database must be empty.

What was printed since the backup is not in it, so nothing is guessed: see "platewise restored --help".

Options:
  --replace             take away what the database holds. Stop every Node-RED of the farm before
  --json                one JSON object with what was done

The farm is the one that DATABASE_URL and PLATEWISE_DATA (default .platewise) name.
`;

/** `platewise restore`: restores a farm from a backup. */
export const restore: Command = {
  summary: 'put the database and the files back from a backup',
  help: HELP,
  async run(args) {
    const { directory, replace, json } = read(args);
    return withDatabase(async (database) => {
      const files = new LocalFileStore(join(dataDirectory(), 'files'));
      const done = await restoreFarm(database, files, directory, { replace, actor: 'platewise restore' });
      const words = `The farm is as it was at ${done.madeAt}, with ${done.files} files.\n${restoredInWords(done)}`;
      const view = { made_at: done.madeAt, files: done.files, ...restoredView(done) };
      process.stdout.write(json ? `${JSON.stringify(view)}\n` : words);
      return EXIT.ok;
    });
  },
};

function read(args: string[]): { directory: string; replace: boolean; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { replace: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    const [directory] = positionals;
    if (directory === undefined || positionals.length !== 1) throw new UsageError('Name one directory.');
    return { directory, ...values };
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}
