import type { FarmPause } from '../contracts/farm';
import type { StoredPause } from '../store/farm-pause';

/** A pause of the farm in the form of the API. */
export type FarmPauseView = FarmPause;

export const pauseView = ({ pausedAt, pausedBy, reason }: StoredPause): FarmPauseView => ({
  since: pausedAt,
  by: pausedBy,
  reason,
});
