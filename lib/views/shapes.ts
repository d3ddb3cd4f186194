import { bedView } from '../beds/bed-view';
import type { Printer as PrinterContract } from '../contracts/printers';
import { isIdentified, type MachineIdentity } from '../model/machine-identity';
import { isActive, type PrinterState, type PrinterTrouble, type ReportedSlot } from '../model/printer';
import type { Attempt } from '../store/attempts';
import type { LoadedSlot, Printer } from '../store/printers';
import { printerActions, type Twin } from './actions';

/** A printer in the form of the API. */
export type PrinterView = PrinterContract;

/** A slot as the printer reports it. */
export interface ReportedSlotView {
  /** Whether filament is present; null if the printer cannot detect it. */
  present: boolean | null;
  material_type: string | null;
  colour_hex: string | null;
  /** The share of a full spool (0..1). */
  remaining: number | null;
}

function reportedView(slot: ReportedSlot | undefined): ReportedSlotView | null {
  if (!slot) return null;
  return {
    present: slot.present,
    material_type: slot.materialType ?? null,
    colour_hex: slot.colour ?? null,
    remaining: slot.remaining ?? null,
  };
}

export type PrinterViewState = PrinterState | 'offline' | 'wrong_machine' | 'needs_attention';

/** The identity of a printer's machine. */
export interface IdentityView {
  /** The ids by kind: `serial`, `mcu`, `host`, `board`. */
  ids: MachineIdentity;
  /** `unverified`: it reports no id, so another machine at its address is not noticed. */
  status: 'verified' | 'unverified' | 'wrong_machine';
  /** The ids of another machine that was found at its address. */
  found: MachineIdentity | null;
}

const identityView = ({ identity, stranger }: Printer): IdentityView => ({
  ids: identity,
  status: stranger ? 'wrong_machine' : isIdentified(identity) ? 'verified' : 'unverified',
  found: stranger,
});

/** The first that applies: offline, another machine, a print, a condition that prevents any job from starting, anything else. */
function stateOf(printer: Printer): PrinterViewState {
  if (printer.served && printer.stranger) return 'wrong_machine';
  const report = printer.online ? printer.report : null;
  if (!report) return 'offline';
  return printer.condition && !isActive(report.state) ? 'needs_attention' : report.state;
}

function troubleOf(printer: Printer, state: PrinterViewState): Pick<PrinterView, 'problem' | 'remedy' | 'since'> {
  const shown = (trouble: PrinterTrouble): ReturnType<typeof troubleOf> => ({
    problem: trouble.text,
    remedy: trouble.remedy,
    since: trouble.since,
  });
  if (state === 'needs_attention' && printer.condition) return shown(printer.condition);
  if (printer.connectionProblem !== null) {
    // A connection problem has its own remedy; an unserved printer needs this one.
    const remedy = printer.served ? null : 'Enable its node and deploy; or remove the printer, if it is gone for good.';
    return { problem: printer.connectionProblem, remedy, since: null };
  }
  if (printer.online && printer.attention) return shown(printer.attention);
  const fault = printer.online ? printer.report?.faults.find(({ blocking }) => blocking) : undefined;
  return {
    problem: fault?.message ?? null,
    remedy: fault ? (fault.remedy ?? 'Look at the printer.') : null,
    since: null,
  };
}

/** Returns a printer in the form of the API. @param open its open attempt with the name of the job; undefined: none */
export function printerView(
  printer: Printer,
  slots: LoadedSlot[],
  open: { attempt: Attempt; jobName: string } | undefined,
  twin?: Twin,
): PrinterView {
  const report = printer.online ? printer.report : null;
  const active = report !== null && isActive(report.state);
  const state = stateOf(printer);
  return {
    printer_id: printer.id,
    name: printer.name,
    make: printer.make,
    accepts_models: printer.capabilities.acceptsModels ?? [],
    online: printer.online,
    state,
    ...troubleOf(printer, state),
    identity: identityView(printer),
    actions: printerActions(printer, open?.attempt, twin),
    job_id: open?.attempt.jobId ?? null,
    current_job_id: open?.attempt.jobId ?? null,
    job_name: open?.jobName ?? (active ? (report.job?.name ?? null) : null),
    progress: active ? report.progress : null,
    remaining_minutes: active ? report.remainingMinutes : null,
    time_scale: report?.timeScale ?? 1,
    temperatures: report?.temperatures ?? [],
    bed: bedView(printer),
    slots: slots
      .filter((slot) => slot.printerId === printer.id)
      .map((slot) => ({
        slot: slot.slot,
        tool: report?.slots.find((one) => one.slot === slot.slot)?.tool ?? slot.tool,
        material_id: slot.materialId,
        colour_hex: slot.colourHex,
        spool_id: slot.spoolId,
        grams_left: slot.gramsLeft,
        reported: reportedView(report?.slots.find((one) => one.slot === slot.slot)),
      })),
  };
}
