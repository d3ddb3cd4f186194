import { createHash } from 'node:crypto';
import type { JobSubmission } from '../contracts/messages';
import { MalformedInputError, PlatewiseError, UnacceptableInputError } from '../model/errors';
import type { KeyedSubmission } from '../store/idempotency-keys';

/** An Idempotency-Key with its submission: the same key never creates a second job. */
export class SubmissionKey {
  readonly key: string;
  /** Equal for equal submissions, regardless of the order of their fields. */
  readonly digest: string;

  /** @throws MalformedInputError the key is invalid */
  constructor(key: string, submission: JobSubmission) {
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      const remedy = 'Send 1 to 255 printable characters without blanks.';
      throw new MalformedInputError('The Idempotency-Key cannot be read.', [
        { field: 'Idempotency-Key', value: key.slice(0, 300), remedy },
      ]);
    }
    this.key = key;
    this.digest = createHash('sha256').update(JSON.stringify(submission, sorted)).digest('hex');
  }

  /** @throws UnacceptableInputError the key was used for another submission */
  checkSame(earlier: KeyedSubmission): void {
    if (earlier.requestDigest === this.digest) return;
    throw new UnacceptableInputError(
      'The Idempotency-Key was used for another submission.',
      [{ field: 'Idempotency-Key', value: this.key, remedy: 'Use a new key for a new job.' }],
      'idempotency_key_reused',
    );
  }
}

function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A concurrent request is creating a job with the same key. */
export class KeyInUseError extends PlatewiseError {
  constructor() {
    super('Another request is creating a job with this Idempotency-Key.', {
      code: 'idempotency_key_in_use',
      retryable: true,
      remedy: 'Send the request again.',
    });
  }
}
