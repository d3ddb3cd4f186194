import type { Area, PrinterCapabilities, Volume } from '../../model/printer';
import { type ModelSlot, type PrinterModel, type RefusedModel, unknownVolume, volumeTo } from '../model-table';

/** A Bambu Lab model that the driver supports. */
export interface BambuModel extends PrinterModel {
  /** Further tokens of the same model. */
  aliases: readonly string[];
  /**
   * The prefix of an uploaded file's name in the `url` of a start. Uploads go into the root of the file server, which
   * all models have: the stick of the newer generation, the card of the older one.
   */
  storageUrl: string;
  /** The prefix of this model's serial numbers, if known. */
  serialPrefix?: string;
  /** The common name of the authority that signs this model's certificates, if known. */
  certificateIssuer?: string;
}

/** A Bambu Lab model that is not supported, and the reason. */
interface RefusedBambu extends RefusedModel {
  aliases: readonly string[];
  serialPrefix?: string;
}

const stick = 'ftp:///';
const cardOfX1 = 'file:///mnt/sdcard/';
const card = 'file:///sdcard/';

const amsTrays: readonly ModelSlot[] = [0, 1, 2, 3].map((tray) => ({ slot: `ams0-${tray}`, tool: 0 }));
/** The area where an X1 or P1 cuts filament: no part may be in that corner. */
const cutterCorner: Area = { min: { x: 0, y: 0 }, max: { x: 18, y: 28 } };
const enclosed = ['PLA', 'PETG', 'ABS', 'ASA', 'TPU', 'PA-CF'];
const open = ['PLA', 'PETG', 'TPU'];

/** From corner to corner, mm. */
const box = (x1: number, x2: number, y: number, z: number): Volume => ({
  min: { x: x1, y: 0, z: 0 },
  max: { x: x2, y, z },
});

type Told = Pick<BambuModel, 'token' | 'name' | 'storageUrl'> &
  Partial<Pick<BambuModel, 'aliases' | 'serialPrefix' | 'certificateIssuer'>>;

function model(
  told: Told,
  capabilities: Pick<
    PrinterCapabilities,
    'buildVolume' | 'maxNozzleTemperature' | 'maxBedTemperature' | 'materialTypes' | 'usdPerHour'
  > &
    Partial<PrinterCapabilities>,
): BambuModel {
  const aliases = told.aliases ?? [];
  return {
    ...told,
    aliases,
    slots: amsTrays,
    capabilities: {
      nozzleDiameters: [0.4],
      model: told.token,
      acceptsModels: [told.name, told.token, ...aliases],
      speedFactor: 1,
      ...capabilities,
    },
  };
}

/** Nozzle 0 is the right one, nozzle 1 the left one: the H2D and the H2D Pro reach the same. */
const h2d = {
  buildVolume: box(25, 350, 320, 325),
  multiNozzleVolume: box(25, 325, 320, 320),
  toolVolumes: [box(25, 350, 320, 325), box(0, 325, 320, 320)],
  nozzleDiameters: [0.4, 0.4],
  maxNozzleTemperature: 350,
  maxBedTemperature: 120,
  maxChamberTemperature: 65,
  materialTypes: enclosed,
};
const cubeOf256 = { buildVolume: volumeTo(256, 256, 256), maxNozzleTemperature: 300 };
const x1AndP1 = { buildVolume: volumeTo(256, 256, 250), maxNozzleTemperature: 300, bedExclusions: [cutterCorner] };

/**
 * The models that the driver supports.
 *
 * Volumes, reach of each nozzle, excluded areas, temperatures and the beginnings of serial numbers are those of Bambu
 * Studio's `resources/printers/<token>.json` and `resources/profiles/BBL/machine/`; the profiles list the left extruder
 * first and map it to the physical extruder 1. Its `wrapping_exclude_area` concerns a detection that is switched off by
 * default, and `head_wrap_detect_zone` a warning: neither forbids a part. The issuer of the X2D's certificates was
 * reported from machines.
 */
export const bambuModels: readonly BambuModel[] = [
  model({ token: 'O1D', name: 'Bambu Lab H2D', storageUrl: stick, serialPrefix: '094' }, { ...h2d, usdPerHour: 0.9 }),
  model({ token: 'O1E', aliases: ['O2D'], name: 'Bambu Lab H2D Pro', storageUrl: stick }, { ...h2d, usdPerHour: 1.2 }),
  model(
    { token: 'O1S', name: 'Bambu Lab H2S', storageUrl: stick, serialPrefix: '093' },
    {
      buildVolume: volumeTo(340, 320, 340),
      maxNozzleTemperature: 350,
      maxBedTemperature: 120,
      materialTypes: enclosed,
      usdPerHour: 0.7,
    },
  ),
  model(
    { token: 'N7', name: 'Bambu Lab P2S', storageUrl: stick },
    { ...cubeOf256, maxBedTemperature: 110, materialTypes: enclosed, usdPerHour: 0.5 },
  ),
  model(
    // It copies the file from the stick into its own memory, so removing the stick later stops nothing.
    {
      token: 'N6',
      name: 'Bambu Lab X2D',
      storageUrl: stick,
      serialPrefix: '20P',
      certificateIssuer: 'BBL Device CA N6-V2',
    },
    {
      buildVolume: volumeTo(256, 256, 256),
      multiNozzleVolume: box(20.5, 256, 256, 256),
      // The auxiliary nozzle, fed by a tube, is extruder 0; the main one is extruder 1.
      toolVolumes: [box(20.5, 256, 256, 256), box(0, 256, 256, 261)],
      nozzleDiameters: [0.4, 0.4],
      maxNozzleTemperature: 300,
      maxBedTemperature: 120,
      materialTypes: enclosed,
      usdPerHour: 0.7,
    },
  ),
  model(
    { token: 'BL-P001', aliases: ['3DPrinter-X1-Carbon'], name: 'Bambu Lab X1 Carbon', storageUrl: cardOfX1 },
    { ...x1AndP1, maxBedTemperature: 120, materialTypes: enclosed, usdPerHour: 0.6 },
  ),
  model(
    { token: 'BL-P002', aliases: ['3DPrinter-X1'], name: 'Bambu Lab X1', storageUrl: cardOfX1 },
    { ...x1AndP1, maxBedTemperature: 120, materialTypes: enclosed, usdPerHour: 0.55 },
  ),
  model(
    { token: 'C13', name: 'Bambu Lab X1E', storageUrl: cardOfX1 },
    { ...x1AndP1, maxNozzleTemperature: 320, maxBedTemperature: 120, materialTypes: enclosed, usdPerHour: 0.8 },
  ),
  model(
    { token: 'C11', name: 'Bambu Lab P1P', storageUrl: card },
    { ...x1AndP1, maxBedTemperature: 100, materialTypes: open, usdPerHour: 0.4 },
  ),
  model(
    { token: 'C12', name: 'Bambu Lab P1S', storageUrl: card },
    { ...x1AndP1, maxBedTemperature: 100, materialTypes: enclosed, usdPerHour: 0.45 },
  ),
  model(
    { token: 'N2S', name: 'Bambu Lab A1', storageUrl: card },
    { ...cubeOf256, maxBedTemperature: 100, materialTypes: open, usdPerHour: 0.35 },
  ),
  model(
    { token: 'N1', name: 'Bambu Lab A1 mini', storageUrl: card, serialPrefix: '030' },
    {
      buildVolume: volumeTo(180, 180, 180),
      maxNozzleTemperature: 300,
      maxBedTemperature: 80,
      materialTypes: open,
      usdPerHour: 0.3,
    },
  ),
];

/** Models that are known but not supported until the driver has been proved on a machine. */
export const refusedModels: readonly RefusedBambu[] = [
  {
    token: 'O1C2',
    aliases: ['O1C'],
    name: 'Bambu Lab H2C',
    reason:
      'It changes its nozzles from a rack: a start must name the nozzle, and a wrong one makes it print in the air. Platewise does not support this yet.',
  },
  {
    token: 'N9',
    aliases: ['A2L'],
    name: 'Bambu Lab A2L',
    serialPrefix: '26A',
    reason: 'It counts its AMS as unit 16, and how a start names that unit has not been proved yet.',
  },
];

/**
 * The table's verdict on a machine: supported, not supported with the reason, or unknown because it reports no model.
 */
export type ModelVerdict =
  | { supported: true; model: BambuModel }
  | { supported: false; name: string; reason: string }
  | undefined;

/** The machine's own statements about its model; each is empty or missing if not reported. */
export interface ToldModel {
  /** The token of announcements and sliced files. */
  token?: string | undefined;
  /** The product name in its answer to `get_version`. */
  product?: string | undefined;
  serial?: string | undefined;
}

/** The model with this token, one of its further tokens, or this name; undefined if the table has none. */
export function bambuModel(word: string | undefined): BambuModel | undefined {
  return word === undefined || word === '' ? undefined : bambuModels.find((one) => isCalled(one, word));
}

/**
 * Judges the model that a machine reports. Its report takes precedence; the serial number is used only if there is
 * none, and only to recognise an unsupported model, because an H2S may begin like an H2D.
 */
export function judgeModel({ token = '', product = '', serial = '' }: ToldModel): ModelVerdict {
  const word = product || token;
  if (word !== '') {
    const known = bambuModel(word);
    if (known) return { supported: true, model: known };
    const refused = refusedModels.find((one) => isCalled(one, word));
    return { supported: false, name: refused?.name ?? word, reason: refused?.reason ?? notInTable(word) };
  }
  const byPrefix = refusedModels.find(
    ({ serialPrefix }) => serialPrefix !== undefined && serial.startsWith(serialPrefix),
  );
  return byPrefix && { supported: false, name: byPrefix.name, reason: byPrefix.reason };
}

function notInTable(word: string): string {
  return `"${word}" is not among the models that Platewise knows: ${bambuModels.map(({ name }) => name).join(', ')}.`;
}

function isCalled({ token, aliases, name }: Pick<RefusedBambu, 'token' | 'aliases' | 'name'>, word: string): boolean {
  const wanted = plain(word);
  return [token, ...aliases, name].some((one) => plain(one) === wanted);
}

/** `Bambu Lab X1-Carbon`, `BambuLab X1 Carbon` and `X1 Carbon` are the same. */
const plain = (word: string): string => {
  const letters = word.toLowerCase().replace(/[^a-z0-9]+/g, '');
  return letters.replace(/^bambulab(?=.)/, '');
};

/** For a machine of an unknown model, only the properties common to all models are assumed. */
export const anyBambu: PrinterModel = {
  token: '',
  name: 'Bambu Lab printer',
  capabilities: {
    buildVolume: unknownVolume,
    nozzleDiameters: [0.4],
    maxNozzleTemperature: 300,
    maxBedTemperature: 80,
    materialTypes: open,
    speedFactor: 1,
    usdPerHour: 0.5,
  },
  slots: amsTrays,
};

/** Returns the `url` of an uploaded file in a start; for an unknown model, the form that nearly all accept. */
export const fileUrl = (model: BambuModel | undefined, fileName: string): string =>
  `${model?.storageUrl ?? stick}${fileName}`;
