import { takesArchives } from '../makes/traits';
import type { Make } from '../model/printer';
import { BuiltInSlicer } from './built-in-slicer';
import { OrcaSlicer } from './orca-slicer';
import { PrusaSlicer } from './prusa-slicer';
import { type Slicer, SlicingError } from './slicer';

/** A slicer that can be used, with its version and why it is this one. */
export interface SelectedSlicer {
  slicer: Slicer;
  version: string;
  why: string;
}

export interface SlicerChoice {
  prusaSlicerPath?: string;
  /** Of OrcaSlicer or Bambu Studio. */
  orcaSlicerPath?: string;
  /** Where its profiles are. */
  orcaProfileDirectory?: string;
  allowBuiltIn: boolean;
}

/**
 * Selects the best available slicer for a make: OrcaSlicer or Bambu Studio if the make needs archives and one of them
 * is configured, otherwise PrusaSlicer if it runs, otherwise the built-in one if allowed.
 *
 * @throws SlicingError when there is none
 */
export async function selectSlicer(choice: SlicerChoice, make?: Make): Promise<SelectedSlicer> {
  const reasons: string[] = [];
  if (make !== undefined && takesArchives(make) && choice.orcaSlicerPath) {
    const slicer = new OrcaSlicer(choice.orcaSlicerPath, choice.orcaProfileDirectory ?? '');
    const probe = await slicer.probe();
    if (probe.usable) return { slicer, version: probe.version, why: `${probe.version} is configured.` };
    reasons.push(probe.reason);
  }
  const prusaSlicer = new PrusaSlicer(choice.prusaSlicerPath);
  const probe = await prusaSlicer.probe();
  if (probe.usable) {
    const why = [...reasons, `PrusaSlicer ${probe.version} is installed.`].join(' ');
    return { slicer: prusaSlicer, version: probe.version, why };
  }
  reasons.push(probe.reason);
  if (choice.allowBuiltIn) {
    const slicer = new BuiltInSlicer();
    return {
      slicer,
      version: slicer.version,
      why: [...reasons, 'The built-in slicer is used instead.'].join(' '),
    };
  }
  throw new SlicingError(
    `There is no slicer: ${reasons.join(' ')}`,
    'Install PrusaSlicer (Debian: apt-get install prusa-slicer) or set its path.',
    { retryable: true },
  );
}
