import type { StoredPause } from '../store/farm-pause';

/** A pause of the farm as the API shows it. */
export interface FarmPauseView {
  since: string;
  by: string;
  reason: string | null;
}

export const pauseView = ({ pausedAt, pausedBy, reason }: StoredPause): FarmPauseView => ({
  since: pausedAt,
  by: pausedBy,
  reason,
});
