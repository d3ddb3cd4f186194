import { parseClosure } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { UnacceptableInputError } from '../model/errors';
import { type Closure, closuresAhead, deleteClosure, insertClosure } from '../store/planning';
import { findPrinter } from '../store/printers';

interface ClosureView {
  id: string;
  printer_id: string;
  from: string;
  until: string;
  reason: string;
}

const view = ({ id, printerId, fromAt, untilAt, reason }: Closure): ClosureView => ({
  id,
  printer_id: printerId,
  from: fromAt,
  until: untilAt,
  reason,
});

/** Returns the future times in which printers must not print. */
export async function closures(farm: Farm): Promise<{ closures: ClosureView[] }> {
  return { closures: (await closuresAhead(farm.database)).map(view) };
}

/** Keeps a printer free for a time: {from, until, reason}. A running print goes on. */
export async function closePrinter(farm: Farm, printer: string, input: unknown, actor: string): Promise<ClosureView> {
  const { from, until, reason } = parseClosure(input);
  if (Date.parse(until) <= Math.max(Date.parse(from), Date.now())) {
    throw new UnacceptableInputError('The closure ends before it begins, or is over.', [
      { field: 'until', value: until, remedy: 'Give a time in the future, after "from".' },
    ]);
  }
  return farm.database.transaction(async (tx) => {
    const { id } = await findPrinter(tx, printer);
    return view(await insertClosure(tx, { printerId: id, fromAt: from, untilAt: until, reason }, actor));
  });
}

/** Cancels a closure. @throws NotFoundError */
export async function reopenPrinter(farm: Farm, id: string): Promise<{ id: string }> {
  await farm.database.transaction((tx) => deleteClosure(tx, id));
  return { id };
}
