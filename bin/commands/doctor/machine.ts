import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Profiles } from '../../../lib/slicing/profile';
import { selectSlicer } from '../../../lib/slicing/select-slicer';
import { shippedProfiles } from '../../../lib/slicing/shipped-profiles';
import { type Check, failed, ok, warning, words } from './check';

const gigabyte = 1024 ** 3;

/** Node.js, the data directory, the slicer and its profiles. */
export async function checkMachine(dataDirectory: string, prusaSlicerPath: string | undefined): Promise<Check[]> {
  return [
    checkNode(),
    await checkDirectory(dataDirectory),
    await checkSlicer(prusaSlicerPath),
    await checkProfiles(dataDirectory),
  ];
}

function checkNode(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 20) return ok('Node.js', process.version);
  return failed('Node.js', `${process.version} is too old.`, 'Install Node.js 20 or newer.');
}

async function checkDirectory(directory: string): Promise<Check> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(directory);
    const free = (bavail * bsize) / gigabyte;
    if (free < 1) {
      return warning(
        'data directory',
        `${directory}: ${free.toFixed(1)} GB are free.`,
        'Make room: models and G-code are kept here.',
      );
    }
    return ok('data directory', `${directory}: ${free.toFixed(0)} GB are free.`);
  } catch (error) {
    return failed('data directory', words(error), 'Choose a directory that this user may write to (PLATEWISE_DATA).');
  }
}

async function checkProfiles(dataDirectory: string): Promise<Check> {
  const own = process.env['PLATEWISE_PROFILES'] || join(dataDirectory, 'profiles');
  const profiles = new Profiles([shippedProfiles(), own]);
  const [problem] = await profiles.problems();
  if (problem) return failed('slicing profiles', problem.message, problem.remedy);
  return ok('slicing profiles', `Known qualities: ${(await profiles.qualities()).join(', ')}.`);
}

async function checkSlicer(prusaSlicerPath: string | undefined): Promise<Check> {
  const { slicer, why } = await selectSlicer({
    ...(prusaSlicerPath !== undefined && { prusaSlicerPath }),
    allowBuiltIn: true,
  });
  if (slicer.name !== 'built-in') return ok('slicer', why);
  return warning(
    'slicer',
    why,
    'Install PrusaSlicer (Debian: apt install prusa-slicer), or submit sliced files: real printers get nothing from the built-in slicer unless their owner allows it.',
  );
}
