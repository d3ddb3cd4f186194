import type { MachineIdentity } from '../model/machine-identity';
import type { Queryable, Transaction } from './queryable';

/** Returns the ids of a machine without those that several machines share: they identify none. */
export async function withoutSharedIds(db: Queryable, identity: MachineIdentity): Promise<MachineIdentity> {
  const { rows } = await db.query<{ kind: string; id: string }>('SELECT kind, id FROM shared_machine_ids');
  return Object.fromEntries(
    Object.entries(identity).filter(([kind, id]) => !rows.some((row) => row.kind === kind && row.id === id)),
  );
}

/** Records that several machines report the ids that two have in common; printers that were pinned by them keep their other ids. */
export async function shareIds(
  tx: Transaction,
  one: MachineIdentity,
  other: MachineIdentity,
  actor: string,
): Promise<void> {
  for (const [kind, id] of Object.entries(one)) {
    if (other[kind] !== id) continue;
    await tx.query(
      'INSERT INTO shared_machine_ids (kind, id, confirmed_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [kind, id, actor],
    );
    await tx.query('UPDATE printers SET identity = identity - $1::text WHERE identity ->> $1 = $2', [kind, id]);
  }
}
