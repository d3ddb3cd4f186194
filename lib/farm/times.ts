/** Limits in wall time. */
export interface AgentTimes {
  /** How long a claim lasts without renewal (s). */
  leaseSeconds: number;
  /** The maximum time from the intent to the start command (s). */
  startCommandSeconds: number;
  /** How long an upload waits for an offline printer before the attempt is given back (s). */
  connectSeconds: number;
  /** How often a printer is queried again when its confirmation is needed (s). */
  askAgainSeconds: number;
  /** How long a missing job is searched for before its outcome counts as unknown (s). */
  lookForJobSeconds: number;
  /** How often a printer that would refuse any job is checked again (s). */
  conditionSeconds: number;
  /** How long a print may show no change of layer, percent or temperature before operators are notified (min of the printer's clock). */
  standstillMinutes: number;
}

export const defaultTimes: AgentTimes = {
  leaseSeconds: 15,
  startCommandSeconds: 60,
  connectSeconds: 60,
  askAgainSeconds: 5,
  lookForJobSeconds: 20,
  conditionSeconds: 60,
  standstillMinutes: 30,
};
