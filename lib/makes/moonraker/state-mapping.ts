import type {
  Ending,
  PrinterFault,
  PrinterJob,
  PrinterState,
  ReportedCapabilities,
  ReportedSlot,
  Temperature,
  ToolHead,
  Volume,
} from '../../model/printer';
import { fraction, isObject, type JsonObject, listOf, numberOf, objectOf, textOf } from '../values';
import { reasonOrItself, whyNotReady } from './reasons';

/** The printer objects by name, as last reported. */
export type PrinterObjects = JsonObject;

/** One job of Moonraker's history. */
export interface HistoryJob {
  jobId: string;
  fileName: string;
  status: string;
}

/** Reads a job of the history; undefined without a file name or a status. */
export function readHistoryJob(value: unknown): HistoryJob | undefined {
  if (!isObject(value)) return undefined;
  const fileName = textOf(value.filename);
  const status = textOf(value.status);
  return fileName === undefined || status === undefined
    ? undefined
    : { jobId: textOf(value.job_id) ?? '', fileName, status };
}

/** How a job of the history ended. Several words only mean that Moonraker lost track of it. */
export function historyEnding(status: string): Ending {
  switch (status) {
    case 'completed':
      return 'finished';
    case 'cancelled':
      return 'cancelled';
    case 'error':
    case 'klippy_shutdown':
    case 'klippy_disconnect':
      return 'failed';
    default:
      return 'unknown';
  }
}

/** No printer has this many objects or fields; a defective one that keeps sending new ones must not fill the memory. */
const mostFields = 2000;

/** Merges changed fields into the known objects. */
export function mergeObjects(known: PrinterObjects, update: unknown): PrinterObjects {
  const merged: PrinterObjects = { ...known };
  const changes = objectOf(update);
  for (const [name, fields] of Object.entries(changes)) {
    const before = merged[name];
    merged[name] = isObject(fields) && isObject(before) ? mergeObjects(before, fields) : fields;
  }
  return Object.keys(merged).length > mostFields ? changes : merged;
}

/** A snapshot of the printer. */
export interface MoonrakerState {
  /** `ready`, `startup`, `shutdown`, `error`, `disconnected`, `initializing`. */
  klippy: string;
  klippyMessage: string;
  objects: PrinterObjects;
  /** The newest job of the history. */
  lastJob: HistoryJob | undefined;
}

/** The state of the printer and its current or last job, in the terms of every make. */
export interface MappedState {
  state: PrinterState;
  job: PrinterJob | null;
  ending: Ending | null;
  message?: string;
  remedy?: string;
}

/** The printer objects' own state; it describes a job only while Klipper is ready. */
export function printState(objects: PrinterObjects): string {
  return textOf(objectOf(objects.print_stats).state) ?? '';
}

/** The file of the current or last print; empty if there is none. */
export function printFileName(objects: PrinterObjects): string {
  return textOf(objectOf(objects.print_stats).filename) ?? '';
}

/** Klipper's state, from the subscription and `server.info`; the worse of the two counts. */
export function klippyState(state: MoonrakerState): string {
  const told = textOf(objectOf(state.objects.webhooks).state);
  if (state.klippy !== 'ready') return state.klippy;
  return told === undefined || told === 'ready' ? 'ready' : told;
}

function klippyMessage(state: MoonrakerState): string {
  const { state: told, state_message: message } = objectOf(state.objects.webhooks);
  // While Klipper shuts down, its message may still be the one from the ready state.
  return (textOf(told) === 'ready' ? '' : textOf(message)) || state.klippyMessage;
}

/** Klipper's message, in our words if there are any. */
function told(message: string): Pick<MappedState, 'message' | 'remedy'> {
  const { words, remedy } = reasonOrItself(message);
  return { ...(words !== '' && { message: words }), ...(remedy !== undefined && { remedy }) };
}

/** The state of the machine, and its current or last job. */
export function mapState(state: MoonrakerState): MappedState {
  const klippy = klippyState(state);
  if (klippy !== 'ready') return mapNotReady(state, klippy);
  const fileName = printFileName(state.objects);
  const job = jobNamed(fileName, state);
  const withMessage = told(textOf(objectOf(state.objects.print_stats).message) ?? '');
  switch (printState(state.objects)) {
    case 'printing':
      return { state: isExtruding(state.objects) ? 'printing' : 'preparing', job, ending: null };
    case 'paused':
      return { state: 'paused', job, ending: null, ...withMessage };
    case 'complete':
      return { state: 'idle', ...ended(state, 'finished') };
    case 'cancelled':
      return { state: 'idle', ...ended(state, 'cancelled'), ...withMessage };
    case 'error':
      return { state: 'idle', ...ended(state, 'failed'), ...withMessage };
    case 'standby':
      return { state: 'idle', ...lastOfHistory(state) };
    default:
      return {
        state: 'unknown',
        job: fileName === '' ? null : job,
        ending: fileName === '' ? null : 'unknown',
        message: printState(state.objects),
      };
  }
}

/** An ending belongs to a job; without a name there is none to report. */
function ended(state: MoonrakerState, ending: Ending): Pick<MappedState, 'job' | 'ending'> {
  const fileName = printFileName(state.objects);
  return fileName === '' ? { job: null, ending: null } : { job: jobNamed(fileName, state), ending };
}

/** A job with its number in the history: the file of two prints may be the same, their number is not. */
export function jobNamed(fileName: string, { lastJob }: Pick<MoonrakerState, 'lastJob'>): PrinterJob {
  return { name: fileName, ...(lastJob?.fileName === fileName && lastJob.jobId !== '' && { recordId: lastJob.jobId }) };
}

/** Why a print ended that Klipper itself no longer remembers, by the status in Moonraker's history. */
const historyReasons: Readonly<Record<string, string>> = {
  error: 'Klipper reported an error',
  klippy_shutdown: 'Klipper shut down during the print',
  klippy_disconnect: 'Klipper stopped during the print',
};

function lastOfHistory(state: MoonrakerState): Pick<MappedState, 'job' | 'ending' | 'message'> {
  const last = state.lastJob;
  if (last === undefined) return { job: null, ending: null };
  const message = historyReasons[last.status];
  return {
    job: jobNamed(last.fileName, state),
    ending: historyEnding(last.status),
    ...(message !== undefined && { message }),
  };
}

/** After a shutdown the print state stays unchanged: a job that is shown as running or paused is lost. */
function mapNotReady(state: MoonrakerState, klippy: string): MappedState {
  const broken = klippy === 'error' || klippy === 'shutdown';
  const common = { state: broken ? ('fault' as const) : ('busy' as const), ...told(klippyMessage(state)) };
  const fileName = printFileName(state.objects);
  const print = printState(state.objects);
  if (klippy !== 'shutdown' || fileName === '' || print === 'standby' || print === '') {
    const last = lastOfHistory(state);
    // The history reports a moment later how a job that it still shows as running ended.
    return { ...common, job: last.job, ending: state.lastJob?.status === 'in_progress' ? null : last.ending };
  }
  const ending: Ending = print === 'complete' ? 'finished' : print === 'cancelled' ? 'cancelled' : 'failed';
  return { ...common, job: jobNamed(fileName, state), ending };
}

/** Heating and homing are inside the file: the print time counts only from the first extrusion. */
function isExtruding(objects: PrinterObjects): boolean {
  return (numberOf(objectOf(objects.print_stats).print_duration) ?? 0) > 0;
}

/** The position of the G-code in the file and its duration, from the file's metadata. */
export interface FileFacts {
  startByte?: number | undefined;
  endByte?: number | undefined;
  estimatedSeconds?: number | undefined;
}

/** The progress (0 to 1) by the position within the G-code, and the remaining minutes; null while nothing is printed. */
export function mapProgress(
  objects: PrinterObjects,
  facts: FileFacts,
): { progress: number | null; remainingMinutes: number | null } {
  const print = printState(objects);
  if (print !== 'printing' && print !== 'paused') return { progress: null, remainingMinutes: null };
  const card = objectOf(objects.virtual_sdcard);
  const position = numberOf(card.file_position);
  const { startByte, endByte, estimatedSeconds } = facts;
  const known = position !== undefined && startByte !== undefined && endByte !== undefined && endByte > startByte;
  const byBytes = known ? (position - startByte) / (endByte - startByte) : numberOf(card.progress);
  if (byBytes === undefined) return { progress: null, remainingMinutes: null };
  const progress = fraction(byBytes);
  const elapsed = numberOf(objectOf(objects.print_stats).print_duration) ?? 0;
  const seconds =
    estimatedSeconds !== undefined
      ? Math.max(0, estimatedSeconds * (1 - progress))
      : progress > 0.05
        ? elapsed * (1 / progress - 1)
        : undefined;
  return { progress, remainingMinutes: seconds === undefined ? null : seconds / 60 };
}

/** mm of filament that Klipper has counted for its job; after a restart it has none, and counts 0. */
export function mapFilament(objects: PrinterObjects): { filamentMm?: number } {
  const used = numberOf(objectOf(objects.print_stats).filament_used);
  return used === undefined || used < 0 || printFileName(objects) === '' ? {} : { filamentMm: used };
}

/** The current layer and the number of layers, if the slicer has written them into the file. */
export function mapLayers(objects: PrinterObjects): { layer?: number; layers?: number } {
  const info = objectOf(objectOf(objects.print_stats).info);
  const layer = numberOf(info.current_layer);
  const layers = numberOf(info.total_layer);
  return { ...(layer === undefined ? {} : { layer }), ...(layers === undefined ? {} : { layers }) };
}

/** The printer's objects to subscribe to. */
export function watchedObjects(available: readonly string[]): JsonObject {
  const always = ['webhooks', 'print_stats', 'virtual_sdcard'];
  const heaters = available.filter((name) => /^(extruder\d*|heater_bed|heater_generic .+)$/.test(name));
  const sensors = available.filter((name) => /^filament_(switch|motion)_sensor /.test(name));
  const watched: JsonObject = {};
  for (const name of always) watched[name] = null;
  for (const name of heaters) watched[name] = ['temperature', 'target'];
  for (const name of sensors) watched[name] = ['filament_detected', 'enabled'];
  if (available.includes('toolhead')) watched.toolhead = ['axis_maximum', 'axis_minimum'];
  return watched;
}

function heaterName(object: string): string {
  if (object === 'heater_bed') return 'bed';
  const extruder = /^extruder(\d*)$/.exec(object);
  if (extruder !== null) return `nozzle${extruder[1] ?? ''}`;
  return object.replace(/^heater_generic (heater_)?/, '');
}

/** The temperatures (°C) of all extruders, bed zones and other heaters. */
export function mapTemperatures(objects: PrinterObjects): Temperature[] {
  return Object.entries(objects).flatMap(([name, value]) => {
    if (!/^(extruder\d*|heater_bed|heater_generic .+)$/.test(name)) return [];
    const fields = objectOf(value);
    const current = numberOf(fields.temperature);
    return current === undefined ? [] : [{ name: heaterName(name), current, target: numberOf(fields.target) ?? 0 }];
  });
}

function filamentDetected(objects: PrinterObjects): boolean | null {
  let detected: boolean | null = null;
  for (const [name, value] of Object.entries(objects)) {
    if (!/^filament_(switch|motion)_sensor /.test(name)) continue;
    const fields = objectOf(value);
    if (fields.enabled === false || typeof fields.filament_detected !== 'boolean') continue;
    detected = (detected ?? true) && fields.filament_detected;
  }
  return detected;
}

/** One slot for each extruder. The filament sensors belong to the machine, not to one extruder. */
export function mapSlots(objects: PrinterObjects): ReportedSlot[] {
  const present = filamentDetected(objects);
  return extrudersOf(objects).map((slot) => ({ slot, tool: toolOfExtruder(slot), present }));
}

/** The extruders by their number; it is what `T` names them by. */
function extrudersOf(objects: PrinterObjects): string[] {
  const names = Object.keys(objects).filter((name) => /^extruder\d*$/.test(name));
  return names.sort((a, b) => toolOfExtruder(a) - toolOfExtruder(b));
}

const toolOfExtruder = (name: string): number => Number(name.slice('extruder'.length));

/** The extruders: a Giga may carry up to four heads, which all print the same. */
export function mapToolHead(state: MoonrakerState, configuration: JsonObject): ToolHead {
  const extruders = extrudersOf(state.objects);
  const ready = klippyState(state) === 'ready' && extruders.length > 0;
  return {
    kind: extruders.length === 0 ? 'none' : 'extruder',
    ready,
    nozzleDiameters: configuredNozzles(extruders, configuration),
  };
}

/** The sections of Klipper's configuration that define the machine's capabilities. */
export function usefulSettings(configfile: JsonObject): JsonObject {
  const sections = Object.entries(objectOf(configfile.settings)).filter(([name]) =>
    /^(extruder\d*|heater_bed|mcu)$/.test(name),
  );
  return Object.fromEntries(sections.slice(0, mostSections));
}

/** More extruders than any machine has. */
const mostSections = 32;

/** mm, by tool; empty unless all are reported. */
function configuredNozzles(extruders: readonly string[], configuration: JsonObject): number[] {
  const diameters = extruders.map((name) => numberOf(objectOf(configuration[name]).nozzle_diameter));
  return diameters.filter((diameter) => diameter !== undefined).length === extruders.length
    ? diameters.filter((diameter) => diameter !== undefined)
    : [];
}

/**
 * The machine's capabilities from Klipper's configuration. If extruders differ, the lowest value counts. The volume is
 * the travel of the axes; travel beside the bed does not count, unless the middle of the bed is the origin, as on a
 * delta.
 */
export function mapCapabilities(state: MoonrakerState, configuration: JsonObject): ReportedCapabilities {
  const extruders = extrudersOf(state.objects);
  const hottest = extruders.flatMap((name) => numberOf(objectOf(configuration[name]).max_temp) ?? []);
  const bed = numberOf(objectOf(configuration.heater_bed).max_temp);
  const nozzles = configuredNozzles(extruders, configuration);
  const buildVolume = reachOf(objectOf(state.objects.toolhead));
  return {
    ...(nozzles.length > 0 && { nozzleDiameters: nozzles }),
    ...(hottest.length > 0 && { maxNozzleTemperature: Math.min(...hottest) }),
    ...(bed !== undefined && { maxBedTemperature: bed }),
    ...(buildVolume && { buildVolume }),
  };
}

function reachOf(toolhead: JsonObject): Volume | undefined {
  const [x1, y1] = listOf(toolhead.axis_minimum).map(numberOf);
  const [x2, y2, z2] = listOf(toolhead.axis_maximum).map(numberOf);
  if (x1 === undefined || y1 === undefined || x2 === undefined || y2 === undefined || z2 === undefined)
    return undefined;
  const isCentred = x1 < -x2 / 2 && y1 < -y2 / 2;
  const from = (edge: number): number => (isCentred ? edge : Math.max(0, edge));
  return { min: { x: from(x1), y: from(y1), z: 0 }, max: { x: x2, y: y2, z: z2 } };
}

/** The reason why Klipper is not ready, as a fault; empty if it is ready. */
export function mapFaults(state: MoonrakerState): PrinterFault[] {
  const klippy = klippyState(state);
  if (klippy === 'ready') return [];
  const { words, remedy } = whyNotReady(klippy, klippyMessage(state));
  return [{ code: `klippy_${klippy}`, message: words, remedy, blocking: klippy === 'error' || klippy === 'shutdown' }];
}
