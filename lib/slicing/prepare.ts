import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { analyseFile, drawModel, placeModel } from '../files/analyse-file';
import type { FileAnalysis, GcodeAnalysis, ProjectDemands } from '../files/analysis';
import type { Bounds } from '../files/bounds';
import { slicedFacts } from '../files/facts';
import { plateOf } from '../files/plates';
import { modelReasons, remarks } from '../fit/sliced';
import type { PrintDemands } from '../fit/subject';
import { makeTraits, takesArchives } from '../makes/traits';
import { asError } from '../model/errors';
import { atMost, longestPrintSeconds, mostGrams } from '../model/limits';
import { gramsOfFilament, type Material } from '../model/material';
import type { PrintSettings, RetrySettings } from '../model/settings';
import { checkPrint, UnprintableFileError } from './check-print';
import type { SlicingSettings } from './defaults';
import { notHonoured } from './honoured';
import { type Pack, packPrint } from './pack';
import { type PlacedModel, placeOnBed } from './placement';
import { type Slicer, SlicingError, type SlicingMachine } from './slicer';
import { slicerTurns } from './turns';

export interface PrepareInput {
  sourcePath: string;
  /** The stored analysis of the source; absent: it is read now. */
  analysis?: FileAnalysis;
  /** The number or name of the plate; needed where the file has several. */
  plate?: number | string;
  machine: SlicingMachine;
  material: Material;
  settings: SlicingSettings;
  quality: string;
  /** What `settings` were resolved from. */
  asked?: PrintSettings;
  retry?: RetrySettings;
  /** A folder of the caller; the result is written there, everything else is removed from it. */
  workDirectory: string;
  /** For a simulator, or with the owner's permission: files that no proven slicer has made for this machine. */
  allowUntrusted: boolean;
  /** Whether the submitter confirms a sliced file that names no machine. */
  acceptUnknownMachine: boolean;
  slicer: Slicer;
  /** How the machine's make has plain G-code packed. */
  pack: Pack;
}

export interface PrepareOptions {
  signal: AbortSignal;
  progress?: (fraction: number) => void;
  /** Whether it can wait: it then slices only while no other slicing wants its place, else it fails as busy. */
  background?: boolean;
}

/** A file that is ready for its machine. */
export interface PreparedPrint {
  /** In the work directory; the caller stores it. */
  path: string;
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
  /** Lower-case hex. */
  md5: string;
  /** Lines of G-code. */
  lines: number;
  estimatedSeconds: number;
  filamentMm: number;
  filamentGrams: number;
  layers: number;
  slicerName: string;
  warnings: string[];
}

/**
 * Makes of a model or an already sliced file the file that a machine takes: places the model in the middle of the bed
 * (turned by 90° if only that fits), slices it, checks the G-code against the machine, and packs it in the form of the
 * make (`packPrint`).
 *
 * No G-code that extrudes outside of the build volume is ever returned. The result appears in the work directory as a
 * whole or not at all.
 *
 * @throws UnreadableFileError the source is no sound file
 * @throws PlateChoiceError it has several plates and none, or another one, is named
 * @throws SlicingError it does not fit or cannot be sliced
 * @throws UnprintableFileError the G-code must not go to this machine
 */
export async function preparePrintFile(input: PrepareInput, options: PrepareOptions): Promise<PreparedPrint> {
  options.signal.throwIfAborted();
  await mkdir(input.workDirectory, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(join(input.workDirectory, '.prepare-'));
  try {
    const whole = input.analysis ?? (await analyseFile(input.sourcePath, { signal: options.signal }));
    const source = plateOf(whole, input.plate);
    const sliced = source.print
      ? useSliced(input, source, source.print)
      : await sliceModel(input, source, scratch, options);
    const facts = slicedFacts(sliced.analysis);
    const demands: PrintDemands = {
      facts: { sliced: facts, volumes: [] },
      material: input.material,
      acceptUnknownMachine: input.acceptUnknownMachine,
    };
    checkPrint(facts, input.machine, demands, source.print ? 'uploaded' : 'sliced here', sliced.form);
    const warnings = [...source.warnings, ...sliced.warnings, ...(source.print ? remarks(facts, demands) : [])];
    options.signal.throwIfAborted();
    const figures = figuresOf(sliced.analysis, input.material);
    const packed = await packPrint(
      {
        ...sliced,
        ...figures,
        machine: input.machine,
        material: input.material,
        layerHeight: input.settings.layerHeight,
      },
      scratch,
      input.pack,
    );
    const sums = await checksums(packed.path);
    options.signal.throwIfAborted();
    const path = join(input.workDirectory, `${randomUUID()}${packed.extension}`);
    await rename(packed.path, path);
    options.progress?.(1);
    return {
      path,
      ...sums,
      ...figures,
      lines: packed.lines,
      filamentMm: sliced.analysis.filamentMm,
      layers: sliced.analysis.layers,
      slicerName: sliced.slicerName,
      warnings,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Sliced {
  path: string;
  form: 'gcode' | 'gcode_3mf';
  analysis: GcodeAnalysis;
  slicerName: string;
  pictures: { path: string; size: number }[];
  warnings: string[];
}

function useSliced(input: PrepareInput, source: FileAnalysis, analysis: GcodeAnalysis): Sliced {
  const { make, printerId } = input.machine;
  const form = source.kind === 'gcode_3mf' ? 'gcode_3mf' : 'gcode';
  if (form === 'gcode_3mf' && !takesArchives(make)) {
    throw new UnprintableFileError(
      `${printerId} cannot print a .gcode.3mf; it was sliced for a Bambu.`,
      'Submit the model itself (STL or 3MF), or G-code that was sliced for this printer.',
    );
  }
  if (form === 'gcode' && takesArchives(make)) refuseUntrusted(input, 'G-code that is wrapped for it by Platewise');
  return {
    path: input.sourcePath,
    form,
    analysis,
    slicerName: analysis.slicer ?? 'unknown',
    pictures: [],
    warnings: [],
  };
}

async function sliceModel(
  input: PrepareInput,
  source: FileAnalysis,
  scratch: string,
  options: PrepareOptions,
): Promise<Sliced> {
  const { slicer, machine, settings } = input;
  if (takesArchives(machine.make) && !slicer.makesArchives) {
    refuseUntrusted(input, 'G-code that is wrapped for it by Platewise');
  }
  if (!slicer.trusted) refuseUntrusted(input, `the output of the ${slicer.name} slicer`);
  refuseVolumes(slicer, source);
  const { layerHeight, firstLayerHeight } = settings;
  if (source.dimensions.z < firstLayerHeight / 2) {
    throw new SlicingError(
      `The model is ${source.dimensions.z.toPrecision(2)} mm high, less than one layer of ${firstLayerHeight} mm.`,
      'Scale the model (was it drawn in metres or inches?) and export it again.',
    );
  }
  const placement = placeOnBed(source.bounds, machine, {
    width: settings.brimWidth,
    asked: input.asked?.brim !== undefined,
  });
  const slice = (signal: AbortSignal) => runSlicer(input, source, placement, scratch, { ...options, signal });
  const sliced = options.background
    ? await slicerTurns.takeIdle(slice, options.signal)
    : await slicerTurns.take(() => slice(options.signal), options.signal);
  const { print } = await analyseFile(sliced.path, { signal: options.signal }).catch((error) => {
    if (options.signal.aborted) throw error;
    throw new SlicingError(
      `${slicer.name} made no sound G-code: ${asError(error).message}`,
      'Submit the model again.',
      {
        cause: error,
      },
    );
  });
  if (!print) throw new SlicingError(`${slicer.name} made no G-code.`, 'Submit the model again.');
  if (sliced.form === 'gcode_3mf') {
    const target = { name: machine.printerId, make: machine.make, capabilities: machine.capabilities };
    const others = modelReasons(slicedFacts(print), target, false);
    if (others.length > 0) throw UnprintableFileError.because(others);
  }
  // the part must be there to its top, not only begun
  if (print.extrudingMoves > 0 && print.bounds.max.z < source.dimensions.z - 2 * layerHeight) {
    throw new SlicingError(
      `The G-code ends at ${print.bounds.max.z.toFixed(1)} mm of a part ${source.dimensions.z.toFixed(1)} mm high.`,
      'Thicken what is thinner than a line, or repair the model.',
    );
  }
  const analysis = { ...print, slicerSeconds: print.slicerSeconds ?? sliced.estimatedSeconds };
  return { ...sliced, analysis, slicerName: slicer.name };
}

/** Places the model, draws it, and slices it. */
async function runSlicer(
  { slicer, machine, material, settings, quality, asked, retry, sourcePath }: PrepareInput,
  source: FileAnalysis,
  placement: PlacedModel,
  scratch: string,
  options: PrepareOptions,
): Promise<Omit<Sliced, 'analysis' | 'slicerName'> & { estimatedSeconds: number | null }> {
  const volumes = source.project?.volumes.length ? slicer.volumes : undefined;
  const modelPath = join(scratch, volumes ? 'model.3mf' : 'model.stl');
  const path = join(scratch, 'sliced');
  await placeModel(sourcePath, modelPath, placement, {
    signal: options.signal,
    ...(source.plate !== undefined && { plate: source.plate }),
    ...(volumes && { volumes }),
  });
  const pictures = makeTraits[machine.make].pictureSizes.map((size) => ({
    size,
    path: join(scratch, `picture-${size}.png`),
  }));
  await drawModel(modelPath, pictures, { signal: options.signal });
  const { warnings, estimatedSeconds, form } = await slicer.slice(
    {
      modelPath,
      outputPath: path,
      machine,
      material,
      settings: { ...settings, brimWidth: placement.brimWidth },
      quality,
      ...(asked && { asked }),
      ...(retry && { retry }),
      skirt: placement.skirt,
      bounds: placedBounds(source.bounds, placement),
    },
    { signal: options.signal, progress: (fraction) => options.progress?.(Math.min(0.95, fraction * 0.95)) },
  );
  warnings.push(...notHonoured(slicer, asked ?? {}));
  return { path, pictures, warnings, estimatedSeconds, form: form ?? 'gcode' };
}

const volumeNames: Readonly<Record<ProjectDemands['volumes'][number], string>> = {
  modifier: 'modifiers',
  negative: 'negative volumes',
  support_blocker: 'support blockers',
  support_enforcer: 'support enforcers',
};

/** A slicer without volumes would print another part than the one that was drawn. */
function refuseVolumes(slicer: Slicer, { project }: FileAnalysis): void {
  if (!project || project.volumes.length === 0 || slicer.volumes) return;
  throw new SlicingError(
    `The project has ${project.volumes.map((volume) => volumeNames[volume]).join(' and ')}, which the ${slicer.name} slicer cannot do.`,
    'Install PrusaSlicer (for a Bambu: OrcaSlicer or Bambu Studio), or export the finished part as one mesh without them.',
  );
}

function placedBounds({ min, max }: Bounds, { rotationZ, translation }: PlacedModel): Bounds {
  const [left, right] = rotationZ === 0 ? [min.x, max.x] : [-max.y, -min.y];
  const [front, back] = rotationZ === 0 ? [min.y, max.y] : [min.x, max.x];
  return {
    min: { x: left + translation.x, y: front + translation.y, z: min.z + translation.z },
    max: { x: right + translation.x, y: back + translation.y, z: max.z + translation.z },
  };
}

function refuseUntrusted(input: PrepareInput, what: string): void {
  if (input.allowUntrusted) return;
  const remedy =
    makeTraits[input.machine.make].untrustedRemedy?.prepared ??
    'Install PrusaSlicer, or permit untrusted files for this printer.';
  throw new UnprintableFileError(`${input.machine.printerId} is not sent ${what}.`, remedy);
}

interface Figures {
  estimatedSeconds: number;
  filamentGrams: number;
}

function figuresOf(analysis: GcodeAnalysis, material: Material): Figures {
  const bySlicer = analysis.slicerSeconds ?? 0;
  const plausible = bySlicer > 0 && bySlicer < longestPrintSeconds && bySlicer > analysis.simulatedSeconds / 10;
  const seconds = plausible ? bySlicer : analysis.simulatedSeconds;
  return {
    estimatedSeconds: atMost(longestPrintSeconds, Math.max(1, seconds)),
    filamentGrams: atMost(mostGrams, gramsOfFilament(analysis.filamentMm, material)),
  };
}

/** Brings a file to the disk and sums it up. */
async function checksums(path: string): Promise<{ size: number; sha256: string; md5: string }> {
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    sha256.update(bytes);
    md5.update(bytes);
  }
  return { size, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}
