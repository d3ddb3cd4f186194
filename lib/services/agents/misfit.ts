import { hardwareSetups, permanentReasons } from '../../fit/judge';
import type { FitJob, FitPrinter } from '../../fit/subject';
import type { Attempt } from '../../store/attempts';

/**
 * Why a planned job no longer fits, by what the printer reports now; empty if it still fits.
 * @param examined whether the requirements of the job's file are known
 */
export function misfitsOf(
  job: FitJob,
  printer: FitPrinter,
  planned: Pick<Attempt, 'slot' | 'tool'>,
  examined: boolean,
): string[] {
  const reasons = [
    ...permanentReasons(job, printer).map(({ text }) => text),
    ...hardwareSetups(job, printer).map(({ text }) => text),
  ];
  const slot = printer.slots.find((one) => one.slot === planned.slot);
  if (slot?.tool !== planned.tool) reasons.push(`slot ${planned.slot} no longer feeds the same tool`);
  else if (slot.materialId !== job.materialId) {
    const seen = slot.contradiction ? `: the printer reports ${slot.contradiction.seen} there` : '';
    reasons.push(`slot ${slot.slot} no longer holds ${job.materialId}${seen}`);
  }
  if (!examined) reasons.push('its file has not been examined since the upgrade');
  return reasons;
}
