import { PlatewiseError } from '../model/errors';
import type { FileAnalysis, FileKind, PlateAnalysis } from './analysis';

/** The plate of a file is not determined; the message and the remedy list the available plates. */
export class PlateChoiceError extends PlatewiseError {
  constructor(
    message: string,
    remedy: string,
    /** The available plates. */
    readonly plates: readonly Pick<PlateAnalysis, 'plate' | 'name'>[],
  ) {
    super(message, { code: 'bad_plate', remedy });
  }
}

/**
 * The analysis of a file with plates: the figures of the first, and all of them if there are several. The warnings of a
 * file with several plates name their plate.
 *
 * @param plates at least one
 * @param common warnings for the whole file
 */
export function severalPlates(
  kind: FileKind,
  sizeBytes: number,
  plates: readonly PlateAnalysis[],
  common: readonly string[],
): FileAnalysis {
  const [first] = plates;
  if (!first) throw new Error('a file with plates has at least one');
  const several = plates.length > 1;
  return {
    kind,
    sizeBytes,
    ...figuresOf(first),
    warnings: [
      ...common,
      ...plates.flatMap(({ plate, warnings }) =>
        several ? warnings.map((text) => `Plate ${plate}: ${text}`) : warnings,
      ),
    ],
    plate: first.plate,
    ...(several && { plates: plates.map((plate) => ({ ...plate, warnings: [...common, ...plate.warnings] })) }),
  };
}

/**
 * The analysis of one plate alone: of the only one, or of the one selected by its number or its name (case
 * insensitive). For a file without plates its own, if none is selected. Idempotent.
 *
 * @throws PlateChoiceError if there are several and none is selected, or the selected one does not exist
 */
export function plateOf(analysis: FileAnalysis, wanted: number | string | undefined): FileAnalysis {
  const { plates, ...rest } = analysis;
  if (plates === undefined) {
    if (wanted === undefined || isNumber(wanted, analysis.plate)) return analysis;
    if (analysis.plate === undefined) {
      throw new PlateChoiceError(`plate: the file has no plates, ${quoted(wanted)} is named.`, 'Name no plate.', []);
    }
    const only = { plate: analysis.plate, name: null };
    throw new PlateChoiceError(
      `plate: the file has no plate ${quoted(wanted)}, only ${listed([only])}.`,
      `Name plate ${only.plate}, or none.`,
      [only],
    );
  }
  const remedy = `Name one of them as plate: ${listed(plates)}.`;
  if (wanted === undefined) {
    throw new PlateChoiceError(`plate: the file has ${plates.length} plates, and none is named.`, remedy, plates);
  }
  const found =
    plates.find(({ name }) => typeof wanted === 'string' && name !== null && sameName(name, wanted)) ??
    plates.find(({ plate }) => isNumber(wanted, plate));
  if (!found) throw new PlateChoiceError(`plate: the file has no plate ${quoted(wanted)}.`, remedy, plates);
  return { ...withoutFigures(rest), ...figuresOf(found), warnings: found.warnings, plate: found.plate };
}

type Figures = Omit<PlateAnalysis, 'plate' | 'name' | 'picture' | 'warnings'>;

function figuresOf({ plate: _plate, name: _name, picture: _picture, warnings: _warnings, ...figures }: PlateAnalysis) {
  return figures satisfies Figures;
}

/** Without fields that another plate may not have. */
function withoutFigures({
  print: _print,
  surfaceMm2: _surface,
  watertight: _watertight,
  ...rest
}: Omit<FileAnalysis, 'plates'>) {
  return rest;
}

const isNumber = (wanted: number | string, plate: number | undefined) =>
  plate !== undefined && String(wanted).trim() === String(plate);

const sameName = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase();

const quoted = (wanted: number | string) => (typeof wanted === 'number' ? `${wanted}` : `"${wanted.slice(0, 100)}"`);

const listed = (plates: readonly Pick<PlateAnalysis, 'plate' | 'name'>[]) =>
  plates.map(({ plate, name }) => (name === null ? `${plate}` : `${plate} ("${name}")`)).join(', ');
