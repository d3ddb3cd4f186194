import type {
  Ending,
  PrinterFault,
  PrinterJob,
  PrinterState,
  ReportedSlot,
  StorageState,
  Temperature,
  ToolHead,
} from '../../model/printer';
import { fraction, isObject, type JsonObject, listOf, numberOf, objectOf, textOf } from '../values';
import { bambuCode } from './codes';
import { parseSlot } from './commands';
import { amsUnits } from './report-merge';

/** The codes with which the printer reports that the job was stopped by an operator. */
const cancelCodes = [50348044, 83902478];

const gcodeStates = ['IDLE', 'INIT', 'PREPARE', 'SLICING', 'RUNNING', 'PAUSE', 'FINISH', 'FAILED'] as const;
export type GcodeState = (typeof gcodeStates)[number];

/** The printer's own word for its state; undefined for an unknown word. */
export function gcodeState(print: JsonObject): GcodeState | undefined {
  const word = textOf(print.gcode_state)?.toUpperCase();
  return gcodeStates.find((state) => state === word);
}

/** Whether the printer has a job under way. */
export function isRunning(state: GcodeState | undefined): boolean {
  return state === 'PREPARE' || state === 'SLICING' || state === 'RUNNING' || state === 'PAUSE';
}

const upgradesUnderWay = /^(UPGRADE_REQUEST|DOWNLOAD(ING)?|FLASH(ING)?|UPGRADING|INSTALL(ING)?|WRITING)$/i;

/** Returns why a start would be refused although no job runs; undefined if none is known. */
export function busyReason(print: JsonObject): string | undefined {
  const upgrade = textOf(objectOf(print.upgrade_state).status) ?? '';
  if (upgradesUnderWay.test(upgrade)) return 'A firmware update is under way.';
  const amsTask = amsMainStatus(print);
  if (amsTask === 1) return 'Filament is being loaded or unloaded.';
  if (amsTask === 2) return 'The AMS is reading a spool.';
  if (amsTask === 4) return 'The AMS is being calibrated.';
  return undefined;
}

function amsMainStatus(print: JsonObject): number {
  return ((numberOf(print.ams_status) ?? 0) >> 8) & 0xff;
}

/** Returns the current state of the machine. */
export function mapState(print: JsonObject): PrinterState {
  switch (gcodeState(print)) {
    case undefined:
      return 'unknown';
    case 'INIT':
      return 'busy';
    case 'PREPARE':
    case 'SLICING':
      return 'preparing';
    case 'PAUSE':
      return 'paused';
    case 'RUNNING':
      return isExtruding(print) ? 'printing' : 'preparing';
    case 'IDLE':
    case 'FINISH':
    case 'FAILED':
      if (mapFaults(print).some((fault) => fault.blocking)) return 'fault';
      return busyReason(print) === undefined ? 'idle' : 'busy';
  }
}

function isExtruding(print: JsonObject): boolean {
  const layer = numberOf(print.layer_num);
  if (layer !== undefined && layer > 0) return true;
  const stage = numberOf(print.stg_cur);
  return (numberOf(print.mc_percent) ?? 0) > 0 && (stage === undefined || stage === 0);
}

/** The ids under which the printer names its job, without the zeros that mean "none". */
export function jobIds(print: JsonObject): string[] {
  return [print.subtask_id, print.task_id].map((id) => textOf(id) ?? '').filter((id) => id !== '' && id !== '0');
}

/**
 * The job that runs or ran last. `expected` is the task id of ours that may be there: the field that carries it
 * wins, because the printer invents a task id for jobs that were sent without one.
 */
export function mapJob(print: JsonObject, expected: string | undefined): PrinterJob | null {
  const name = textOf(print.subtask_name) || plainFileName(textOf(print.gcode_file) ?? '');
  const ids = jobIds(print);
  const subtaskId = textOf(print.subtask_id);
  const taskId =
    expected !== undefined && ids.includes(expected)
      ? expected
      : subtaskId === undefined
        ? ids[0]
        : subtaskId !== '' && subtaskId !== '0'
          ? subtaskId
          : undefined;
  if (name === '' && taskId === undefined) return null;
  return taskId === undefined ? { name } : { name, taskId };
}

/** The newer models name every job's file `/data/Metadata/plate_1.gcode`, which identifies nothing. */
function plainFileName(path: string): string {
  return path.includes('/Metadata/') ? '' : path.slice(path.lastIndexOf('/') + 1);
}

/** What a single report shows of a stop or a failure. */
export interface EndingEvidence {
  /** A code that means "stopped by an operator" is shown. */
  cancelled: boolean;
  /** A code of a real failure is kept as the reason of the last ending. */
  failed: boolean;
}

export function endingEvidence(print: JsonObject): EndingEvidence {
  const reason = numberOf(print.fail_reason) ?? 0;
  const shown = [reason, ...currentErrors(print)];
  const cancelled = shown.some((code) => cancelCodes.includes(code));
  return { cancelled, failed: !cancelled && reason !== 0 };
}

function currentErrors(print: JsonObject): number[] {
  const codes = [numberOf(print.print_error) ?? 0];
  const err = textOf(print.err);
  if (err !== undefined && /^[0-9a-f]{8,10}$/i.test(err)) codes.push(Number.parseInt(err.slice(-8), 16));
  return codes.filter((code) => code !== 0);
}

/** The error that is shown now as `0500_4003`; undefined if there is none. */
export function currentErrorCode(print: JsonObject): string | undefined {
  const [code] = currentErrors(print);
  return code === undefined ? undefined : hexCode(code);
}

function hexCode(code: number): string {
  const hex = (code >>> 0).toString(16).toUpperCase().padStart(8, '0');
  return `${hex.slice(0, 4)}_${hex.slice(4)}`;
}

/** Codes that mean that a start was not carried out: about the file, the storage or the machine, before any motion. */
const startRefusals = [
  '0500_4001',
  '0500_4002',
  '0500_4003',
  '0500_4004',
  '0500_4006',
  '0500_4015',
  '0500_400A',
  '0500_400B',
  '0500_400C',
  '0500_402E',
  '0500_402F',
  '0500_4037',
  '0500_4038',
  '0500_4042',
  '0500_4046',
  '0500_4070',
  '0500_8013',
  '0502_400D',
  '0502_402D',
  '0502_402E',
  '0502_402F',
  '0502_4030',
];

/** Whether an error means that a start was refused before anything moved. */
export function isStartRefusal(code: string | undefined): code is string {
  return code !== undefined && startRefusals.includes(code);
}

function faultOf(code: string): PrinterFault {
  const { words, remedy, blocking } = bambuCode(code);
  return { code, message: words, remedy, blocking };
}

/**
 * Errors and health messages. Many healthy machines carry lasting health messages; only severity 1 forbids printing,
 * and not all of that either.
 */
export function mapFaults(print: JsonObject): PrinterFault[] {
  const faults: PrinterFault[] = [];
  const running = isRunning(gcodeState(print));
  const [error] = currentErrors(print);
  if (error !== undefined && !cancelCodes.includes(error) && (error & 0xffff) >= 0x4000) {
    // After a job the message only waits to be dismissed, except for dangerous ones; during a job, the job waits for
    // it.
    const fault = faultOf(hexCode(error));
    faults.push({ ...fault, blocking: fault.blocking || (running && gcodeState(print) === 'PAUSE') });
  }
  for (const entry of listOf(print.hms)) {
    if (!isObject(entry)) continue;
    const attr = numberOf(entry.attr) ?? 0;
    const code = numberOf(entry.code) ?? 0;
    faults.push(faultOf(`${hexCode(attr)}_${hexCode(code)}`));
  }
  return faults;
}

function packedTemperature(name: string, packed: unknown): Temperature | undefined {
  const value = numberOf(packed);
  if (value === undefined) return undefined;
  return { name, current: value & 0xffff, target: (value >>> 16) & 0xffff };
}

function plainTemperature(name: string, current: unknown, target: unknown): Temperature | undefined {
  const value = numberOf(current);
  return value === undefined ? undefined : { name, current: value, target: numberOf(target) ?? 0 };
}

/** Nozzle 0 is the right one, nozzle 1 the left one. */
export function mapTemperatures(print: JsonObject): Temperature[] {
  const device = objectOf(print.device);
  const extruders = listOf(objectOf(device.extruder).info).filter(isObject);
  const nozzles =
    extruders.length > 0
      ? extruders.map((extruder) => {
          const id = numberOf(extruder.id) ?? 0;
          return packedTemperature(id === 0 ? 'nozzle' : `nozzle${id}`, extruder.temp);
        })
      : [plainTemperature('nozzle', print.nozzle_temper, print.nozzle_target_temper)];
  const bed =
    plainTemperature('bed', print.bed_temper, print.bed_target_temper) ??
    packedTemperature('bed', objectOf(objectOf(device.bed).info).temp ?? device.bed_temp);
  const chamber =
    packedTemperature('chamber', objectOf(objectOf(device.ctc).info).temp) ??
    plainTemperature('chamber', print.chamber_temper, 0);
  return [...nozzles, bed, chamber].filter((temperature) => temperature !== undefined);
}

/** The bit of a tray in `tray_exist_bits`. */
function trayBit(unit: number, tray: number): number {
  return unit >= 128 ? 16 + unit - 128 : unit * 4 + tray;
}

function hexBits(value: unknown): bigint | undefined {
  const text = textOf(value);
  return text !== undefined && /^[0-9a-f]+$/i.test(text) ? BigInt(`0x${text}`) : undefined;
}

/** Whether the printer reports in `tray_exist_bits` that a tray holds a spool. */
function trayExists(print: JsonObject, unit: number, tray: number): boolean | undefined {
  const bits = hexBits(objectOf(print.ams).tray_exist_bits);
  return bits === undefined ? undefined : ((bits >> BigInt(trayBit(unit, tray))) & 1n) === 1n;
}

/** Every filament slot: AMS trays, then the external spools. */
export function mapSlots(print: JsonObject): ReportedSlot[] {
  const slots: ReportedSlot[] = [];
  for (const unit of amsUnits(print)) {
    const unitId = numberOf(unit.id);
    if (unitId === undefined) continue;
    for (const tray of listOf(unit.tray).filter(isObject)) {
      const trayId = numberOf(tray.id);
      if (trayId === undefined || parseSlot(`ams${unitId}-${trayId}`) === undefined) continue;
      const exists = trayExists(print, unitId, trayId);
      slots.push(mapTray(`ams${unitId}-${trayId}`, tray, exists ?? textOf(tray.tray_type) !== undefined));
    }
  }
  return [...slots, ...externalSlots(print)].map((slot) => {
    const tool = isDualNozzle(print) ? extruderOfSlot(print, slot.slot) : 0;
    return tool === undefined ? slot : { ...slot, tool };
  });
}

function externalSlots(print: JsonObject): ReportedSlot[] {
  const virtual = listOf(print.vir_slot).filter(isObject);
  if (virtual.length > 0) {
    return virtual.flatMap((tray) => {
      const id = numberOf(tray.id);
      if (id === 255) return [mapTray('ext-right', tray, null)];
      return id === 254 ? [mapTray('ext-left', tray, null)] : [];
    });
  }
  return isObject(print.vt_tray) ? [mapTray('ext-right', print.vt_tray, null)] : [];
}

function mapTray(slot: string, tray: JsonObject, present: boolean | null): ReportedSlot {
  const materialType = textOf(tray.tray_type) ?? '';
  const colour = textOf(tray.tray_color) ?? '';
  const remaining = numberOf(tray.remain);
  return {
    slot,
    present,
    ...(materialType === '' ? {} : { materialType }),
    ...(/^[0-9a-f]{6}/i.test(colour) ? { colour: colour.slice(0, 6).toUpperCase() } : {}),
    ...(remaining !== undefined && remaining >= 0 ? { remaining: fraction(remaining / 100) } : {}),
  };
}

/**
 * Whether Developer Mode is on; undefined if the firmware does not report it. "Off" is reliable. "On" is only a hint:
 * an A1 mini with firmware 01.08.01 reports it while it refuses every start; the start then shows the refusal.
 */
export function developerMode(print: JsonObject): boolean | undefined {
  const fun = hexBits(print.fun);
  return fun === undefined ? undefined : ((fun >> 29n) & 1n) === 0n;
}

/** The storage that uploads go to; undefined if the firmware does not report it. */
export function storageState(print: JsonObject): StorageState | undefined {
  if (print.sdcard === false) return 'missing';
  const flag = numberOf(print.home_flag);
  const told =
    flag === undefined ? undefined : (['missing', 'present', 'faulty', 'read_only'] as const)[(flag >>> 8) & 3];
  return print.sdcard === true && (told === undefined || told === 'missing') ? 'present' : told;
}

/** The mounted tool head. */
export function mapToolHead(print: JsonObject): ToolHead {
  const type = textOf(objectOf(objectOf(print.device).ext_tool).type) ?? '';
  const kind = type.startsWith('LB') ? 'laser' : type.startsWith('CP') ? 'cutter' : 'extruder';
  return { kind, ready: kind === 'extruder', nozzleDiameters: nozzleDiameters(print) };
}

/** Whether an AMS unit is drying its filament. */
export function isDrying(print: JsonObject, unitId: number): boolean {
  const unit = amsUnits(print).find((candidate) => numberOf(candidate.id) === unitId);
  return (numberOf(unit?.dry_time) ?? 0) > 0;
}

/** Whether the machine has two nozzles. */
export function isDualNozzle(print: JsonObject): boolean {
  return listOf(objectOf(objectOf(print.device).extruder).info).length >= 2;
}

/** The extruder that a slot feeds: 0 right, 1 left; undefined if unknown. */
export function extruderOfSlot(print: JsonObject, slotName: string): number | undefined {
  const slot = parseSlot(slotName);
  if (slot === undefined || slot.kind === 'none') return undefined;
  if (slot.kind === 'external') return slot.side === 'right' ? 0 : 1;
  const unit = amsUnits(print).find((candidate) => numberOf(candidate.id) === slot.unit);
  const info = hexBits(unit?.info);
  if (info === undefined) return undefined;
  const extruder = Number((info >> 8n) & 0xfn);
  return extruder === 0xe ? undefined : extruder;
}

/**
 * Diameters of the nozzles that are mounted, by tool: 0 is the right one, 1 the left one. Nozzles that wait in a rack
 * have higher numbers. Empty unless the printer reports all of them.
 */
export function nozzleDiameters(print: JsonObject): number[] {
  const nozzles = listOf(objectOf(objectOf(print.device).nozzle).info).filter(isObject);
  const ofTool = (tool: number): number | undefined =>
    numberOf(nozzles.find(({ id }, index) => (numberOf(id) ?? index) === tool)?.diameter);
  const [first, second] = [ofTool(0), ofTool(1)];
  const listed = first === undefined ? [] : second === undefined ? [first] : [first, second];
  const single = numberOf(print.nozzle_diameter);
  return listed.length > 0 ? listed : single === undefined ? [] : [single];
}

/** Whether a laser or cutting module is mounted. */
export function hasCuttingTool(print: JsonObject): boolean {
  const type = textOf(objectOf(objectOf(print.device).ext_tool).type) ?? '';
  return /^(LB|CP)/.test(type);
}

/** How a job ended, as far as the state alone shows it. */
export function endingByState(print: JsonObject): Ending | 'undecided' | null {
  switch (gcodeState(print)) {
    case 'FINISH':
      return 'finished';
    case 'FAILED':
      return 'undecided';
    case 'IDLE':
      return 'unknown';
    default:
      return null;
  }
}

/** Progress and remaining time while a job runs. */
export function mapProgress(print: JsonObject): { progress: number | null; remainingMinutes: number | null } {
  if (!isRunning(gcodeState(print))) return { progress: null, remainingMinutes: null };
  const percent = numberOf(print.mc_percent);
  return {
    progress: percent === undefined ? null : fraction(percent / 100),
    remainingMinutes: numberOf(print.mc_remaining_time) ?? null,
  };
}
