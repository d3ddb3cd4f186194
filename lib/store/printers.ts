import { ConflictError, NotFoundError } from '../model/errors';
import type { AttemptId, JobId, MaterialId, PrinterId, SpoolId } from '../model/ids';
import type { MachineIdentity } from '../model/machine-identity';
import type {
  Make,
  Preparation,
  PrinterCapabilities,
  PrinterJob,
  PrinterReport,
  PrinterTrouble,
} from '../model/printer';
import { notify, RowLockedError } from './database';
import { isoNow, longAgo } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';
import { reservedOf } from './spool-changes';

/** A bed's version counts its changes: 1 at the registration of the printer, 2 when it is declared clear for the first time. */
export const firstClearedBedVersion = 2;

/** Why a bed is occupied: an attempt of the farm, a foreign print, or an unknown cause. */
export type BedCause = 'attempt' | 'foreign' | 'unknown';

/** A printer as stored in the database; times are ISO 8601 UTC. */
export interface Printer {
  id: PrinterId;
  name: string;
  make: Make;
  capabilities: PrinterCapabilities;
  bedState: 'clear' | 'occupied';
  bedCause: BedCause | null;
  bedAttemptId: AttemptId | null;
  bedVersion: number;
  bedSince: string;
  fence: number;
  connected: boolean;
  connectionProblem: string | null;
  seenAt: string | null;
  firstConnectedAt: string | null;
  report: PrinterReport | null;
  reportAt: string | null;
  lastJob: PrinterJob | null;
  /** How its agent makes print files; null until one has reported. */
  preparation: Preparation | null;
  /** The ids of its machine, pinned at the first contact; empty: none is known. */
  identity: MachineIdentity;
  /** Another machine that was found at its address. */
  stranger: MachineIdentity | null;
  /** The condition that prevents it from starting any job although it reports itself as idle. */
  condition: PrinterTrouble | null;
  /** The reason why it needs an operator now. */
  attention: PrinterTrouble | null;
  /** Seconds since its last report was stored; null before the first. */
  reportAgeSeconds: number | null;
  /** Whether an agent has seen it recently. */
  online: boolean;
  /** Whether an agent has reported on it recently, even if only that it is offline. */
  served: boolean;
}

/** A slot with its spool; the grams are those that no open attempt has reserved. */
export interface LoadedSlot {
  printerId: PrinterId;
  slot: string;
  /** The tool that it feeds, from 0. */
  tool: number;
  position: number;
  spoolId: SpoolId | null;
  materialId: MaterialId | null;
  /** `PLA`, `PETG` … */
  materialType: string | null;
  colourHex: string | null;
  gramsLeft: number | null;
  gramsFree: number | null;
}

/** An agent that has been silent for this long counts as gone (seconds). */
export const offlineAfterSeconds = 30;

const columns = `*, extract(epoch FROM now() - report_at)::float8 AS report_age_seconds, (connected AND NOT ${longAgo('seen_at', String(offlineAfterSeconds))}) AS online,
  coalesce(NOT ${longAgo('seen_at', String(offlineAfterSeconds))}, false) AS served`;
type StoredAsJson =
  | 'report'
  | 'capabilities'
  | 'lastJob'
  | 'preparation'
  | 'identity'
  | 'stranger'
  | 'condition'
  | 'attention';

const toPrinter = (row: Record<string, unknown>): Printer => {
  const { report, capabilities, last_job, preparation, identity, stranger, condition, attention, ...rest } = row;
  return {
    ...camelCase<Omit<Printer, StoredAsJson>>(rest),
    report: report as PrinterReport | null,
    capabilities: capabilities as PrinterCapabilities,
    lastJob: last_job as PrinterJob | null,
    preparation: preparation as Preparation | null,
    identity: identity as MachineIdentity,
    stranger: stranger as MachineIdentity | null,
    condition: condition as PrinterTrouble | null,
    attention: attention as PrinterTrouble | null,
  };
};

/** Returns all printers of the farm, by id. */
export async function allPrinters(db: Queryable): Promise<Printer[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM printers WHERE archived_at IS NULL ORDER BY id`);
  return rows.map(toPrinter);
}

/** Whether a printer belongs to the farm and is not archived. */
export async function printerIsKnown(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT 1 FROM printers WHERE id = $1 AND archived_at IS NULL', [id]);
  return rowCount === 1;
}

/** @throws NotFoundError */
export async function findPrinter(db: Queryable, id: string): Promise<Printer> {
  const { rows } = await db.query(`SELECT ${columns} FROM printers WHERE id = $1 AND archived_at IS NULL`, [id]);
  if (!rows[0]) throw new NotFoundError('printer', id);
  return toPrinter(rows[0]);
}

/** Reads a printer and locks its row; a transaction that also locks a job or an attempt locks those first. */
export async function lockPrinter(tx: Transaction, id: string): Promise<Printer> {
  const { rows } = await tx.query(`SELECT ${columns} FROM printers WHERE id = $1 AND archived_at IS NULL FOR UPDATE`, [
    id,
  ]);
  if (!rows[0]) throw new NotFoundError('printer', id);
  return toPrinter(rows[0]);
}

/**
 * The same without waiting for another transaction, for callers that can do without the printer.
 * @throws NotFoundError
 * @throws RowLockedError another transaction is changing it
 */
export async function lockPrinterNow(tx: Transaction, id: string): Promise<Printer> {
  const { name } = await findPrinter(tx, id);
  const { rows } = await tx.query(`SELECT ${columns} FROM printers WHERE id = $1 FOR UPDATE SKIP LOCKED`, [id]);
  if (!rows[0]) throw new RowLockedError(name);
  return toPrinter(rows[0]);
}

/** The configuration of a printer by its node. */
export interface PrinterRegistration {
  id: PrinterId;
  name: string;
  make: Make;
  /** If absent, the stored ones are kept. A printer that is not stored yet needs them. */
  capabilities?: PrinterCapabilities;
  slots?: { slot: string; tool: number }[];
}

/** Stores a printer, or its new name and capabilities. The bed of a new printer is occupied until an operator has checked it. */
export async function registerPrinter(tx: Transaction, printer: PrinterRegistration): Promise<Printer> {
  const { rows } = await tx.query(
    `INSERT INTO printers (id, name, make, capabilities) VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, make = excluded.make, archived_at = NULL,
       capabilities = CASE WHEN excluded.capabilities = '{}' THEN printers.capabilities ELSE excluded.capabilities END
     RETURNING ${columns}`,
    [printer.id, printer.name, printer.make, JSON.stringify(printer.capabilities ?? {})],
  );
  if (!rows[0]) throw new Error('PostgreSQL stored no printer.');
  for (const [position, { slot, tool }] of (printer.slots ?? []).entries()) {
    await tx.query(
      `INSERT INTO printer_slots (printer_id, slot, tool, position) VALUES ($1, $2, $3, $4)
       ON CONFLICT (printer_id, slot) DO UPDATE SET position = excluded.position, tool = excluded.tool`,
      [printer.id, slot, tool, position],
    );
  }
  return toPrinter(rows[0]);
}

// A bed change: the new state with its cause, the next version, and the message that reports it.
const setBedSql = `
  WITH p AS (
    UPDATE printers SET bed_state = $2, bed_cause = $3, bed_attempt_id = $4, bed_version = bed_version + 1, bed_since = now()
    WHERE id = $1 RETURNING *),
  o AS (
    INSERT INTO outbox (kind, routing_key, body)
    SELECT 'status', '', jsonb_build_object('event', 'bed', 'printer_id', p.id,
      'bed', jsonb_build_object('state', p.bed_state, 'cause', p.bed_cause, 'attempt_id', p.bed_attempt_id, 'version', p.bed_version),
      'changed_by', $5::text, 'changed_at', ${isoNow})
      || CASE WHEN $6::text IS NULL THEN '{}' ELSE jsonb_build_object('reason', $6::text) END FROM p)
  SELECT ${columns} FROM p`;

async function setBed(
  tx: Transaction,
  id: PrinterId,
  bed: { state: 'clear' } | { state: 'occupied'; cause: BedCause; attemptId: AttemptId | null },
  actor: string,
  reason?: string,
): Promise<Printer> {
  const { rows } = await tx.query(setBedSql, [
    id,
    bed.state,
    bed.state === 'clear' ? null : bed.cause,
    bed.state === 'clear' ? null : bed.attemptId,
    actor,
    reason ?? null,
  ]);
  if (!rows[0]) throw new NotFoundError('printer', id);
  await notify(tx, 'outbox');
  await notify(tx, 'plan');
  return toPrinter(rows[0]);
}

/** Occupies the bed for an attempt, from the moment a start is intended. */
export function occupyBed(tx: Transaction, id: PrinterId, attemptId: AttemptId, actor: string): Promise<Printer> {
  return setBed(tx, id, { state: 'occupied', cause: 'attempt', attemptId }, actor);
}

/** Marks the bed as occupied by a foreign print, known or possible. A reason that no report of the printer shows is published with it. */
export function occupyBedByOther(
  tx: Transaction,
  id: PrinterId,
  cause: 'foreign' | 'unknown',
  actor: string,
  reason?: string,
): Promise<Printer> {
  return setBed(tx, id, { state: 'occupied', cause, attemptId: null }, actor, reason);
}

/**
 * Records that a print on an occupied bed has ended: an earlier look at the bed is no longer valid. The printer's row must be locked.
 */
export async function countBed(tx: Transaction, printer: Printer, actor: string): Promise<void> {
  const { id, bedState, bedCause, bedAttemptId } = printer;
  if (bedState === 'clear') return;
  await setBed(tx, id, { state: 'occupied', cause: bedCause ?? 'unknown', attemptId: bedAttemptId }, actor);
}

/** Restores the state of the bed before this attempt's intent, because nothing was printed. */
export async function restoreBed(
  tx: Transaction,
  printer: Printer,
  attemptId: AttemptId,
  actor: string,
): Promise<void> {
  if (printer.bedAttemptId === attemptId) await setBed(tx, printer.id, { state: 'clear' }, actor);
}

/**
 * Marks the bed as clear, as confirmed by an operator. The printer's row must be locked.
 * @throws ConflictError the version is outdated: the bed has changed since the operator looked
 */
export async function clearBed(
  tx: Transaction,
  printer: Printer,
  expectedVersion: number | undefined,
  actor: string,
): Promise<Printer> {
  if (expectedVersion !== undefined && expectedVersion !== printer.bedVersion) {
    throw new ConflictError(
      `The bed of ${printer.name} changed since you looked (version ${printer.bedVersion}, you gave ${expectedVersion}).`,
      'Look at the bed again and send the current bed version.',
      'stale_bed_version',
    );
  }
  return setBed(tx, printer.id, { state: 'clear' }, actor);
}

/** Stores that the agent is alive, with the printer's latest report. */
export async function storeReport(
  db: Queryable,
  id: PrinterId,
  state: {
    connected: boolean;
    problem: string | null;
    /** Another machine that was found at the printer's address. */
    stranger?: MachineIdentity;
    report: PrinterReport | undefined;
    /** Whether the same transaction has judged if the job of the report is the farm's: that job counts as known from now on. */
    judged?: boolean;
  },
): Promise<void> {
  await db.query(
    `UPDATE printers SET connected = $2, connection_problem = $3, seen_at = now(),
       stranger = $5,
       first_connected_at = CASE WHEN $2 THEN coalesce(first_connected_at, now()) ELSE first_connected_at END,
       report = coalesce($4, report),
       last_job = CASE WHEN $6 THEN nullif($4::jsonb -> 'job', 'null') ELSE last_job END, report_at = CASE WHEN $4::jsonb IS NULL THEN report_at ELSE now() END
     WHERE id = $1`,
    [
      id,
      state.connected,
      state.problem,
      state.report ? JSON.stringify(state.report) : null,
      state.stranger ? JSON.stringify(state.stranger) : null,
      state.judged === true && state.report !== undefined,
    ],
  );
}

/** Pins a printer to a machine. */
export async function pinIdentity(tx: Transaction, id: PrinterId, identity: MachineIdentity): Promise<void> {
  await tx.query('UPDATE printers SET identity = $2, stranger = NULL WHERE id = $1', [id, JSON.stringify(identity)]);
}

/** Returns the printers that a machine is pinned to: an id in common, and no differing id. */
export async function printersOfMachine(
  db: Queryable,
  identity: MachineIdentity,
): Promise<Pick<Printer, 'id' | 'name' | 'identity'>[]> {
  const { rows } = await db.query<Pick<Printer, 'id' | 'name' | 'identity'>>(
    `SELECT id, name, identity FROM printers p
     WHERE EXISTS (SELECT 1 FROM jsonb_each_text($1::jsonb) f WHERE p.identity ->> f.key = f.value)
       AND NOT EXISTS (SELECT 1 FROM jsonb_each_text($1::jsonb) f WHERE p.identity ? f.key AND p.identity ->> f.key <> f.value)
     ORDER BY id`,
    [JSON.stringify(identity)],
  );
  return rows;
}

/**
 * The columns for the trouble of a printer: a `condition` prevents any job from starting there, `attention` means that it needs an
 * operator now.
 */
export type TroubleColumn = 'condition' | 'attention';

// Stores the trouble of a printer; an unchanged code keeps its start time. New trouble is reported.
const troubleSql = (column: TroubleColumn): string => `
  WITH known AS (SELECT id, ${column} AS before FROM printers WHERE id = $1),
  p AS (
    UPDATE printers SET ${column} = CASE WHEN $2::jsonb IS NULL THEN NULL
        ELSE $2 || jsonb_build_object('since',
          CASE WHEN known.before ->> 'code' = $2 ->> 'code' THEN known.before ->> 'since' ELSE ${isoNow} END) END
    FROM known WHERE printers.id = known.id
    RETURNING printers.id, printers.${column} AS now, known.before)
  INSERT INTO outbox (kind, routing_key, body)
  SELECT 'status', '', jsonb_build_object('event', 'attention', 'printer_id', p.id, 'job_id', $3::uuid)
    || p.now || jsonb_build_object('changed_by', $4::text, 'changed_at', ${isoNow})
  FROM p WHERE p.now IS NOT NULL AND p.before ->> 'code' IS DISTINCT FROM p.now ->> 'code'`;

const troubleStatements: Readonly<Record<TroubleColumn, string>> = {
  condition: troubleSql('condition'),
  attention: troubleSql('attention'),
};

/** Stores the trouble of a printer; null: none any more. @param job the job that it prints, if it is the farm's */
export async function storeTrouble(
  tx: Transaction,
  id: PrinterId,
  column: TroubleColumn,
  trouble: Omit<PrinterTrouble, 'since'> | null,
  { job = null, actor }: { job?: JobId | null; actor: string },
): Promise<void> {
  await tx.query(troubleStatements[column], [id, trouble ? JSON.stringify(trouble) : null, job, actor]);
  await notify(tx, 'outbox');
  await notify(tx, 'plan');
}

/** Archives a printer: its spools, identity and last job are forgotten, and its bed is unknown. */
export async function archivePrinter(tx: Transaction, id: PrinterId, actor: string): Promise<void> {
  await setBed(tx, id, { state: 'occupied', cause: 'unknown', attemptId: null }, actor);
  await tx.query('UPDATE printer_slots SET spool_id = NULL WHERE printer_id = $1', [id]);
  await tx.query(
    `UPDATE printers SET archived_at = now(), identity = '{}', stranger = NULL, condition = NULL, attention = NULL,
       last_job = NULL, report = NULL, report_at = NULL, connected = false, first_connected_at = NULL
     WHERE id = $1`,
    [id],
  );
}

/** Returns the slots of all printers with their spools, without the grams that open attempts have reserved. */
export async function loadedSlots(db: Queryable): Promise<LoadedSlot[]> {
  const { rows } = await db.query(
    `SELECT s.printer_id, s.slot, s.tool, s.position, s.spool_id, p.material_id, m.type AS material_type, m.colour_hex, p.grams_left,
       p.grams_left - ${reservedOf('p.id')} AS grams_free
     FROM printer_slots s LEFT JOIN spools p ON p.id = s.spool_id LEFT JOIN materials m ON m.id = p.material_id
     ORDER BY s.printer_id, s.position`,
  );
  return rows.map((row) => camelCase<LoadedSlot>(row));
}

/** Loads a spool into a slot, moving it from its previous one; null empties the slot. @throws NotFoundError */
export async function loadSlot(
  tx: Transaction,
  id: PrinterId,
  slot: string,
  spoolId: SpoolId | null,
): Promise<LoadedSlot> {
  const { rowCount } = await tx.query('SELECT 1 FROM printer_slots WHERE printer_id = $1 AND slot = $2 FOR UPDATE', [
    id,
    slot,
  ]);
  if (rowCount === 0) throw new NotFoundError('slot', `${id}/${slot}`);
  if (spoolId !== null) await tx.query('UPDATE printer_slots SET spool_id = NULL WHERE spool_id = $1', [spoolId]);
  await tx.query('UPDATE printer_slots SET spool_id = $3 WHERE printer_id = $1 AND slot = $2', [id, slot, spoolId]);
  await notify(tx, 'plan');
  const loaded = (await loadedSlots(tx)).find((one) => one.printerId === id && one.slot === slot);
  if (!loaded) throw new NotFoundError('slot', `${id}/${slot}`);
  return loaded;
}

/** Stores how the agent of a printer makes print files, which decides what can be submitted for it. */
export async function storePreparation(db: Queryable, id: PrinterId, preparation: Preparation): Promise<void> {
  await db.query('UPDATE printers SET preparation = $2 WHERE id = $1', [id, JSON.stringify(preparation)]);
}

/** Stores a printer's current capabilities and additional slots; notifies the planner if they have changed. */
export async function storeDescription(
  tx: Transaction,
  id: PrinterId,
  capabilities: PrinterCapabilities,
  slots: readonly { slot: string; tool: number }[],
): Promise<void> {
  const { rowCount } = await tx.query('UPDATE printers SET capabilities = $2 WHERE id = $1 AND capabilities <> $2', [
    id,
    JSON.stringify(capabilities),
  ]);
  let added = 0;
  for (const { slot, tool } of slots) {
    const inserted = await tx.query(
      `INSERT INTO printer_slots (printer_id, slot, tool, position)
       SELECT $1::varchar, $2, $3::int, coalesce(max(position) + 1, 0) FROM printer_slots WHERE printer_id = $1::varchar
       ON CONFLICT (printer_id, slot) DO NOTHING`,
      [id, slot, tool],
    );
    added += inserted.rowCount ?? 0;
  }
  if ((rowCount ?? 0) + added > 0) await notify(tx, 'plan');
}
