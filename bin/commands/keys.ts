import { parseArgs } from 'node:util';
import { createKey, type KeyView, listKeys, revokeKey } from '../../lib/farm/keys';
import { asError } from '../../lib/model/errors';
import { scopes } from '../../lib/model/scope';
import { migrate } from '../../lib/store/migrate';
import { type Command, EXIT, UsageError } from '../command';
import { withDatabase } from './farm-database';

const HELP = `Usage: platewise keys create --name NAME --scope ${scopes.join('|')} [--json]
       platewise keys list [--json]
       platewise keys revoke --name NAME [--json]

Keys for the HTTP interface. Once the first one is made, every request but the health check needs one, in the header
"Authorization: Bearer KEY". A key is shown when it is made and never again. What each may do:

  read      look at everything
  submit    the same, and submit files and jobs
  operate   the same, and cancel, reprioritise, hold, move, clear beds, answer, load spools
  admin     everything

The farm is the one that DATABASE_URL and PLATEWISE_DATA (default .platewise) name; it may be running.
`;

/** `platewise keys`: creates, lists and revokes keys for the HTTP interface. */
export const keys: Command = {
  summary: 'make, list and revoke keys for the HTTP interface',
  help: HELP,
  async run(args) {
    const { action, name, scope, json } = read(args);
    return withDatabase(async (database) => {
      await migrate(database);
      switch (action) {
        case 'create': {
          const made = await createKey(database, name, scope);
          write(json, made, `${made.key}\n`);
          break;
        }
        case 'list': {
          const all = await listKeys(database);
          write(json, all, all.length === 0 ? 'There is no key; requests need none.\n' : all.map(inWords).join(''));
          break;
        }
        case 'revoke':
          write(json, await revokeKey(database, name), `"${name}" is no longer in use.\n`);
          break;
      }
      return EXIT.ok;
    });
  },
};

type Action = 'create' | 'list' | 'revoke';
const isAction = (text: string): text is Action => ['create', 'list', 'revoke'].includes(text);

function read(args: string[]): { action: Action; name: string; scope: string; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { name: { type: 'string' }, scope: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const [action = ''] = positionals;
    if (!isAction(action) || positionals.length !== 1) throw new UsageError('Say create, list or revoke.');
    const { name = '', scope = '', json } = values;
    if (action !== 'list' && name === '') throw new UsageError('Say whose key it is: --name NAME.');
    if (action === 'create' && scope === '') throw new UsageError(`Say what it may do: --scope ${scopes.join('|')}.`);
    return { action, name, scope, json };
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}

function write(json: boolean, value: unknown, words: string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : words);
}

function inWords(key: KeyView): string {
  const state = key.revoked_at === null ? `last used ${key.last_used_at ?? 'never'}` : `revoked ${key.revoked_at}`;
  return `${key.name}  ${key.scope}  made ${key.created_at}, ${state}\n`;
}
