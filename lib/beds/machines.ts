import { parseIdentity } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { mayShare } from '../makes/traits';
import { ConflictError, UnacceptableInputError } from '../model/errors';
import type { PrinterId } from '../model/ids';
import { identityText, isIdentified, type MachineIdentity } from '../model/machine-identity';
import { lockUntilEnd } from '../store/advisory-locks';
import { openAttemptOf } from '../store/attempts';
import { notify } from '../store/database';
import {
  archivePrinter,
  lockPrinter,
  occupyBedByOther,
  type Printer,
  pinIdentity,
  printersOfMachine,
} from '../store/printers';
import type { Transaction } from '../store/queryable';
import { shareIds, withoutSharedIds } from '../store/shared-machine-ids';
import { type BedView, bedView } from './bed-view';

/**
 * Accepts the machine at a printer's address as that printer, as confirmed by an operator: {found}, the ids that were shown.
 * The content of its bed is unknown. With {shared: true} it is a different machine from the printer that is pinned to the same
 * ids: they identify no machine from then on, and each printer keeps only its other ids.
 * @throws ConflictError no other machine was found, it is a third machine by now, it reports no id, it belongs to another printer, or an attempt is open
 */
export async function acceptIdentity(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
): Promise<{ printer_id: PrinterId; identity: Record<string, string>; bed: BedView }> {
  const { found, shared = false } = parseIdentity(input ?? {});
  if (shared && found === undefined) {
    throw new UnacceptableInputError('The request does not state which ids are shared.', [
      { field: 'found', value: null, remedy: 'Send the ids that you have seen (`identity.found` of the printer).' },
    ]);
  }
  return farm.database.transaction(async (tx) => {
    await lockUntilEnd(tx, 'identities');
    const printer = await lockPrinter(tx, id);
    if (printer.stranger === null) {
      throw new ConflictError(
        `No other machine was found at the address of ${printer.name}.`,
        'There is nothing to accept.',
        'no_other_machine',
      );
    }
    if (found !== undefined && identityText(found) !== identityText(printer.stranger)) {
      throw new ConflictError(
        `The machine at the address of ${printer.name} is now ${identityText(printer.stranger)}.`,
        'Check the printer again, and accept the ids that it shows.',
        'stale_identity',
      );
    }
    const stranger = await withoutSharedIds(tx, printer.stranger);
    if (!isIdentified(stranger) && isIdentified(printer.identity)) {
      throw new ConflictError(
        `The machine at the address of ${printer.name} reports no id, so it cannot replace ${identityText(printer.identity)}.`,
        `Try again once it reports one. If the new machine has none, delete the node of ${printer.name}, remove the printer (DELETE printers/${printer.id}), and deploy the node again.`,
        'unidentified_machine',
      );
    }
    const others = (await printersOfMachine(tx, stranger)).filter(({ id: one }) => one !== printer.id);
    const [other] = others;
    if (other && !shared) {
      throw new ConflictError(
        `This machine already belongs to ${other.name}.`,
        `Correct the address of ${printer.name}; or, if ${other.name} no longer exists, remove it first (DELETE printers/${other.id}). If both are machines of their own that report the same ids, confirm it with "shared": true.`,
        'machine_of_another',
      );
    }
    const attempt = await openAttemptOf(tx, printer.id);
    if (attempt) {
      throw new ConflictError(
        `${printer.name} still has an attempt under way, on its previous machine.`,
        'Report its outcome (POST attempts/{id}/outcome), or wait until it is withdrawn.',
        'attempt_open',
      );
    }
    for (const one of others) {
      await refuseUnshareable(tx, printer, one, stranger);
      await shareIds(tx, stranger, one.identity, actor);
    }
    const identity = await withoutSharedIds(tx, stranger);
    await pinIdentity(tx, printer.id, identity);
    const occupied = await occupyBedByOther(tx, printer.id, 'unknown', actor);
    await notify(tx, `identity:${printer.id}`);
    return { printer_id: printer.id, identity: { ...identity }, bed: bedView(occupied) };
  });
}

/** @throws ConflictError the ids in common belong to one machine only, or the other printer has an attempt under way */
async function refuseUnshareable(
  tx: Transaction,
  printer: Pick<Printer, 'make' | 'name'>,
  other: Pick<Printer, 'id' | 'name' | 'identity'>,
  found: MachineIdentity,
): Promise<void> {
  if (!mayShare(printer.make, found, other.identity)) {
    throw new ConflictError(
      `${printer.name} and ${other.name} are one machine: no two machines of this make report the same ids.`,
      `Correct the address of ${printer.name}, or delete one of the two nodes.`,
      'machine_of_another',
    );
  }
  if (await openAttemptOf(tx, other.id)) {
    throw new ConflictError(
      `${other.name} has an attempt under way, and would lose its identity.`,
      'Wait until it has ended, and confirm then.',
      'attempt_open',
    );
  }
}

/**
 * Removes a printer from the farm; its history is kept. Deploying its node brings it back, with an unknown bed and pinned to the
 * machine that is found then.
 * @throws ConflictError its node is deployed, or an attempt is open
 */
export async function removePrinter(
  farm: Farm,
  id: string,
  actor: string,
): Promise<{ printer_id: PrinterId; removed: true }> {
  return farm.database.transaction(async (tx) => {
    const printer = await lockPrinter(tx, id);
    if (printer.served) {
      throw new ConflictError(
        `The node of ${printer.name} is deployed.`,
        'Delete or disable its node in the flow, deploy, and try again after half a minute.',
        'printer_deployed',
      );
    }
    const attempt = await openAttemptOf(tx, printer.id);
    if (attempt) {
      throw new ConflictError(
        `${printer.name} still has an attempt under way.`,
        'Report its outcome (POST attempts/{id}/outcome with machine_off), or cancel its job.',
        'attempt_open',
      );
    }
    await archivePrinter(tx, printer.id, actor);
    return { printer_id: printer.id, removed: true as const };
  });
}
