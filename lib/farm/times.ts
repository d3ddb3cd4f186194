/** Limits in wall time. */
export interface AgentTimes {
  /** How long a claim lasts without being renewed (s). */
  leaseSeconds: number;
  /** A start is written at most so long after its intent; T_cmd of the contract (s). */
  startCommandSeconds: number;
  /** How long an upload waits for a printer that is away before the attempt is given back (s). */
  connectSeconds: number;
  /** How often the printer is asked again when its word is needed (s). */
  askAgainSeconds: number;
  /** How long a missing job is looked for before its outcome counts as unknown (s). */
  lookForJobSeconds: number;
  /** How often a printer that would refuse any job is asked whether it still would (s). */
  conditionSeconds: number;
  /** How long a print may show no change of layer, percent or temperature before somebody is told (min of the printer's clock). */
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
