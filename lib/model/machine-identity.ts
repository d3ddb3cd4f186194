/**
 * The ids that a machine reports and no other machine shares, by kind, as its driver reads them: `serial`, `mcu`, `host`,
 * `board`. Names and addresses do not count: they move from one machine to another.
 */
export type MachineIdentity = Readonly<Record<string, string>>;

/** The ids that a machine reports at one moment. */
export interface ToldIdentity {
  ids: MachineIdentity;
  /** Whether it reports all of them; while it does not, no print can start on it either. */
  complete: boolean;
}

/** Whether there is any id. */
export const isIdentified = (identity: MachineIdentity): boolean => Object.keys(identity).length > 0;

/**
 * Whether two identities belong to the same machine: at least one kind in common, and all common kinds agree. `unknown`: they
 * have no kind in common.
 */
export function compareIdentities(one: MachineIdentity, other: MachineIdentity): 'same' | 'different' | 'unknown' {
  const common = Object.keys(one).filter((kind) => other[kind] !== undefined);
  if (common.length === 0) return 'unknown';
  return common.every((kind) => one[kind] === other[kind]) ? 'same' : 'different';
}

/** Returns `board 12345678, serial 0948…`; for messages. */
export function identityText(identity: MachineIdentity): string {
  const ids = Object.entries(identity).sort(([a], [b]) => a.localeCompare(b));
  return ids.length === 0 ? 'a machine without an id' : ids.map(([kind, id]) => `${kind} ${id}`).join(', ');
}
