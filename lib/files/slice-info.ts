import type { FileFilament } from './analysis';
import type { Archive } from './archive';
import { parseXml } from './xml';

const mostPlates = 1000;
const mostFilaments = 64;

/** The information in `slice_info.config` about one sliced plate. */
export interface SliceInfo {
  /** Bambu's id of the printer model, such as `O1D`; null if not stated. */
  printerModel: string | null;
  /** null: not stated. */
  seconds: number | null;
  grams: number | null;
  /** mm, by tool; empty if not stated. */
  nozzleDiameters: number[];
  filaments: FileFilament[];
}

interface PlateBlock {
  metadata: Map<string, string>;
  filaments: Record<string, string>[];
}

/**
 * Reads `slice_info.config`: each plate by its number. A single plate without a number has the number 0.
 *
 * On a printer with two nozzles the file counts from the left (`filament_maps` 1 is the left one, `nozzle_diameters`
 * start with it), tools count from the right.
 *
 * @throws UnreadableFileError
 */
export async function readSliceInfo(archive: Archive): Promise<Map<number, SliceInfo>> {
  const text = (await archive.text('Metadata/slice_info.config')) ?? '';
  const plates = new Map<number, SliceInfo>();
  if (text.trim() === '') return plates;
  let block: PlateBlock | undefined;
  await parseXml(
    [text],
    ({ name, attributes }) => {
      if (name === 'plate') block = { metadata: new Map(), filaments: [] };
      if (name === 'metadata') block?.metadata.set(attributes['key'] ?? '', attributes['value'] ?? '');
      if (name === 'filament' && (block?.filaments.length ?? 0) < mostFilaments) block?.filaments.push(attributes);
    },
    ({ name }) => {
      if (name !== 'plate' || !block) return;
      const number = Number(block.metadata.get('index') ?? 0);
      if (Number.isInteger(number) && plates.size < mostPlates) plates.set(number, infoOf(block));
      block = undefined;
    },
  );
  return plates;
}

function infoOf({ metadata, filaments }: PlateBlock): SliceInfo {
  const fromLeft = numbersOf(metadata.get('nozzle_diameters'));
  const sides = numbersOf(metadata.get('filament_maps'));
  return {
    printerModel: shortText(metadata.get('printer_model_id')),
    seconds: positive(metadata.get('prediction')),
    grams: positive(metadata.get('weight')),
    nozzleDiameters: fromLeft.reverse(),
    filaments: filaments
      .flatMap((attributes) => {
        const filament = Number(attributes['id']);
        if (!Number.isInteger(filament) || filament < 1 || filament > mostFilaments) return [];
        const side = sides[filament - 1] ?? (sides.length === 1 ? sides[0] : undefined);
        return {
          filament,
          tool: toolOf(side, fromLeft.length),
          type: shortText(attributes['type']),
          colourHex: colourOf(attributes['color']),
          grams: positive(attributes['used_g']),
        };
      })
      .sort((a, b) => a.filament - b.filament),
  };
}

function toolOf(side: number | undefined, nozzles: number): number | null {
  if (nozzles === 1) return 0;
  if (nozzles !== 2) return null;
  return side === 1 ? 1 : side === 2 ? 0 : null;
}

/** RRGGBB of a colour that may have a leading `#` and a trailing opacity. */
export const colourOf = (text: string | undefined): string | null =>
  /^#?([0-9a-f]{6})(?:[0-9a-f]{2})?$/i.exec(text ?? '')?.[1]?.toUpperCase() ?? null;

const shortText = (text: string | undefined) => (text !== undefined && /^.{1,80}$/u.test(text) ? text : null);

const positive = (text: string | undefined) => (Number(text) > 0 && Number(text) < 1e9 ? Number(text) : null);

const numbersOf = (text: string | undefined) =>
  (text ?? '')
    .slice(0, 1000)
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map(Number)
    .filter((value) => Number.isFinite(value) && value > 0);
