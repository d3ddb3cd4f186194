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
import { longAgo } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';
import { reservedOf } from './spool-changes';

/** A bed's version counts its changes: 1 when the printer is made known, 2 when it is declared clear for the first time. */
export const firstClearedBedVersion = 2;

/** Why a bed is occupied: an attempt of ours, a print that is not ours, or nobody can tell. */
export type BedCause = 'attempt' | 'foreign' | 'unknown';

/** A printer as the database holds it; times are ISO 8601 UTC. */
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
  /** The ids of the machine that it is, pinned at the first contact; empty: none is known. */
  identity: MachineIdentity;
  /** Another machine that was found at its address. */
  stranger: MachineIdentity | null;
  /** What keeps it from starting any job although it says that it is idle. */
  condition: PrinterTrouble | null;
  /** What needs a person there at this moment. */
  attention: PrinterTrouble | null;
  /** Seconds since its last report was stored; null before the first. */
  reportAgeSeconds: number | null;
  /** Whether an agent has seen it lately. */
  online: boolean;
  /** Whether an agent has told of it lately, and be it that it is not there. */
  served: boolean;
}

/** A slot with the spool in it; grams are those that no open attempt has reserved. */
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

/** An agent that has not been heard of for so long counts as gone (seconds). */
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

/** All printers that belong to the farm, by id. */
export async function allPrinters(db: Queryable): Promise<Printer[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM printers WHERE archived_at IS NULL ORDER BY id`);
  return rows.map(toPrinter);
}

/** Whether a printer is one of the farm's, and not archived. */
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

/** Reads a printer and locks its row; in a transaction that also locks a job or an attempt, those come first. */
export async function lockPrinter(tx: Transaction, id: string): Promise<Printer> {
  const { rows } = await tx.query(`SELECT ${columns} FROM printers WHERE id = $1 AND archived_at IS NULL FOR UPDATE`, [
    id,
  ]);
  if (!rows[0]) throw new NotFoundError('printer', id);
  return toPrinter(rows[0]);
}

/**
 * The same for whoever can do without the printer: does not wait for another transaction.
 * @throws NotFoundError
 * @throws RowLockedError another transaction is changing it
 */
export async function lockPrinterNow(tx: Transaction, id: string): Promise<Printer> {
  const { name } = await findPrinter(tx, id);
  const { rows } = await tx.query(`SELECT ${columns} FROM printers WHERE id = $1 FOR UPDATE SKIP LOCKED`, [id]);
  if (!rows[0]) throw new RowLockedError(name);
  return toPrinter(rows[0]);
}

/** What a printer node says of its printer. */
export interface PrinterRegistration {
  id: PrinterId;
  name: string;
  make: Make;
  /** Left out: those already stored. A printer that is not stored yet needs them. */
  capabilities?: PrinterCapabilities;
  slots?: { slot: string; tool: number }[];
}

/** Stores a printer, or its new name and capabilities. The bed of a new one is occupied until an operator looks. */
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

const isoNow = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

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

/** The bed is ours from the moment a start is intended. */
export function occupyBed(tx: Transaction, id: PrinterId, attemptId: AttemptId, actor: string): Promise<Printer> {
  return setBed(tx, id, { state: 'occupied', cause: 'attempt', attemptId }, actor);
}

/** Something that is not ours lies on the bed, or may. A reason that is no report of the printer is told with it. */
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
 * A print on an occupied bed has ended: what lies there now, nobody who looked before can have seen. The printer's row must be locked.
 */
export async function countBed(tx: Transaction, printer: Printer, actor: string): Promise<void> {
  const { id, bedState, bedCause, bedAttemptId } = printer;
  if (bedState === 'clear') return;
  await setBed(tx, id, { state: 'occupied', cause: bedCause ?? 'unknown', attemptId: bedAttemptId }, actor);
}

/** Nothing was printed after all: the bed is what it was before this attempt's intent. */
export async function restoreBed(
  tx: Transaction,
  printer: Printer,
  attemptId: AttemptId,
  actor: string,
): Promise<void> {
  if (printer.bedAttemptId === attemptId) await setBed(tx, printer.id, { state: 'clear' }, actor);
}

/**
 * An operator says that the bed is clear. The printer's row must be locked.
 * @throws ConflictError the version is not the present one, so something happened that the operator has not seen
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
      'Look at the bed again and send the present bed version.',
      'stale_bed_version',
    );
  }
  return setBed(tx, printer.id, { state: 'clear' }, actor);
}

/** The agent's word that it is there, with the printer's latest report. */
export async function storeReport(
  db: Queryable,
  id: PrinterId,
  state: {
    connected: boolean;
    problem: string | null;
    /** Another machine that is at the printer's address. */
    stranger?: MachineIdentity;
    report: PrinterReport | undefined;
    /** It was judged whether the job that the report names is ours, in the same transaction: that job is known from now on. */
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

/** Which machine a printer is from now on. */
export async function pinIdentity(tx: Transaction, id: PrinterId, identity: MachineIdentity): Promise<void> {
  await tx.query('UPDATE printers SET identity = $2, stranger = NULL WHERE id = $1', [id, JSON.stringify(identity)]);
}

/** The printers that a machine is pinned to: an id in common, and none that differs. */
export async function printersOfMachine(
  db: Queryable,
  identity: MachineIdentity,
): Promise<Pick<Printer, 'id' | 'name'>[]> {
  const { rows } = await db.query<Pick<Printer, 'id' | 'name'>>(
    `SELECT id, name FROM printers p
     WHERE EXISTS (SELECT 1 FROM jsonb_each_text($1::jsonb) f WHERE p.identity ->> f.key = f.value)
       AND NOT EXISTS (SELECT 1 FROM jsonb_each_text($1::jsonb) f WHERE p.identity ? f.key AND p.identity ->> f.key <> f.value)
     ORDER BY id`,
    [JSON.stringify(identity)],
  );
  return rows;
}

/**
 * Where trouble of a printer is kept: a `condition` would keep any job from starting there, `attention` is what needs a person at
 * this moment.
 */
export type TroubleColumn = 'condition' | 'attention';

// The trouble of a printer; the same code keeps the time since when. A new one is reported.
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

/** Stores what is wrong with a printer; null: nothing any more. @param job the one that it prints, if it is ours */
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

/** Takes a printer out of the farm: its spools, identity and last job are forgotten, and nobody knows what lies on its bed. */
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

/** The slots of all printers with their spools. Grams that open attempts have reserved are promised already. */
export async function loadedSlots(db: Queryable): Promise<LoadedSlot[]> {
  const { rows } = await db.query(
    `SELECT s.printer_id, s.slot, s.tool, s.position, s.spool_id, p.material_id, m.type AS material_type, m.colour_hex, p.grams_left,
       p.grams_left - ${reservedOf('p.id')} AS grams_free
     FROM printer_slots s LEFT JOIN spools p ON p.id = s.spool_id LEFT JOIN materials m ON m.id = p.material_id
     ORDER BY s.printer_id, s.position`,
  );
  return rows.map((row) => camelCase<LoadedSlot>(row));
}

/** Puts a spool into a slot, taking it from where it was; null empties the slot. @throws NotFoundError */
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

/** How the agent of a printer makes print files, which decides what can be submitted for it. */
export async function storePreparation(db: Queryable, id: PrinterId, preparation: Preparation): Promise<void> {
  await db.query('UPDATE printers SET preparation = $2 WHERE id = $1', [id, JSON.stringify(preparation)]);
}

/** What a printer can do, as is known now, and places for filament that it has besides; tells the planner if that is new. */
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
