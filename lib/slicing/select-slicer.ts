import { BuiltInSlicer } from './built-in-slicer';
import { PrusaSlicer } from './prusa-slicer';
import { type Slicer, SlicingError } from './slicer';

/**
 * The best slicer that can be used here, and why it is this one: PrusaSlicer if it answers, else the built-in one if that
 * is allowed.
 *
 * @throws SlicingError when there is none
 */
export async function selectSlicer(options: {
  prusaSlicerPath?: string;
  allowBuiltIn: boolean;
}): Promise<{ slicer: Slicer; why: string }> {
  const prusaSlicer = new PrusaSlicer(options.prusaSlicerPath);
  const probe = await prusaSlicer.probe();
  if (probe.usable) return { slicer: prusaSlicer, why: `PrusaSlicer ${probe.version} is installed.` };
  if (options.allowBuiltIn) {
    return { slicer: new BuiltInSlicer(), why: `${probe.reason} The built-in slicer is used instead.` };
  }
  throw new SlicingError(
    `There is no slicer: ${probe.reason}`,
    'Install PrusaSlicer (Debian: apt-get install prusa-slicer) or set its path.',
    { retryable: true },
  );
}
