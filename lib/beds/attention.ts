import { isActive, type PrinterFault, type PrinterReport, type PrinterTrouble } from '../model/printer';
import { failureKindOf } from '../model/retry-policy';

/** The reason why a printer needs an operator now. */
export type Attention = Omit<PrinterTrouble, 'since'>;

/** How long a state that should pass by itself may last before operators are notified (s). */
const patienceSeconds = 30;
/** Temperature changes below this are normal swings around the target (°C). */
const temperatureSwing = 3;

interface Movement {
  layer: number;
  progress: number;
  temperatures: readonly number[];
  at: number;
}

/**
 * Decides from the sequence of reports when a printer needs an operator: a pause, a fault, an unknown state, or a print
 * that has stopped moving. Times are those of the monotonic clock, in ms.
 */
export class AttentionJudge {
  #movement: Movement | undefined;
  #strange: { key: string; since: number } | undefined;

  /** @param standstillMinutes of the printer's clock, without a change of layer, percent or temperature */
  constructor(private readonly standstillMinutes: number) {}

  /** @param slot the slot that feeds the print, null if the print is not the farm's */
  judge(report: PrinterReport, slot: string | null, now: number): Attention | null {
    if (report.state !== 'preparing' && report.state !== 'printing') this.#movement = undefined;
    if (report.state !== 'unknown' && report.state !== 'busy') this.#strange = undefined;
    const blocking = report.faults.find(({ blocking }) => blocking);
    if (report.state === 'paused') return paused(report, slot);
    if (isActive(report.state)) return this.#standstill(report, now);
    if (blocking) return ofFault(blocking);
    return this.#lasting(report, now);
  }

  #standstill(report: PrinterReport, now: number): Attention | null {
    const moved: Movement = {
      layer: report.layer ?? 0,
      progress: Math.floor((report.progress ?? 0) * 1000),
      temperatures: report.temperatures.map(({ current }) => current),
      at: now,
    };
    const before = this.#movement;
    if (before === undefined || hasMoved(before, moved)) {
      this.#movement = moved;
      return null;
    }
    const minutes = ((now - before.at) / 60_000) * report.timeScale;
    if (minutes < this.standstillMinutes) return null;
    const what = report.state === 'preparing' ? 'preparing' : 'printing';
    return {
      code: 'standstill',
      text: `It reports that it is ${what}, but nothing has moved for ${this.standstillMinutes} min.`,
      remedy: 'Look at the printer. If it hangs, stop the print at its screen and switch it off and on.',
    };
  }

  /** A state that a restart passes through is reported only if it lasts. */
  #lasting(report: PrinterReport, now: number): Attention | null {
    const fault = report.faults[0];
    const key = report.state === 'unknown' ? 'unknown_state' : report.state === 'busy' ? fault?.code : undefined;
    if (key === undefined) {
      this.#strange = undefined;
      return null;
    }
    if (this.#strange?.key !== key) this.#strange = { key, since: now };
    if (now - this.#strange.since < patienceSeconds * 1000) return null;
    if (report.state === 'busy' && fault) return ofFault(fault);
    return {
      code: 'unknown_state',
      text: `It reports an unknown state${report.message ? ` ("${report.message}")` : ''}, so nothing is started on it.`,
      remedy: 'Look at the printer. If it is ready, report this state together with its firmware version.',
    };
  }
}

/** Whether a printer reports a slot as empty. */
const isEmpty = (slots: PrinterReport['slots'], name: string | null): boolean =>
  slots.some(({ slot, present }) => slot === name && present === false);

function paused({ message, remedy, faults, slots }: PrinterReport, slot: string | null): Attention {
  // A healthy printer may carry messages that are unrelated to the pause.
  const blocking = faults.filter((fault) => fault.blocking);
  const shown = blocking.length > 0 ? blocking : faults;
  const texts = [message, ...shown.map((fault) => fault.message)].filter((text) => text !== undefined && text !== '');
  const words = [...new Set(texts)];
  const reason = words.length > 0 ? `: ${words.join(' ').replace(/\.?$/, '.')}` : '.';
  if (failureKindOf(words.join(' ')) === 'run_out' || isEmpty(slots, slot)) {
    const place = slot === null ? 'its slot' : `slot ${slot}`;
    return {
      code: 'run_out',
      text: `The print is paused because the filament in ${place} has run out${reason}`,
      remedy: `Load the same material in ${place}, record the spool if it is a different one, then resume the print.`,
    };
  }
  const known = remedy ?? shown[0]?.remedy;
  return {
    code: 'paused',
    text: `The print is paused${reason}`,
    remedy: known ? `${known} Then resume or cancel the print.` : seeToIt,
  };
}

const seeToIt = 'Fix the cause at the printer, then resume or cancel the print.';

const ofFault = ({ code, message, remedy }: PrinterFault): Attention => ({
  code,
  text: message,
  remedy: remedy ?? 'Look at the printer, and clear the fault there.',
});

function hasMoved(before: Movement, now: Movement): boolean {
  return (
    before.layer !== now.layer ||
    before.progress !== now.progress ||
    before.temperatures.length !== now.temperatures.length ||
    now.temperatures.some((current, at) => Math.abs(current - (before.temperatures[at] ?? 0)) >= temperatureSwing)
  );
}
