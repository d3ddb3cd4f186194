import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backUp } from '../../lib/farm/backup';
import { LocalFileStore } from '../../lib/files/file-store';
import { asError } from '../../lib/model/errors';
import { type Command, EXIT, UsageError } from '../command';
import { dataDirectory, withDatabase } from './farm-database';

const HELP = `Usage: platewise backup DIR [--json]

Writes the farm's database, as it is at one moment, and the files that are in use into a new directory: one file of lines of
JSON for each table, the stored files, and manifest.json with the SHA-256 of each. The farm may be at work. Keys for the HTTP
interface are in it as digests. Profiles and Node-RED's own files (flows, settings.js) are not.

The directory can be read by its user alone. A backup without manifest.json was not finished.

The farm is the one that DATABASE_URL and PLATEWISE_DATA (default .platewise) name.
`;

/** `platewise backup`: the database and the files in use, in a directory. */
export const backup: Command = {
  summary: 'write the database and the files in use into a directory',
  help: HELP,
  async run(args) {
    const { directory, json } = read(args);
    return withDatabase(async (database) => {
      const files = new LocalFileStore(join(dataDirectory(), 'files'));
      const made = await backUp(database, files, directory);
      const words = `${directory}: ${made.tables} tables, ${made.files} files, ${made.bytes} bytes.\n`;
      process.stdout.write(json ? `${JSON.stringify({ directory, ...made })}\n` : words);
      return EXIT.ok;
    });
  },
};

function read(args: string[]): { directory: string; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    const [directory] = positionals;
    if (directory === undefined || positionals.length !== 1) throw new UsageError('Name one directory.');
    return { directory, json: values.json };
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}
