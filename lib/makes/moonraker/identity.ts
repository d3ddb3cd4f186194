import type { MachineIdentity } from '../../model/machine-identity';
import { type JsonObject, objectOf, textOf } from '../values';

/** The serial number of all counterfeit FT232R, the USB adapter on many boards. */
const counterfeitSerial = 'A50285BI';

/**
 * The id of the computer that Moonraker runs on: the serial number of its processor, if `machine.system_info` reports
 * one. Several Klippers may run there; each has its own configuration.
 */
export function hostIds(systemInfo: JsonObject, configFile: string | undefined): MachineIdentity {
  const cpu = textOf(objectOf(systemInfo.cpu_info).serial_number);
  if (cpu === undefined || configFile === undefined || !isSerial(cpu)) return {};
  return { host: `${cpu} ${configFile}` };
}

/**
 * The id of Klipper's main board, out of its configuration (`[mcu]`): the one on its CAN bus, or the one at the end of
 * `/dev/serial/by-id/…`, which its chip gives to USB. A port (`/dev/ttyS1`, `by-path`) is not an id, nor is the name
 * that all USB adapters of one brand share.
 */
export function boardIds(settings: JsonObject): MachineIdentity {
  const mcu = objectOf(settings.mcu);
  const onBus = textOf(mcu.canbus_uuid);
  const onUsb = /^\/dev\/serial\/by-id\/.*_([^_]+?)(?:-if\d+.*)?$/.exec(textOf(mcu.serial) ?? '')?.[1];
  const id = onBus ?? onUsb;
  return id !== undefined && isSerial(id) && id !== counterfeitSerial ? { mcu: id } : {};
}

/** Whether a text is a serial number, not a name: a hexadecimal number with some variety, or letters with at least three digits other than 0. */
function isSerial(text: string): boolean {
  if (!/^[0-9A-Za-z]{8,}$/.test(text)) return false;
  if (/^[0-9A-Fa-f]+$/.test(text)) return new Set(text.toLowerCase()).size >= 3;
  return /[1-9].*[1-9].*[1-9]/.test(text);
}
