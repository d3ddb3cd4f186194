import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { AgentContext } from '../../farm/agent-context';
import { storedExtension } from '../../files/stored-extension';
import { packForMake } from '../../makes/registry';
import type { Job } from '../../model/job';
import type { Material } from '../../model/material';
import type { PrinterCapabilities } from '../../model/printer';
import { localCopy } from '../../shared-files/local-copy';
import { analysisOf } from '../../shared-files/model-analysis';
import { resolveSettings } from '../../slicing/defaults';
import { preparePrintFile } from '../../slicing/prepare';
import { printKey } from '../../slicing/print-key';
import { defaultQuality } from '../../slicing/profile';
import type { SlicingMachine } from '../../slicing/slicer';
import { findPrepared, forgetPrepared, type PreparedRow, storePrepared } from '../../store/prepared-prints';
import type { Printer } from '../../store/printers';
import { readSharedFile, shareFile } from '../../store/shared-files';

/** The dependencies for preparing a print file for a printer. */
export type PreparingContext = Pick<
  AgentContext,
  'database' | 'files' | 'sharesFiles' | 'slicer' | 'profiles' | 'workDirectory' | 'allowUntrusted'
>;

/**
 * Returns the print file of a job for a printer: the one prepared before from the same model, settings, profile, machine and
 * slicer version, or else a new one, which is kept for the next time.
 *
 * @throws the errors of `preparePrintFile`
 */
export async function preparedPrint(
  context: PreparingContext,
  job: Job,
  material: Material,
  printer: Pick<Printer, 'id' | 'make' | 'capabilities' | 'report'>,
  tool: number,
  options: { signal: AbortSignal; progress: (fraction: number) => void; background?: boolean },
): Promise<{ print: PreparedRow; reused: boolean }> {
  const { database, files } = context;
  const { slicer, version } = await context.slicer(printer.make);
  const machine: SlicingMachine = {
    printerId: printer.id,
    make: printer.make,
    capabilities: withMountedNozzles(printer),
    tool,
  };
  const asked = job.printSettings;
  const profile = await context.profiles.load({ printerId: printer.id, material, quality: asked.quality });
  const settings = resolveSettings(machine, material, asked, profile, job.retrySettings);
  const quality = asked.quality ?? defaultQuality;
  const key = printKey({
    modelSha256: job.model.sha256,
    plate: job.plate,
    machine,
    material,
    settings,
    asked,
    quality,
    slicer: { name: slicer.name, version },
    allowUntrusted: context.allowUntrusted,
  });
  const known = await findPrepared(database, key);
  if (known && (await isPrintFileHere(context, { sha256: known.gcodeSha256, extension: known.extension })))
    return { print: known, reused: true };
  if (known) await forgetPrepared(database, key);

  const sourcePath = await localCopy(context, job.model.sha256, storedExtension[job.model.kind]);
  const made = await preparePrintFile(
    {
      sourcePath,
      analysis: await analysisOf(database, job.model.sha256, sourcePath, { signal: options.signal }),
      ...(job.plate !== null && { plate: job.plate }),
      machine,
      material,
      settings,
      quality,
      asked,
      retry: job.retrySettings,
      workDirectory: context.workDirectory,
      allowUntrusted: context.allowUntrusted,
      acceptUnknownMachine: job.acceptUnknownMachine,
      slicer,
      pack: packForMake,
    },
    options,
  );
  const extension = made.path.endsWith('.gcode.3mf') ? '.gcode.3mf' : '.gcode';
  const stored = await files.put(createReadStream(made.path), { extension, maxBytes: made.size });
  await rm(made.path, { force: true });
  if (context.sharesFiles) await shareFile(database, stored.sha256, stored.path);
  const print: PreparedRow = {
    printKey: key,
    printerId: printer.id,
    modelSha256: job.model.sha256,
    gcodeSha256: made.sha256,
    gcodeMd5: made.md5,
    gcodeSize: made.size,
    gcodeLines: made.lines,
    extension,
    estimatedSeconds: made.estimatedSeconds,
    filamentMm: made.filamentMm,
    filamentGrams: made.filamentGrams,
    layers: made.layers,
    slicer: made.slicerName,
    warnings: made.warnings,
  };
  await storePrepared(database, print);
  return { print, reused: false };
}

/** Uses the nozzles that the printer reports instead of those of its configuration. */
function withMountedNozzles({ capabilities, report }: Pick<Printer, 'capabilities' | 'report'>): PrinterCapabilities {
  const reported = report?.toolHead?.nozzleDiameters ?? [];
  if (reported.length === 0) return capabilities;
  const tools = Math.max(reported.length, capabilities.nozzleDiameters.length);
  const nozzleDiameters = Array.from(
    { length: tools },
    (_, tool) => reported[tool] ?? capabilities.nozzleDiameters[tool] ?? 0.4,
  );
  return { ...capabilities, nozzleDiameters };
}

/** Whether the bytes of a print file are on this machine; fetches them if the database has them. */
export async function isPrintFileHere(
  { files, database }: Pick<PreparingContext, 'files' | 'database'>,
  { sha256, extension }: { sha256: string; extension: PreparedRow['extension'] },
): Promise<boolean> {
  if (existsSync(files.pathOf(sha256, extension))) return true;
  for await (const _ of readSharedFile(database, sha256)) {
    await localCopy({ files, database }, sha256, extension);
    return true;
  }
  return false;
}
