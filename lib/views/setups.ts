import { parseSetupDone } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { canEverPrint, doubtfulSlot, hardwareSetups, toolsFor } from '../fit/judge';
import { clearBedOf } from '../jobs/changes';
import { ConflictError, NotFoundError, UnacceptableInputError } from '../model/errors';
import { outOfService } from '../planning/eligibility';
import type { Plan, PlanLine } from '../planning/plan-shape';
import type { Snapshot } from '../planning/snapshot';
import { missingSpool } from '../planning/stock';
import { plannedForAll } from '../schedule/plan';
import { changeSlot } from '../stock/spools';

/** A setup for an operator, in the order of the list. */
export interface SetupView {
  /** The same from plan to plan while the same setup is wanted. */
  id: string;
  /**
   * `change_hardware`: another nozzle or build plate; `attend`: a pause, a fault, or a condition that prevents any job from starting. Both are
   * done when the printer reports so.
   */
  kind: 'clear_bed' | 'change_filament' | 'change_hardware' | 'attend';
  printer_id: string;
  /** When the plan wants it to begin; null: as soon as an operator is present. */
  at: string | null;
  slot: string | null;
  take_out: string | null;
  put_in: string | null;
  grams_needed: number | null;
  spool_id: string | null;
  job_id: string | null;
  /** The version of a bed, to be sent when it is confirmed clear. */
  bed_version: number | null;
  text: string;
}

/** Returns the list of setups for an operator, ordered by time. */
export async function setups(farm: Farm): Promise<{ setups: SetupView[] }> {
  const { plan, snapshot } = await plannedForAll(farm);
  return { setups: setupsOf(snapshot, plan) };
}

function setupsOf(snapshot: Snapshot, plan: Plan): SetupView[] {
  const { lines } = plan;
  const list: SetupView[] = [];
  const materials = new Map(snapshot.jobs.map((job) => [job.id, job.materialId]));
  for (const printer of snapshot.printers) {
    if (!printer.online) continue;
    const { attention, condition } = printer;
    const trouble = attention ?? condition;
    if (!trouble) continue;
    list.push({
      ...nothing,
      id: `${printer.id}:attend`,
      kind: 'attend',
      printer_id: printer.id,
      text: `${printer.name}: ${trouble.text} ${trouble.remedy}`,
    });
  }
  for (const printer of snapshot.printers) {
    if (printer.bed !== 'occupied' || printer.busy !== null) continue;
    const next = lines.find((line) => line.printerId === printer.id);
    list.push({
      ...nothing,
      id: `${printer.id}:bed`,
      kind: 'clear_bed',
      printer_id: printer.id,
      job_id: next?.jobId ?? null,
      bed_version: printer.bedVersion ?? null,
      text: `${printer.name}: clear the bed`,
    });
  }
  for (const line of lines) {
    for (const [index, change] of (line.changes ?? []).entries()) {
      list.push({
        ...nothing,
        id: `${line.printerId}:${change.slot}:${change.to}`,
        kind: 'change_filament',
        printer_id: line.printerId,
        at: line.setupAt ?? null,
        slot: change.slot,
        take_out: change.from,
        put_in: change.to,
        grams_needed: change.gramsNeeded,
        spool_id: change.spoolId,
        job_id: line.jobId,
        text: line.setups[index] ?? '',
      });
    }
    const hardware = hardwareOf(snapshot, line);
    if ((line.changes ?? []).length > 0 || line.setups.length <= hardware) continue;
    const slot = doubtfulOf(snapshot, line);
    list.push({
      ...nothing,
      id: `${line.printerId}:${slot ?? 'filament'}:${slot ? materials.get(line.jobId) : line.jobId}`,
      kind: 'change_filament',
      printer_id: line.printerId,
      slot,
      job_id: line.jobId,
      put_in: materials.get(line.jobId) ?? null,
      text: line.setups.slice(0, line.setups.length - hardware).join('; '),
    });
  }
  list.push(...hardwareChanges(snapshot), ...unstocked(snapshot, plan));
  const once = new Map(list.reverse().map((setup) => [setup.id, setup]));
  return [...once.values()].reverse().sort((a, b) => (a.at ?? '').localeCompare(b.at ?? ''));
}

/** The job and the printer of a line. */
const partiesOf = ({ jobs, printers }: Snapshot, { jobId, printerId }: PlanLine) => ({
  job: jobs.find(({ id }) => id === jobId),
  printer: printers.find(({ id }) => id === printerId),
});

/** The slot of a line's printer whose content differs from the records. */
function doubtfulOf(snapshot: Snapshot, line: PlanLine): string | null {
  const { job, printer } = partiesOf(snapshot, line);
  return (job && printer && doubtfulSlot(job, printer)?.slot) ?? null;
}

/** The number of setups of a line that concern the machine itself. */
function hardwareOf(snapshot: Snapshot, line: PlanLine): number {
  const { job, printer } = partiesOf(snapshot, line);
  return job && printer && (line.changes ?? []).length === 0 ? hardwareSetups(job, printer).length : 0;
}

/** The hardware changes for jobs that no machine can print in its current state. */
function hardwareChanges(snapshot: Snapshot): SetupView[] {
  return snapshot.jobs.flatMap((job) => {
    if (job.copiesToStart < 1 || job.held || job.waitsFor.length > 0) return [];
    const able = snapshot.printers.filter((printer) => printer.online && canEverPrint(job, printer));
    const wanted = able.map((printer) => ({ printer, changes: hardwareSetups(job, printer) }));
    const [first] = wanted;
    if (!first || wanted.some(({ changes }) => changes.length === 0)) return [];
    return first.changes.map(({ code, text }) => ({
      ...nothing,
      id: `${first.printer.id}:${code}`,
      kind: 'change_hardware' as const,
      printer_id: first.printer.id,
      job_id: job.id,
      text,
    }));
  });
}

/** The missing spools that jobs wait for: without a time, and without blocking a printer. */
function unstocked(snapshot: Snapshot, plan: Plan): SetupView[] {
  const planned = new Set(plan.lines.map(({ jobId }) => jobId));
  return snapshot.jobs.flatMap((job) => {
    const missing = missingSpool(job.materialId, job.grams);
    if (planned.has(job.id) || plan.waiting[job.id] !== missing) return [];
    const printer = snapshot.printers.find((one) => !outOfService(one) && canEverPrint(job, one));
    const tools = printer ? toolsFor(job, printer) : [];
    const usable = printer?.slots.filter(({ tool }) => tools.includes(tool)) ?? [];
    const slot = usable.find(({ materialId }) => materialId === null) ?? usable[0];
    if (!printer || !slot) return [];
    const takeOut = slot.materialId === null ? '' : `take out ${slot.materialId}, `;
    return [
      {
        ...nothing,
        id: `${printer.id}:${slot.slot}:${job.materialId}`,
        kind: 'change_filament' as const,
        printer_id: printer.id,
        slot: slot.slot,
        take_out: slot.materialId,
        put_in: job.materialId,
        grams_needed: job.grams,
        job_id: job.id,
        text: `${printer.name}: ${missing}; ${takeOut}put in a new one (slot ${slot.slot})`,
      },
    ];
  });
}

const nothing = {
  at: null,
  slot: null,
  take_out: null,
  put_in: null,
  grams_needed: null,
  spool_id: null,
  job_id: null,
  bed_version: null,
};

/**
 * Marks a setup as done: the bed is clear, or the spool is in its slot.
 * @param input {spool_id} for a filament, unless the list names the spool; {bed_version} of the list for a bed
 * @param versionRequired whether a bed's version is required, as over HTTP
 * @throws NotFoundError the plan no longer wants this setup
 */
export async function setupDone(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
  versionRequired = false,
): Promise<object> {
  const { spool_id, bed_version } = parseSetupDone(input);
  const wanted = (await setups(farm)).setups.find((setup) => setup.id === id);
  if (!wanted) throw new NotFoundError('setup', id);
  if (wanted.kind === 'attend') {
    throw new ConflictError('It is done when the printer reports it.', 'Do it at the printer, and resume the print.');
  }
  if (wanted.kind === 'change_hardware') {
    throw new ConflictError(
      'It is done when the printer reports it, or when the configuration of its node is updated.',
      'Change it at the printer, and in the node of the printer where the printer does not report it.',
    );
  }
  if (wanted.kind === 'clear_bed') {
    const seen = bed_version === undefined ? {} : { bed_version };
    return clearBedOf(farm, wanted.printer_id, seen, actor, versionRequired);
  }
  const spool = spool_id ?? wanted.spool_id;
  if (spool === null || wanted.slot === null) {
    const remedy =
      wanted.slot === null
        ? `Load it with PUT printers/${wanted.printer_id}/slots/{slot}.`
        : 'Send the spool_id of the loaded spool; add the spool first if it is new (POST spools).';
    throw new UnacceptableInputError('The spool that was loaded is not named.', [
      { field: 'spool_id', value: spool_id ?? null, remedy },
    ]);
  }
  return changeSlot(farm, wanted.printer_id, wanted.slot, { spool_id: spool });
}
