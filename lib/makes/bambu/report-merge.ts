import { isObject, type JsonObject, listOf, numberOf, textOf } from '../values';

/** The kind of a message on the report topic. */
export type ReportMessage =
  /** Part of the printer's state; `full` if it replaces what was known. */
  | { kind: 'status'; full: boolean; fields: JsonObject }
  /** An answer or an event: never merged. */
  | { kind: 'answer'; section: string; command: string; sequenceId: string; fields: JsonObject }
  | { kind: 'unreadable' };

/** Reads a payload: printers append NUL bytes and put invalid UTF-8 into names. */
export function parseReport(payload: Uint8Array): ReportMessage[] {
  let text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
  const end = text.lastIndexOf('}');
  if (end < 0) return [{ kind: 'unreadable' }];
  text = text.slice(0, end + 1);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return [{ kind: 'unreadable' }];
  }
  if (!isObject(root)) return [{ kind: 'unreadable' }];
  return Object.entries(root).flatMap(([section, fields]) => (isObject(fields) ? [readSection(section, fields)] : []));
}

function readSection(section: string, fields: JsonObject): ReportMessage {
  const command = textOf(fields.command) ?? '';
  const isStatus = section === 'print' && !('result' in fields) && (command === 'push_status' || command === '');
  if (!isStatus) {
    return { kind: 'answer', section, command, sequenceId: textOf(fields.sequence_id) ?? '', fields };
  }
  // A frame that does not state its kind is full only if it contains the state: deltas of old firmware are small.
  const declared = numberOf(fields.msg);
  const full = declared === undefined ? 'gcode_state' in fields : declared === 0;
  return { kind: 'status', full, fields };
}

/**
 * Merges a report into the known state. Objects merge, lists replace, except the AMS units and their trays, which
 * merge by their ids: a partial report names only the tray that changed.
 */
export function mergeReport(known: JsonObject, update: JsonObject): JsonObject {
  return mergeObjects(known, update, []);
}

function mergeObjects(known: JsonObject, update: JsonObject, path: string[]): JsonObject {
  const merged: JsonObject = { ...known };
  for (const [key, value] of Object.entries(update)) {
    const before = known[key];
    const here = [...path, key];
    if (isObject(value) && isObject(before)) merged[key] = mergeObjects(before, value, here);
    else if (Array.isArray(value) && Array.isArray(before) && isMergedById(here)) {
      merged[key] = mergeById(before, value, here);
    } else merged[key] = value;
  }
  return bounded(merged, update);
}

/**
 * No printer has this many fields in one place; a defective one that keeps sending new ones must not fill the memory.
 */
const mostFields = 2000;

function bounded(merged: JsonObject, update: JsonObject): JsonObject {
  return Object.keys(merged).length > mostFields ? update : merged;
}

function isMergedById(path: string[]): boolean {
  const name = path.join('.');
  return name === 'ams.ams' || name === 'ams.ams.tray';
}

/** More AMS units, or trays in one, than any printer has. */
const mostUnits = 64;

function mergeById(known: unknown[], update: unknown[], path: string[]): unknown[] {
  const merged = [...known];
  for (const entry of update) {
    if (!isObject(entry)) continue;
    const id = textOf(entry.id);
    const index = merged.findIndex((other) => isObject(other) && id !== undefined && textOf(other.id) === id);
    const before = merged[index];
    if (isObject(before)) merged[index] = mergeObjects(before, entry, path);
    else merged.push(entry);
  }
  return merged.slice(-mostUnits);
}

/** The number of fields from which a frame of unknown kind counts as full. */
const wholeFrameFields = 40;

/** Merges a status message into the known state. */
export function applyStatus(known: JsonObject, message: { full: boolean; fields: JsonObject }): JsonObject {
  const isWhole =
    message.full && (numberOf(message.fields.msg) === 0 || Object.keys(message.fields).length >= wholeFrameFields);
  // Some firmware omits from its frequent full frames the top-level fields that it sends only on request; those are
  // kept.
  if (isWhole) return bounded({ ...known, ...message.fields }, message.fields);
  return mergeReport(known, message.fields);
}

/** The AMS units of a report. */
export function amsUnits(print: JsonObject): JsonObject[] {
  return listOf(isObject(print.ams) ? print.ams.ams : undefined).filter(isObject);
}
