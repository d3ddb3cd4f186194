import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packForMake } from '../../lib/makes/registry';
import { asError } from '../../lib/model/errors';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { resolveSettings } from '../../lib/slicing/defaults';
import { preparePrintFile } from '../../lib/slicing/prepare';
import { printKey } from '../../lib/slicing/print-key';
import { defaultQuality, type SlicingProfile } from '../../lib/slicing/profile';
import { PrusaSlicer } from '../../lib/slicing/prusa-slicer';
import type { Slicer } from '../../lib/slicing/slicer';
import type { Case } from './cases';
import { type Drawn, drawnByKind } from './kinds';

/** The sliced figures of a case, as the farm records them, or why it cannot be sliced. */
export type Sliced = { seconds: number; grams: number; kinds: Record<string, Drawn> } | { refused: string };

/**
 * Slices cases, and caches the results under the hash of all inputs, so that a second run takes seconds.
 * Delete the folder when a slicer's own code has changed without its version.
 */
export class SlicedCases {
  private readonly slicers = { 'prusa-slicer': new PrusaSlicer(), 'built-in': new BuiltInSlicer() };
  private readonly versions = new Map<string, string>();

  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true });
  }

  async of(one: Case, profile: SlicingProfile): Promise<Sliced> {
    const slicer = this.slicers[one.slicer];
    const settings = resolveSettings(one.machine, one.material, one.asked, profile);
    const key = printKey({
      modelSha256: createHash('sha256').update(readFileSync(one.model)).digest('hex'),
      plate: null,
      machine: one.machine,
      material: one.material,
      settings,
      quality: one.asked.quality ?? defaultQuality,
      slicer: { name: slicer.name, version: await this.versionOf(one.slicer) },
      allowUntrusted: true,
    });
    const path = join(this.directory, `${key}.json`);
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Sliced;
    const workDirectory = mkdtempSync(join(tmpdir(), 'platewise-bench-'));
    let sliced: Sliced;
    let kinds: Record<string, Drawn> = {};
    const slice: Slicer['slice'] = async (request, options) => {
      const result = await slicer.slice(request, options);
      kinds = drawnByKind(readFileSync(request.outputPath, 'utf8'));
      return result;
    };
    const watched: Slicer = Object.assign(Object.create(slicer), { slice });
    try {
      const { estimatedSeconds, filamentGrams } = await preparePrintFile(
        {
          sourcePath: one.model,
          machine: one.machine,
          material: one.material,
          settings,
          asked: one.asked,
          quality: one.asked.quality ?? defaultQuality,
          workDirectory,
          allowUntrusted: true,
          acceptUnknownMachine: true,
          slicer: watched,
          pack: packForMake,
        },
        { signal: new AbortController().signal },
      );
      sliced = { seconds: estimatedSeconds, grams: filamentGrams, kinds };
    } catch (error) {
      sliced = { refused: asError(error).message };
    } finally {
      rmSync(workDirectory, { recursive: true, force: true });
    }
    writeFileSync(`${path}.tmp`, JSON.stringify(sliced));
    renameSync(`${path}.tmp`, path);
    return sliced;
  }

  private async versionOf(name: Case['slicer']): Promise<string> {
    const known = this.versions.get(name);
    if (known !== undefined) return known;
    const probe = await this.slicers[name].probe();
    if (!probe.usable) throw new Error(probe.reason);
    this.versions.set(name, probe.version);
    return probe.version;
  }
}
