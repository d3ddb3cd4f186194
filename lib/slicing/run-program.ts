import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants, copyFile, rename, rm } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { asError } from '../model/errors';
import { SlicingError } from './slicer';

/** How a program ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last 64 kB of each. */
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  signal?: AbortSignal;
  timeLimitMs: number;
  cwd?: string;
  /** Takes each line of the output as it comes. */
  line?: (text: string) => void;
}

const keptOutput = 64 * 1024;
const killAfterMs = 2000;
/** A program in its own process group is ended together with the processes that it has started. */
const ownGroup = process.platform !== 'win32';

/** The path of a program that may be run, or undefined. */
export async function executable(command: string): Promise<string | undefined> {
  const candidates =
    isAbsolute(command) || command.includes('/')
      ? [command]
      : (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, command));
  for (const path of candidates) {
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // look further
    }
  }
  return undefined;
}

/**
 * Whether a program can be run, and which version its help names.
 * @param program.name what it is taken for, in words
 * @param program.version finds the version in its help, as the first group
 */
export async function probeProgram(
  command: string,
  program: { name: string; version: RegExp },
): Promise<{ usable: true; version: string } | { usable: false; reason: string }> {
  const path = await executable(command);
  if (path === undefined) return { usable: false, reason: `${command} is not installed or not executable.` };
  try {
    const { stdout, stderr } = await run(path, ['--help'], { timeLimitMs: 20_000 });
    const version = program.version.exec(stdout + stderr)?.[1];
    return version === undefined
      ? { usable: false, reason: `${command} does not answer like ${program.name}.` }
      : { usable: true, version };
  } catch (error) {
    return { usable: false, reason: `${command} cannot be run: ${asError(error).message}` };
  }
}

/**
 * Runs a program to its end. Aborting or exceeding the time limit ends it with SIGTERM, and with SIGKILL if it does not
 * react.
 */
export function run(path: string, programArguments: string[], options: RunOptions): Promise<Ending> {
  const { signal, line } = options;
  if (signal?.aborted) return Promise.reject(asError(signal.reason));
  return new Promise((resolve, reject) => {
    const child = spawn(path, programArguments, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      detached: ownGroup,
    });
    let stdout = '';
    let stderr = '';
    let unfinished = '';
    let stopped: Error | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (reason: Error) => {
      stopped ??= reason;
      end(child, 'SIGTERM');
      killTimer ??= setTimeout(() => end(child, 'SIGKILL'), killAfterMs);
    };
    const abort = () => stop(asError(signal?.reason));
    const limit = setTimeout(() => {
      stop(
        new SlicingError(
          `Slicing took longer than ${limitText(options.timeLimitMs)}.`,
          'Simplify the model, or raise the time limit for slicing.',
        ),
      );
    }, options.timeLimitMs);
    signal?.addEventListener('abort', abort, { once: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-keptOutput);
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      for (const each of lines) line?.(each);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-keptOutput);
    });
    const settle = () => {
      clearTimeout(limit);
      clearTimeout(killTimer);
      signal?.removeEventListener('abort', abort);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, endSignal) => {
      settle();
      if (stopped) reject(stopped);
      else resolve({ code, signal: endSignal, stdout, stderr });
    });
  });
}

/** Renames, also from one file system to another. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const temporary = `${to}.tmp`;
    try {
      await copyFile(from, temporary);
      await rename(temporary, to);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

/** The last lines of a program's output that are not its log. */
export const lastLine = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('['))
    .at(-1) ?? '';

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (ownGroup && child.pid !== undefined) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // it has ended already
  }
}

const limitText = (ms: number) => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`);
