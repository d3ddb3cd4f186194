import { PlatewiseError } from './errors';
import type { RetrySettings } from './settings';

/**
 * Kinds of failures that other settings can cure:
 * - `adhesion`: the part came off the bed
 * - `spaghetti`: filament was drawn into the air
 * - `run_out`: the spool was empty
 */
const failureKinds = ['adhesion', 'spaghetti', 'run_out'] as const;
export type FailureKind = (typeof failureKinds)[number];

/** The kinds that the owner has enabled; none by default: every retry then uses the original settings. */
export type RetryPolicy = ReadonlySet<FailureKind>;

/**
 * Parses `adhesion, spaghetti, run_out`, or any of them; an empty text enables none.
 *
 * @throws PlatewiseError `bad_retry_policy`
 */
export function parseRetryPolicy(text: string): RetryPolicy {
  const words = text.split(/[\s,]+/).filter((word) => word !== '' && word !== 'off');
  const unknown = words.find((word) => !(failureKinds as readonly string[]).includes(word));
  if (unknown !== undefined) {
    throw new PlatewiseError(`The retry policy does not know "${unknown}".`, {
      code: 'bad_retry_policy',
      remedy: `Name any of ${failureKinds.join(', ')}, separated by commas; leave it empty to switch it off.`,
    });
  }
  return new Set(words as FailureKind[]);
}

/** The longest pause before a retry (seconds). */
const longestRetryPause = 3600;
/** The first pause before a retry (seconds). */
const firstRetryPause = 10;

/** Returns the pause after so many failures of a copy (seconds): each is twice as long as the previous one. */
export const retryPause = (failures: number): number =>
  Math.min(longestRetryPause, firstRetryPause * 2 ** (failures - 1));

/** English texts of printers: their firmware's own messages, and the meanings of Bambu's error codes. */
const signs: Readonly<Record<FailureKind, RegExp>> = {
  run_out: /run[\s-]?out|ran out|filament (?:is )?(?:missing|empty|used up)|no filament|spool is empty/i,
  spaghetti: /spaghetti|printing in (?:the )?air|air printing|filament clump/i,
  adhesion: /adhes|detach|came (?:off|loose)|not stick|first[\s-]?layer (?:defect|inspection)|warp/i,
};

/** Returns the kind of failure that a reason describes; null if other settings cannot cure it. */
export function failureKindOf(reason: string): FailureKind | null {
  return failureKinds.find((kind) => signs[kind].test(reason)) ?? null;
}

/** The limits of all retries together: a quarter of the speed, and 15 °C more. */
const limits = { slowest: 0.25, hottest: 15 };

/** Returns how the next try differs from the last one, and in words; null if it does not. */
export function changedFor(
  kind: FailureKind | null,
  policy: RetryPolicy,
  last: RetrySettings,
): { settings: RetrySettings; words: string } | null {
  if (kind === null || !policy.has(kind)) return null;
  switch (kind) {
    case 'adhesion': {
      const factor = Math.max(limits.slowest, (last.first_layer_speed_factor ?? 1) * 0.6);
      const offset = Math.min(limits.hottest, (last.bed_temp_offset ?? 0) + 5);
      return {
        settings: { ...last, first_layer_speed_factor: factor, bed_temp_offset: offset },
        words: `the first layer at ${Math.round(factor * 100)} % of its speed, the bed ${offset} °C hotter`,
      };
    }
    case 'spaghetti': {
      const factor = Math.max(limits.slowest, (last.speed_factor ?? 1) * 0.7);
      return {
        settings: { ...last, speed_factor: factor },
        words: `everything at ${Math.round(factor * 100)} % of its speed`,
      };
    }
    case 'run_out':
      return { settings: last, words: 'from another spool; this one counts as empty' };
  }
}
