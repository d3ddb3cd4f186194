import { execFile } from 'node:child_process';
import { constants, openSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { takesArchives } from '../makes/traits';
import { honoursAll } from './honoured';
import { loadOrcaProfiles, overrideOrcaProfiles } from './orca-profile';
import { executable, lastLine, moveFile, probeProgram, run } from './run-program';
import { type SliceRequest, type SliceResult, type Slicer, SlicingError } from './slicer';

const endMark = 'platewise: no more';

/** What the exit codes of both programs mean; they end with the lowest byte of a negative number (BambuStudio.cpp). */
const refusals: Readonly<Record<number, { message: string; remedy: string; retryable?: boolean }>> = {
  254: { message: 'it does not know one of its arguments', remedy: 'Install a version of 2024 or newer.' },
  253: { message: 'a file is missing', remedy: 'Look at the profiles.' },
  251: { message: 'a profile cannot be read', remedy: 'Export the profiles from the slicer again.' },
  250: { message: 'it cannot read the model', remedy: 'Repair the model and submit it again.' },
  242: { message: 'memory ran out', remedy: 'Give this machine more memory.', retryable: true },
  240: { message: 'process and machine profile do not fit together', remedy: 'Export both for the same machine.' },
  239: { message: 'process and machine profile do not fit together', remedy: 'Export both for the same machine.' },
  206: { message: 'nothing stands on the plate', remedy: 'Make the model smaller, or choose a larger printer.' },
  205: { message: 'the settings contradict one another', remedy: 'Correct the print settings or the profiles.' },
  204: {
    message: 'the model stands partly outside of the bed',
    remedy: 'Make it smaller, or choose a larger printer.',
  },
  198: { message: 'it took too long', remedy: 'Simplify the model.' },
  156: { message: 'slicing failed', remedy: 'Repair the model and submit it again.' },
};

/**
 * OrcaSlicer or Bambu Studio, run as a separate process for each model: the only backends whose files a real H2D may
 * get. Their command lines are alike. Slices our placed model with flat profiles and takes the sliced archive.
 */
export class OrcaSlicer implements Slicer {
  readonly name = 'orca-slicer';
  readonly trusted = true;
  readonly makesArchives = true;
  readonly volumes = 'bambu';
  readonly honours = honoursAll;
  private readonly timeLimitMs: number;

  /**
   * @param command a path or a name on PATH, of either program
   * @param profileDirectory see `loadOrcaProfiles`
   */
  constructor(
    private readonly command: string,
    private readonly profileDirectory: string,
    options: { timeLimitMs?: number } = {},
  ) {
    this.timeLimitMs = options.timeLimitMs ?? 30 * 60_000;
  }

  probe(): Promise<{ usable: true; version: string } | { usable: false; reason: string }> {
    return probeProgram(this.command, {
      name: 'OrcaSlicer or Bambu Studio',
      version: /\b((?:OrcaSlicer|BambuStudio)[- ]v?\d[\w.+-]*)/,
    });
  }

  async slice(
    request: SliceRequest,
    options: { signal: AbortSignal; progress(fraction: number): void },
  ): Promise<SliceResult> {
    const path = await executable(this.command);
    if (path === undefined) {
      throw new SlicingError(
        `${this.command} is not installed.`,
        'Install OrcaSlicer or Bambu Studio, or set its path.',
        {
          retryable: true,
        },
      );
    }
    const { machine, material, quality, asked, retry } = request;
    const loaded = await loadOrcaProfiles(this.profileDirectory, { printerId: machine.printerId, material, quality });
    const profiles = overrideOrcaProfiles(loaded, asked ?? {}, retry ?? {});
    const directory = await mkdtemp(join(tmpdir(), 'platewise-slice-'));
    const progress = await progressPipe(directory, options.progress);
    try {
      const file = (name: string) => join(directory, name);
      for (const [name, profile] of Object.entries(profiles)) {
        await writeFile(file(`${name}.json`), JSON.stringify(profile));
      }
      const slicerArguments = [
        ...['--slice', '0', '--arrange', '0', '--orient', '0', '--debug', '2', '--allow-newer-file', '--min-save'],
        ...['--load-settings', `${file('machine.json')};${file('process.json')}`],
        ...['--load-filaments', file('filament.json')],
        ...['--outputdir', directory, '--export-3mf', 'print.gcode.3mf'],
        ...(progress ? ['--pipe', progress.path] : []),
        request.modelPath,
      ];
      const ending = await run(path, slicerArguments, {
        signal: options.signal,
        timeLimitMs: this.timeLimitMs,
        cwd: directory,
      });
      const result = await readResult(directory);
      refuseFailure(ending.code, ending.signal, result.error_string || lastLine(ending.stderr || ending.stdout));
      const archive = takesArchives(machine.make);
      const output = archive ? file('print.gcode.3mf') : file('plate_1.gcode');
      // it has been seen to report success and to write nothing
      const { size } = await stat(output).catch(() => ({ size: 0 }));
      if (size === 0) throw new SlicingError('The slicer ended without a print file.', 'Submit the model again.');
      await moveFile(output, request.outputPath);
      await progress?.drained();
      options.progress(1);
      return {
        estimatedSeconds: null,
        warnings: (result.sliced_plates ?? []).flatMap(({ warning_message }) => warning_message || []),
        form: archive ? 'gcode_3mf' : 'gcode',
      };
    } finally {
      progress?.close();
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** What both programs write beside their output on Linux. */
interface SlicerResult {
  error_string?: string;
  sliced_plates?: { warning_message?: string }[];
}

async function readResult(directory: string): Promise<SlicerResult> {
  try {
    return JSON.parse(await readFile(join(directory, 'result.json'), 'utf8')) as SlicerResult;
  } catch {
    return {}; // not every version writes one
  }
}

function refuseFailure(code: number | null, signal: NodeJS.Signals | null, words: string): void {
  if (code === 0) return;
  if (signal === 'SIGKILL' || signal === 'SIGTERM') {
    throw new SlicingError(
      'The slicer was ended from outside, perhaps because memory ran out.',
      'Look at the memory of this machine; the model is sliced again.',
      { retryable: true },
    );
  }
  const known = refusals[code ?? -1];
  const said = words === '' ? '' : ` (${words})`;
  if (known) {
    throw new SlicingError(`The slicer refused: ${known.message}${said}.`, known.remedy, {
      retryable: known.retryable ?? false,
    });
  }
  const crashed = signal !== null || (code ?? 0) === 134 || (code ?? 0) === 139;
  throw new SlicingError(
    crashed ? `The slicer crashed on this model (${signal ?? code})${said}.` : `The slicer ended with ${code}${said}.`,
    'Repair the model and submit it again.',
  );
}

/** A named pipe on which the slicer reports its progress; undefined where none can be made. */
async function progressPipe(
  directory: string,
  progress: (fraction: number) => void,
): Promise<{ path: string; drained(): Promise<void>; close(): void } | undefined> {
  const path = join(directory, 'progress');
  let file: number;
  try {
    await promisify(execFile)('mkfifo', [path]);
    // opened for both directions, so that neither this nor reading waits for the slicer to open its end
    file = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const socket = new Socket({ fd: file, readable: true, writable: false });
  let furthest = 0;
  let atEnd: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    atEnd = resolve;
  });
  socket.on('error', () => atEnd());
  createInterface({ input: socket }).on('line', (line) => {
    if (line === endMark) return atEnd();
    const percent = Number(/"total_percent"\s*:\s*(\d{1,3})/.exec(line)?.[1] ?? 0);
    if (percent <= furthest) return;
    furthest = percent;
    progress(Math.min(percent, 99) / 100);
  });
  return {
    path,
    // what the slicer wrote stands before our mark
    async drained() {
      writeSync(file, `\n${endMark}\n`);
      await end;
    },
    close: () => socket.destroy(),
  };
}
