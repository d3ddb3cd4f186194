import { atMost, mostUsd } from './limits';
import type { Material } from './material';
import type { PrinterCapabilities } from './printer';
import { electricityUsd, type Tariff } from './tariff';

/** The cost of a print, in USD. */
export interface Cost {
  filamentUsd: number;
  machineUsd: number;
  electricityUsd: number;
  totalUsd: number;
}

/** Returns the cost: filament by weight, the machine by the hour, and its electricity at the tariff of the printing time. */
export function costOf(print: {
  grams: number;
  material: Pick<Material, 'usdPerKg'> | undefined;
  /** Printer time. */
  hours: number;
  printer: Pick<PrinterCapabilities, 'usdPerHour' | 'watts'>;
  /** ms since 1970 */
  startedAt: number;
  tariff: Tariff | undefined;
}): Cost {
  const filament = (print.grams / 1000) * (print.material?.usdPerKg ?? 0);
  const machine = print.hours * print.printer.usdPerHour;
  const electricity = print.tariff
    ? electricityUsd(print.tariff, print.printer.watts ?? 0, print.startedAt, print.hours)
    : 0;
  return {
    filamentUsd: atMost(mostUsd, filament),
    machineUsd: atMost(mostUsd, machine),
    electricityUsd: atMost(mostUsd, electricity),
    totalUsd: atMost(mostUsd, filament + machine + electricity),
  };
}
