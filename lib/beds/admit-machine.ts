import type { AgentContext } from '../farm/agent-context';
import { WrongMachineError } from '../makes/driver';
import { mayShare } from '../makes/traits';
import { compareIdentities, identityText, isIdentified, type ToldIdentity } from '../model/machine-identity';
import { lockUntilEnd } from '../store/advisory-locks';
import { lockPrinter, pinIdentity, printersOfMachine } from '../store/printers';
import { withoutSharedIds } from '../store/shared-machine-ids';

/**
 * Verifies that the machine at a printer's address is that printer. The first machine found there is pinned with all ids that
 * it reports; a different machine, or one pinned to another printer, is rejected until an operator accepts it.
 *
 * @throws WrongMachineError
 */
export async function admitMachine(context: AgentContext, { ids, complete }: ToldIdentity): Promise<void> {
  const { database, printerId, log } = context;
  const news = await database.transaction(async (tx) => {
    // Two printers that find the same machine concurrently must not both claim it.
    await lockUntilEnd(tx, 'identities');
    const printer = await lockPrinter(tx, printerId);
    const found = await withoutSharedIds(tx, ids);
    const relation = compareIdentities(printer.identity, found);
    if (relation === 'different' || (relation === 'unknown' && complete && isIdentified(printer.identity))) {
      throw new WrongMachineError(
        `The machine at this address is not ${printer.name}, but ${identityText(found)}.`,
        found,
      );
    }
    if (!isIdentified(printer.identity)) {
      const [other] = (await printersOfMachine(tx, found)).filter(({ id }) => id !== printerId);
      if (other !== undefined) {
        throw new WrongMachineError(
          `The machine at this address is ${other.name} (${identityText(found)}).`,
          found,
          mayShare(printer.make, found, other.identity)
            ? `Correct the address. If ${printer.name} and ${other.name} are two machines that report the same ids, confirm it (POST printers/${printerId}/identity/accept with "shared": true).`
            : undefined,
        );
      }
    }
    // A Klipper that is down reports only some of its ids. No print can start on it, and it is queried again once it is up.
    if (!complete) return null;
    const identity = { ...found, ...printer.identity };
    await pinIdentity(tx, printerId, identity);
    return isIdentified(printer.identity) ? null : identity;
  });
  if (news === null) return;
  log(
    isIdentified(news) ? 'info' : 'warn',
    isIdentified(news)
      ? `${printerId} is ${identityText(news)} from now on.`
      : `${printerId} reports no id of its own, so another machine at its address would not be noticed.`,
  );
}
