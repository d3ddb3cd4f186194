import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { honoursAll } from './honoured';
import { prusaProfile } from './prusa-profile';
import { type Ending, executable, lastLine, moveFile, probeProgram, type RunOptions, run } from './run-program';
import { type SliceRequest, type SliceResult, type Slicer, SlicingError } from './slicer';

/** The external PrusaSlicer (2.5 or newer), run as a separate process for each model. */
export class PrusaSlicer implements Slicer {
  readonly name = 'prusa-slicer';
  readonly trusted = true;
  readonly volumes = 'prusa';
  readonly honours = honoursAll;
  private readonly timeLimitMs: number;

  /** `command` is a path or a name on PATH. */
  constructor(
    private readonly command = 'prusa-slicer',
    options: { timeLimitMs?: number } = {},
  ) {
    this.timeLimitMs = options.timeLimitMs ?? 30 * 60_000;
  }

  probe(): Promise<{ usable: true; version: string } | { usable: false; reason: string }> {
    return probeProgram(this.command, { name: 'PrusaSlicer', version: /PrusaSlicer-(\d+\.\d+[\w.+-]*)/ });
  }

  async slice(
    request: SliceRequest,
    options: { signal: AbortSignal; progress(fraction: number): void },
  ): Promise<SliceResult> {
    const path = await executable(this.command);
    if (path === undefined) {
      throw new SlicingError(`${this.command} is not installed.`, 'Install PrusaSlicer or set its path.', {
        retryable: true,
      });
    }
    const directory = await mkdtemp(join(tmpdir(), 'platewise-slice-'));
    try {
      const profile = join(directory, 'print.ini');
      const output = join(directory, 'print.gcode');
      await writeFile(profile, prusaProfile(request));
      const slicerArguments = [
        '--datadir',
        directory,
        '--loglevel',
        '1',
        '--load',
        profile,
        '--dont-arrange',
        // what a negative volume takes away from below lies below the bed
        ...(request.modelPath.endsWith('.3mf') ? ['--no-ensure-on-bed'] : []),
        '--export-gcode',
        '-o',
        output,
        request.modelPath,
      ];
      const ending = await this.runSlicer(path, slicerArguments, options);
      await refuseFailure(ending, output);
      await moveFile(output, request.outputPath);
      options.progress(1);
      return { estimatedSeconds: null, warnings: warningsOf(ending.stdout) };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  private async runSlicer(
    path: string,
    slicerArguments: string[],
    options: { signal: AbortSignal; progress(fraction: number): void },
  ): Promise<Ending> {
    let furthest = 0;
    const runOptions: RunOptions = {
      signal: options.signal,
      timeLimitMs: this.timeLimitMs,
      line: (text) => {
        const percent = /^(\d{1,3}) => /.exec(text)?.[1];
        if (percent === undefined || Number(percent) <= furthest) return;
        furthest = Number(percent);
        options.progress(Math.min(furthest, 99) / 100);
      },
    };
    // through a pipe its progress would arrive only at the end
    const lineBuffered = await executable('stdbuf');
    const start = (all: string[]) =>
      lineBuffered === undefined ? run(path, all, runOptions) : run(lineBuffered, ['-oL', path, ...all], runOptions);
    // a profile that this version does not support must fail, not be replaced silently
    const ending = await start(['--config-compatibility', 'disable', ...slicerArguments]);
    if (/unknown option --config-compatibility/i.test(ending.stdout + ending.stderr)) return start(slicerArguments);
    return ending;
  }
}

async function refuseFailure(ending: Ending, output: string): Promise<void> {
  const lastWords = lastLine(ending.stderr) || lastLine(ending.stdout);
  if (ending.code === 134 || ending.signal === 'SIGABRT') {
    throw new SlicingError(
      `PrusaSlicer could not place the model${lastWords ? `: ${lastWords}` : ''}.`,
      'Use a printer with a larger bed, or make the model smaller.',
    );
  }
  if (ending.signal === 'SIGKILL' || ending.signal === 'SIGTERM' || ending.code === 137 || ending.code === 143) {
    throw new SlicingError(
      'PrusaSlicer was ended from outside, perhaps because memory ran out.',
      'Look at the memory of this machine; the model is sliced again.',
      { retryable: true },
    );
  }
  if (ending.signal !== null || (ending.code ?? 0) >= 128) {
    throw new SlicingError(
      `PrusaSlicer crashed on this model (${ending.signal ?? ending.code}).`,
      'Repair the model and submit it again.',
    );
  }
  if (ending.code !== 0) {
    const retryable = /disk full/i.test(ending.stderr);
    throw new SlicingError(
      `PrusaSlicer refused: ${lastWords || `it ended with code ${ending.code}`}`,
      retryable ? 'Free disk space.' : 'Correct the print settings or the model.',
      { retryable },
    );
  }
  const size = await stat(output).then(
    (file) => file.size,
    () => 0,
  );
  if (size === 0) {
    throw new SlicingError('PrusaSlicer ended without G-code.', 'Submit the model again.', { retryable: true });
  }
}

function warningsOf(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => /^print warning:/i.test(line))
    .map((line) => line.replace(/^print warning:\s*/i, '').trim())
    .filter((line) => line !== '');
}
