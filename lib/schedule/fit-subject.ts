import type { FitJob, FitPrinter, FitSlot } from '../fit/subject';
import type { Job } from '../model/job';
import type { Material } from '../model/material';
import { contradictionOf, type PrinterReport } from '../model/printer';
import type { LoadedSlot, Printer } from '../store/printers';

/** A job in the form that the fit checks use. @param material undefined: it no longer exists, and nothing can print it */
export function fitJob(
  job: Pick<
    Job,
    'materialId' | 'printSettings' | 'model' | 'estimatedGrams' | 'forcePrinter' | 'fileFacts' | 'acceptUnknownMachine'
  >,
  material: Material | undefined,
): FitJob {
  const { layer_height: layerHeight, first_layer_height: firstLayerHeight, brim } = job.printSettings;
  return {
    materialId: job.materialId,
    materialType: material?.type ?? 'unknown',
    nozzleTemperature: job.printSettings.nozzle_temp ?? material?.nozzleTemperature ?? 0,
    bedTemperature: job.printSettings.bed_temp ?? material?.bedTemperature ?? 0,
    modelKind: job.model.kind,
    dimensions: job.model.dimensions,
    grams: job.estimatedGrams ?? 0,
    forcePrinter: job.forcePrinter,
    ...(job.fileFacts &&
      material && {
        print: {
          facts: job.fileFacts,
          material,
          acceptUnknownMachine: job.acceptUnknownMachine,
          ...(layerHeight !== undefined && { layerHeight }),
          ...(firstLayerHeight !== undefined && { firstLayerHeight }),
          ...(brim !== undefined && { brim }),
        },
      }),
  };
}

/**
 * A printer in the form that the fit checks use: its reports override its configuration.
 * @param slots those of all printers, or of this one
 * @param report a newer report than the stored one
 */
export function fitPrinter(
  printer: Printer,
  slots: readonly LoadedSlot[],
  report: PrinterReport | null = printer.report,
): FitPrinter {
  const nozzles = report?.toolHead?.nozzleDiameters ?? [];
  const { buildPlate } = printer.capabilities;
  return {
    id: printer.id,
    name: printer.name,
    make: printer.make,
    capabilities: printer.capabilities,
    slots: slots.filter((slot) => slot.printerId === printer.id).map((slot) => fitSlot(slot, report)),
    online: printer.online,
    ...(printer.firstConnectedAt === null && { neverConnected: true }),
    state: report?.state ?? null,
    bed: printer.bedState,
    bedCause: printer.bedCause,
    busy: null,
    ...(printer.condition && { condition: printer.condition }),
    ...(printer.attention && { attention: printer.attention }),
    ...(printer.stranger && { wrongMachine: true }),
    ...(nozzles.length > 0 && { mountedNozzles: nozzles }),
    ...(buildPlate !== undefined && { buildPlate }),
    ...(printer.preparation && { preparation: printer.preparation }),
  };
}

/** The printer's report overrides the records: an empty slot is empty, PETG is not PLA, an AMS feeds the nozzle that it is set up on. */
function fitSlot(
  { slot, tool, materialId, materialType, gramsFree }: LoadedSlot,
  report: PrinterReport | null,
): FitSlot {
  const reported = report?.slots.find((one) => one.slot === slot);
  // A printer that lists its slots does not have the ones that it omits.
  const missing = reported === undefined && (report?.slots.length ?? 0) > 0;
  const seen = reported && materialType !== null ? contradictionOf(reported, materialType) : null;
  const contradiction = missing ? 'no such slot' : seen;
  return {
    slot,
    tool: reported?.tool ?? tool,
    materialId: contradiction === null ? materialId : null,
    gramsFree: gramsFree ?? 0,
    ...(contradiction !== null &&
      materialId !== null && { contradiction: { booked: materialId, seen: contradiction } }),
  };
}
