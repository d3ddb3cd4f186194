import type { Action as ContractAction } from '../contracts/common';
import { type AttemptPhase, mayHaveStarted, phasesToAnswer } from '../model/attempt';
import { isIdentified } from '../model/machine-identity';
import { isActive } from '../model/printer';
import type { JobStatus } from '../model/status';
import type { Printer } from '../store/printers';

/** Something that an operator can do, as a request to this interface. */
export type Action = ContractAction;

/** The properties of a printer on which the actions depend. */
export type ActionPrinter = Pick<
  Printer,
  'id' | 'name' | 'online' | 'served' | 'report' | 'attention' | 'stranger' | 'bedState' | 'bedVersion'
>;

interface ActionAttempt {
  id: string;
  jobId: string;
  phase: AttemptPhase;
  slot: string;
}

/** The actions for an attempt in the current state of its printer. Empty: it ends by itself. */
export function attemptActions(attempt: ActionAttempt, printer: ActionPrinter): Action[] {
  if (attempt.phase === 'ended') return [];
  if (!mayHaveStarted(attempt.phase)) return [cancel(attempt.jobId, 'Nothing was sent to the printer yet.')];
  const outcome = (body: Record<string, unknown>, why: string): Action => ({
    action: 'outcome',
    method: 'POST',
    href: `/attempts/${attempt.id}/outcome`,
    body,
    why,
  });
  if (!phasesToAnswer(printer).includes(attempt.phase)) {
    const paused: Action[] =
      printer.report?.state === 'paused'
        ? [
            {
              action: 'resume',
              method: 'POST',
              href: `/printers/${printer.id}/resume`,
              why: 'Resumes the print. Fix the reason for the pause first.',
            },
          ]
        : [];
    const ranOut = paused.length > 0 && printer.attention?.code === 'run_out';
    return [...(ranOut ? [recordSpool(printer, attempt)] : []), ...paused, cancel(attempt.jobId, 'Stops the print.')];
  }
  const printed = outcome({ printed: true }, 'The part lies on the bed, or lay there, and is good.');
  if (!printer.online) {
    return [
      printed,
      outcome(
        { printed: false, machine_off: true },
        'The machine is switched off or gone, and does not print it any more.',
      ),
    ];
  }
  return [
    printed,
    outcome({ printed: false }, `It did not print; ${printer.name} must be idle.`),
    cancel(attempt.jobId, 'Ends the job as soon as it is answered.'),
  ];
}

const recordSpool = ({ id }: ActionPrinter, { slot }: ActionAttempt): Action => ({
  action: 'change-slot',
  method: 'PUT',
  href: `/printers/${id}/slots/${slot}`,
  needs: ['spool_id'],
  why: `Records a different spool in slot ${slot}, before the print is resumed.`,
});

/** A printer that is pinned to the same ids as a machine at another printer's address. */
export interface Twin {
  name: string;
  /** Whether two machines may report these ids. */
  mayShare: boolean;
}

/**
 * The actions for a printer.
 * @param twin the printer that is pinned to the ids of the machine at this one's address
 */
export function printerActions(printer: ActionPrinter, attempt: ActionAttempt | undefined, twin?: Twin): Action[] {
  const actions = attempt ? attemptActions(attempt, printer) : [];
  const active = printer.online && printer.report !== null && isActive(printer.report.state);
  if (printer.stranger && isIdentified(printer.stranger) && !attempt && twin?.mayShare !== false) {
    actions.push({
      action: 'accept-identity',
      method: 'POST',
      href: `/printers/${printer.id}/identity/accept`,
      body: { found: { ...printer.stranger }, ...(twin !== undefined && { shared: true }) },
      why:
        twin === undefined
          ? 'Accepts the new machine as this printer after a replacement.'
          : `Only if the address is right: confirms that this machine and ${twin.name} are two that report the same ids, which then identify neither.`,
    });
  }
  if (printer.bedState === 'occupied' && !active && !(attempt && mayHaveStarted(attempt.phase))) {
    actions.push({
      action: 'clear-bed',
      method: 'POST',
      href: `/printers/${printer.id}/bed/clear`,
      body: { bed_version: printer.bedVersion },
      why: 'Confirms that you have looked and the bed is empty.',
    });
  }
  if (active && printer.report?.state === 'printing') {
    actions.push({
      action: 'pause',
      method: 'POST',
      href: `/printers/${printer.id}/pause`,
      why: 'Pauses the print.',
    });
  }
  if (!printer.served && !attempt) {
    actions.push({
      action: 'remove-printer',
      method: 'DELETE',
      href: `/printers/${printer.id}`,
      why: 'No node serves it. If it is gone for good, remove it from the farm.',
    });
  }
  return actions;
}

/** The actions for a job. @param open its attempts under way, with their printers */
export function jobActions(
  job: { id: string; status: JobStatus; hold: boolean; forcedPrinterIsGone: boolean },
  open: readonly { attempt: ActionAttempt; printer: ActionPrinter }[],
  deadLetterId: string | null,
): Action[] {
  // The attempts of several copies all name the same cancel.
  const actions = open
    .flatMap(({ attempt, printer }) => attemptActions(attempt, printer))
    .filter((one, at, all) => all.findIndex(({ action, href, body }) => same(one, { action, href, body })) === at);
  if (job.status === 'failed' && deadLetterId !== null) {
    return [
      {
        action: 'replay',
        method: 'POST',
        href: `/dead-letters/${deadLetterId}/replay`,
        why: 'Puts the job back into the queue as if it were new.',
      },
      {
        action: 'discard',
        method: 'DELETE',
        href: `/dead-letters/${deadLetterId}`,
        why: 'Discards the dead letter; the job stays failed.',
      },
    ];
  }
  if (job.status === 'queued') {
    if (job.hold) {
      actions.unshift({
        action: 'release',
        method: 'POST',
        href: `/jobs/${job.id}/release`,
        why: 'Releases the job, which is held.',
      });
    }
    if (job.forcedPrinterIsGone) {
      actions.push({
        action: 'reassign',
        method: 'PATCH',
        href: `/jobs/${job.id}/printer`,
        body: { force_printer: null },
        why: 'Allows any printer; the one that the job is assigned to no longer exists.',
      });
    }
    actions.push(cancel(job.id, 'Removes the job from the queue.'));
  }
  return actions;
}

const same = (one: Action, { action, href, body }: Pick<Action, 'action' | 'href'> & { body: unknown }): boolean =>
  one.action === action && one.href === href && JSON.stringify(one.body) === JSON.stringify(body);

const cancel = (jobId: string, why: string): Action => ({
  action: 'cancel',
  method: 'DELETE',
  href: `/jobs/${jobId}`,
  why,
});
