import type { ModelSlot } from '../../lib/makes/model-table';
import { type FieldError, MalformedInputError } from '../../lib/model/errors';
import type { Area, PrinterCapabilities, Volume } from '../../lib/model/printer';

type FieldValue = string | number | undefined;

/**
 * The fields of a printer's capabilities as the editor stores them; each may be empty or, in a flow of an earlier
 * version, missing.
 */
export interface CapabilityFields {
  /** The token of a model from the table. */
  model?: string;
  /** Build volume in mm; all three or none. */
  buildX?: string | number;
  buildY?: string | number;
  buildZ?: string | number;
  /**
   * Names of the slots, separated by commas; each with the tool that it feeds where the name does not imply it:
   * `ams1-0=1`.
   */
  slots?: string;
  /** Diameters of the nozzles by tool, mm, separated by commas. */
  nozzles?: string | number;
  /** Further diameters that an operator may mount, mm. */
  nozzleChoices?: string | number;
  /** °C */
  maxNozzleTemperature?: string | number;
  maxBedTemperature?: string | number;
  maxChamberTemperature?: string | number;
  /** Macros that any file may call, separated by commas. */
  allowedMacros?: string;
  /** Types of material, separated by commas. */
  materials?: string;
  /** The reach of each tool, mm: `x1,y1,z1-x2,y2,z2; …`. */
  toolVolumes?: string;
  /** Bed areas to keep free, mm: `x1,y1-x2,y2; …`; `none` if there are none although the model has some. */
  bedExclusions?: string;
  buildPlate?: string;
  /** Models whose sliced files are accepted, separated by commas. */
  acceptsModels?: string;
}

/** The capabilities that the owner has entered; fields left empty are missing. */
export interface GivenCapabilities {
  model?: string;
  capabilities: Partial<PrinterCapabilities>;
  slots?: ModelSlot[];
}

/** The plausible range of a value. */
const nozzleRange = [0.1, 3] as const;
const nozzleHeat = [150, 600] as const;
const bedHeat = [30, 250] as const;
const chamberHeat = [30, 200] as const;
const mostMacros = 200;
const macroPattern = /^(?![A-Za-z]\d)[A-Za-z_][A-Za-z0-9_]{0,39}$/;
const mostTools = 16;
const slotPattern = /^[A-Za-z0-9_.-]{1,20}$/;
const longestWord = 100;

/**
 * Reads the capabilities from the form of a printer.
 * @param toolOf the tool that a slot of this name feeds by default
 * @throws MalformedInputError naming every invalid field
 */
export function readCapabilities(fields: CapabilityFields, toolOf: (slot: string) => number): GivenCapabilities {
  const errors: FieldError[] = [];
  const read = <T>(
    field: keyof CapabilityFields,
    remedy: string,
    parse: (text: string) => T | undefined,
  ): T | undefined => {
    const text = textOf(fields[field]);
    if (text === '') return undefined;
    const value = parse(text);
    if (value === undefined) errors.push({ field, value: text, remedy });
    return value;
  };
  const within =
    ([least, most]: readonly [number, number]) =>
    (text: string): number | undefined => {
      const value = Number(text);
      return value >= least && value <= most ? value : undefined;
    };
  const diameters = (text: string): number[] | undefined => {
    const values = words(text).map(within(nozzleRange));
    return values.length > mostTools ? undefined : whole(values);
  };
  const nozzleWords = 'Give diameters in mm with a point, and commas between them, as 0.4, 0.6.';
  const given = {
    buildVolume: readBuildVolume(fields, errors),
    nozzleDiameters: read('nozzles', `${nozzleWords} The first is that of tool 0.`, diameters),
    nozzleChoices: read('nozzleChoices', nozzleWords, diameters),
    maxNozzleTemperature: read(
      'maxNozzleTemperature',
      `Give °C from ${nozzleHeat.join(' to ')}, or leave it empty.`,
      within(nozzleHeat),
    ),
    maxBedTemperature: read(
      'maxBedTemperature',
      `Give °C from ${bedHeat.join(' to ')}, or leave it empty.`,
      within(bedHeat),
    ),
    maxChamberTemperature: read(
      'maxChamberTemperature',
      `Give °C from ${chamberHeat.join(' to ')}, or leave it empty.`,
      within(chamberHeat),
    ),
    allowedMacros: read(
      'allowedMacros',
      'Give names of macros with commas between them, as LINE_PURGE, CLEAN_NOZZLE.',
      (text) => {
        const names = words(text).map((name) => name.toUpperCase());
        return names.length <= mostMacros && names.every((name) => macroPattern.test(name)) ? names : undefined;
      },
    ),
    materialTypes: read(
      'materials',
      'Give types of material with commas between them, as PLA, PETG, PA-CF.',
      (text) => {
        const types = words(text).map((type) => type.toUpperCase());
        return types.every((type) => /^[A-Z][A-Z0-9+-]{0,19}$/.test(type)) ? types : undefined;
      },
    ),
    toolVolumes: read(
      'toolVolumes',
      'Give two corners in mm for each tool, as 25,0,0-350,320,325; 0,0,0-325,320,320.',
      (text) => whole(parts(text).map(volumeOf)),
    ),
    bedExclusions: read(
      'bedExclusions',
      'Give two corners in mm for each, as 0,0-18,28; 153,235-216,256. Write none if nothing is to stay free.',
      (text) => (text.toLowerCase() === 'none' ? [] : whole(parts(text).map(areaOf))),
    ),
    buildPlate: read('buildPlate', `Give its name as slicers write it, of at most ${longestWord} characters.`, short),
    acceptsModels: read(
      'acceptsModels',
      `Give names of models with commas between them, each of at most ${longestWord} characters.`,
      (text) => whole(text.split(/[,\n]/).flatMap((name) => (name.trim() === '' ? [] : [short(name.trim())]))),
    ),
  };
  const slots = read(
    'slots',
    'Give names with commas between them, each once, with the number of its tool where it is not the first: ams0-0, ams1-0=1.',
    (text) => readSlots(text, toolOf),
  );
  const tools = given.nozzleDiameters?.length;
  const astray = slots?.find(({ tool }) => tools !== undefined && tool >= tools);
  if (astray && tools !== undefined) {
    const remedy = `There are ${tools} nozzles, of which the first is tool 0: name a tool below ${tools}, or another nozzle.`;
    errors.push({ field: 'slots', value: `${astray.slot}=${astray.tool}`, remedy });
  }
  if (errors.length > 0) {
    const named = errors.map(({ field, value, remedy }) => `${field} is "${value}". ${remedy}`);
    throw new MalformedInputError(`The printer is not described rightly. ${named.join(' ')}`, errors);
  }
  const model = textOf(fields.model);
  return {
    ...(model !== '' && { model }),
    capabilities: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(slots && slots.length > 0 && { slots }),
  };
}

const textOf = (value: FieldValue): string => (value === undefined || value === null ? '' : String(value).trim());

const words = (text: string): string[] => text.split(/[,;\s]+/).filter((word) => word !== '');
const parts = (text: string): string[] => text.split(';').filter((part) => part.trim() !== '');
const short = (text: string): string | undefined => (text.length <= longestWord ? text : undefined);

/** Returns a list whose entries are all valid; undefined if it is empty or any entry is invalid. */
function whole<T>(values: readonly (T | undefined)[]): T[] | undefined {
  const read = values.filter((value) => value !== undefined);
  return read.length === values.length && read.length > 0 ? read : undefined;
}

function readBuildVolume({ buildX, buildY, buildZ }: CapabilityFields, errors: FieldError[]): Volume | undefined {
  const edges = { buildX, buildY, buildZ };
  const given = Object.entries(edges).map(([field, value]) => ({ field, text: textOf(value) }));
  if (given.every(({ text }) => text === '')) return undefined;
  const bad = given.filter(({ text }) => !(Number(text) > 0));
  for (const { field, text } of bad) {
    errors.push({ field, value: text, remedy: 'Give width, depth and height in mm, each above 0, or none of them.' });
  }
  const [x = 0, y = 0, z = 0] = given.map(({ text }) => Number(text));
  return bad.length > 0 ? undefined : { min: { x: 0, y: 0, z: 0 }, max: { x, y, z } };
}

const number = String.raw`(-?\d+(?:\.\d+)?)`;
const twoCorners = (axes: number): RegExp => {
  const corner = Array(axes).fill(number).join(',');
  return new RegExp(`^${corner}-${corner}$`);
};
const [boxPattern, areaPattern] = [twoCorners(3), twoCorners(2)];

function numbersIn(text: string, pattern: RegExp): number[] | undefined {
  const found = pattern.exec(text.replace(/\s+/g, ''));
  return found === null ? undefined : found.slice(1).map(Number);
}

function volumeOf(text: string): Volume | undefined {
  const [x1 = 0, y1 = 0, z1 = 0, x2 = 0, y2 = 0, z2 = 0] = numbersIn(text, boxPattern) ?? [];
  return x2 > x1 && y2 > y1 && z2 > z1 ? { min: { x: x1, y: y1, z: z1 }, max: { x: x2, y: y2, z: z2 } } : undefined;
}

function areaOf(text: string): Area | undefined {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = numbersIn(text, areaPattern) ?? [];
  return x2 > x1 && y2 > y1 ? { min: { x: x1, y: y1 }, max: { x: x2, y: y2 } } : undefined;
}

function readSlots(text: string, toolOf: (slot: string) => number): ModelSlot[] | undefined {
  const slots = text.split(',').flatMap((part) => (part.trim() === '' ? [] : [readSlot(part.trim(), toolOf)]));
  const names = slots.map((one) => one?.slot);
  return new Set(names).size === names.length ? whole(slots) : undefined;
}

function readSlot(text: string, toolOf: (slot: string) => number): ModelSlot | undefined {
  const [slot = '', tool, ...rest] = text.split('=').map((part) => part.trim());
  if (!slotPattern.test(slot) || rest.length > 0) return undefined;
  if (tool === undefined) return { slot, tool: toolOf(slot) };
  return /^\d{1,2}$/.test(tool) && Number(tool) < mostTools ? { slot, tool: Number(tool) } : undefined;
}
