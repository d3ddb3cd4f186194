import type { MachineIdentity } from '../../model/machine-identity';
import { type JsonObject, objectOf, textOf } from '../values';

/**
 * The ids of the computer that Moonraker runs on: the serial numbers of its processor and of its memory card, as
 * `machine.system_info` tells them where there are any.
 */
export function hostIds(systemInfo: JsonObject): MachineIdentity {
  const cpu = textOf(objectOf(systemInfo.cpu_info).serial_number);
  const card = textOf(objectOf(systemInfo.sd_info).serial_number);
  return { ...(isId(cpu) && { host_cpu: cpu }), ...(isId(card) && { sd_card: card }) };
}

/**
 * The id of Klipper's main board, out of its configuration (`[mcu]`): the one on its CAN bus, or the one that its chip gives
 * to USB and that is a part of `/dev/serial/by-id/…`. A port (`/dev/ttyS1`, `by-path`) is no id.
 */
export function boardIds(settings: JsonObject): MachineIdentity {
  const mcu = objectOf(settings.mcu);
  const onBus = textOf(mcu.canbus_uuid);
  const onUsb = /^\/dev\/serial\/by-id\/(?:usb-)?(.+?)(?:-if\d+.*)?$/.exec(textOf(mcu.serial) ?? '')?.[1];
  const mcuId = onBus ?? onUsb;
  return isId(mcuId) ? { mcu: mcuId } : {};
}

/** Boards without one report zeros or nothing. USB adapters of one make share names such as `1a86_USB_Serial`. */
const isId = (text: string | undefined): text is string =>
  text !== undefined &&
  /[1-9a-f].*[0-9a-f]{3}/i.test(text) &&
  !/USB_?(2\.0-)?Serial$/i.test(text) &&
  !/^0+$/.test(text);
