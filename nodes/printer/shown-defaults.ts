import { hasSize } from '../../lib/makes/known-capabilities';
import type { PrinterModel } from '../../lib/makes/model-table';
import { isNumberOfTool } from '../../lib/makes/slot-tools';
import type { Area, Volume } from '../../lib/model/printer';
import type { CapabilityFields } from './printer-fields';

/** Returns the effective values of empty fields of the form, in the format of the fields. */
export type ShownDefaults = Partial<Record<keyof CapabilityFields, string>>;

/** Returns the capabilities of a model as the fields of the form. */
export function shownModel({ capabilities, slots }: Pick<PrinterModel, 'capabilities' | 'slots'>): ShownDefaults {
  const { buildVolume, acceptsModels, toolVolumes, bedExclusions, maxChamberTemperature } = capabilities;
  return {
    ...(hasSize(buildVolume) && edgesOf(buildVolume)),
    nozzles: capabilities.nozzleDiameters.join(', '),
    maxNozzleTemperature: String(capabilities.maxNozzleTemperature),
    maxBedTemperature: String(capabilities.maxBedTemperature),
    ...(maxChamberTemperature !== undefined && { maxChamberTemperature: String(maxChamberTemperature) }),
    materials: capabilities.materialTypes.join(', '),
    slots: slots.map(slotText).join(', '),
    ...(acceptsModels && { acceptsModels: acceptsModels.join(', ') }),
    ...(toolVolumes && { toolVolumes: toolVolumes.map(volumeText).join('; ') }),
    ...(bedExclusions && { bedExclusions: bedExclusions.map(areaText).join('; ') }),
  };
}

const edgesOf = ({ min, max }: Volume): ShownDefaults => ({
  buildX: String(max.x - min.x),
  buildY: String(max.y - min.y),
  buildZ: String(max.z - min.z),
});

/** The tool is only given where the name does not imply it. */
const slotText = ({ slot, tool }: PrinterModel['slots'][number]): string =>
  isNumberOfTool(slot, tool) ? slot : `${slot}=${tool}`;

const volumeText = ({ min, max }: Volume): string =>
  `${[min.x, min.y, min.z].join(',')}-${[max.x, max.y, max.z].join(',')}`;
const areaText = ({ min, max }: Area): string => `${min.x},${min.y}-${max.x},${max.y}`;
