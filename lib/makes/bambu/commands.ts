import type { StartOrder } from '../driver';
import { jobStem } from '../driver';
import { fileUrl } from './models';

/** The slots of a file's filaments, in the printer's three notations. */
export interface FilamentMapping {
  use_ams: boolean;
  ams_mapping: number[];
  ams_mapping2: { ams_id: number; slot_id: number }[];
}

/** A parsed slot name. */
export type BambuSlot =
  | { kind: 'ams'; unit: number; tray: number }
  | { kind: 'external'; side: 'left' | 'right' }
  | { kind: 'none' };

/** Reads a slot's name: `ams0-2`, `ams128-0`, `ext-right`, `ext-left`; undefined if it is none of these. */
export function parseSlot(name: string): BambuSlot | undefined {
  if (name === '' || name === '-') return { kind: 'none' };
  if (name === 'ext-right') return { kind: 'external', side: 'right' };
  if (name === 'ext-left') return { kind: 'external', side: 'left' };
  const match = /^ams(\d+)-(\d+)$/.exec(name);
  if (match === null) return undefined;
  const unit = Number(match[1]);
  const tray = Number(match[2]);
  const known = unit <= 3 ? tray <= 3 : unit >= 128 && unit <= 135 && tray === 0;
  return known ? { kind: 'ams', unit, tray } : undefined;
}

/** The number of a tray in flat lists and bit masks' order: four per AMS, then the AMS HT units from 128. */
function flatTray(unit: number, tray: number): number {
  return unit >= 128 ? unit : unit * 4 + tray;
}

/** Maps the file's filaments, in order, to the slots given. */
export function filamentMapping(slots: readonly string[]): FilamentMapping {
  const mapping: FilamentMapping = { use_ams: false, ams_mapping: [], ams_mapping2: [] };
  for (const name of slots) {
    const slot = parseSlot(name);
    if (slot === undefined) throw new Error(`The printer has no slot "${name}".`);
    if (slot.kind === 'ams') {
      mapping.use_ams = true;
      mapping.ams_mapping.push(flatTray(slot.unit, slot.tray));
      mapping.ams_mapping2.push({ ams_id: slot.unit, slot_id: slot.tray });
    } else {
      mapping.ams_mapping.push(-1);
      if (slot.kind === 'none') mapping.ams_mapping2.push({ ams_id: 255, slot_id: 255 });
      else mapping.ams_mapping2.push({ ams_id: slot.side === 'right' ? 255 : 254, slot_id: 0 });
    }
  }
  return mapping;
}

/** The name that the printer's screen shows for a job. */
function subtaskName(fileName: string): string {
  return jobStem(fileName).slice(0, 100);
}

export interface StartChoices {
  bedType: string;
  bedLeveling: 0 | 1 | 2;
  flowCalibration: 0 | 1 | 2;
  nozzleOffsetCalibration: 0 | 1 | 2;
  vibrationCalibration: boolean;
  layerInspect: boolean;
  timelapse: boolean;
}

export const defaultStartChoices: StartChoices = {
  bedType: 'auto',
  bedLeveling: 1,
  flowCalibration: 0,
  nozzleOffsetCalibration: 2,
  vibrationCalibration: false,
  layerInspect: false,
  timelapse: false,
};

/**
 * The command that starts a file that was uploaded to the root of the storage.
 * @param slots the slot of each of the project's filaments
 * @param url the file's name in the form of the printer's model
 */
export function projectFile(
  order: StartOrder,
  sequenceId: string,
  choices = defaultStartChoices,
  slots: readonly string[] = order.slots,
  url = fileUrl(undefined, order.identity.fileName),
): object {
  const id = String(order.identity.taskId);
  return {
    print: {
      command: 'project_file',
      sequence_id: sequenceId,
      param: `Metadata/plate_${order.plate}.gcode`,
      project_id: id,
      profile_id: '0',
      task_id: id,
      subtask_id: id,
      subtask_name: subtaskName(order.identity.fileName),
      file: order.identity.fileName,
      url,
      md5: order.identity.md5.toUpperCase(),
      bed_type: choices.bedType,
      bed_leveling: choices.bedLeveling !== 0,
      auto_bed_leveling: choices.bedLeveling,
      flow_cali: choices.flowCalibration !== 0,
      extrude_cali_flag: choices.flowCalibration,
      vibration_cali: choices.vibrationCalibration,
      layer_inspect: choices.layerInspect,
      timelapse: choices.timelapse,
      nozzle_offset_cali: choices.nozzleOffsetCalibration,
      cfg: '0',
      ...filamentMapping(slots),
    },
  };
}

/** Pause, resume or stop. */
export function control(command: 'pause' | 'resume' | 'stop', sequenceId: string): object {
  return { print: { command, sequence_id: sequenceId, param: '' } };
}

export function pushAll(sequenceId: string): object {
  return { pushing: { command: 'pushall', sequence_id: sequenceId, version: 1, push_target: 1 } };
}

export function startPushing(sequenceId: string): object {
  return { pushing: { command: 'start', sequence_id: sequenceId } };
}

export function getVersion(sequenceId: string): object {
  return { info: { command: 'get_version', sequence_id: sequenceId } };
}
