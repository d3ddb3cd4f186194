import { parseDispatchMessage } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import type { IncomingMessage, Subscription } from '../messaging/broker';
import { deadLetterRecordQueue } from '../messaging/topology';
import { asError } from '../model/errors';
import { isUuid } from '../model/ids';
import { findAttempt } from '../store/attempts';
import { DatabaseUnavailableError } from '../store/database';
import { recordDeadMessage } from '../store/dead-letters';

/**
 * Records the messages that the broker dead-lettered in the table of dead letters, marking characters that no database can store. Those
 * of ended jobs are in the table already, and a dispatch that was only delivered too often is published again until an agent claims it.
 */
export function recordDeadLetters(farm: Farm): Promise<Subscription> {
  return farm.broker.consumeDeadLetters(async (message) => {
    const reason = await reasonToRecord(farm, message);
    if (reason === null) return 'accept';
    const id = message.messageId !== undefined && isUuid(message.messageId) ? message.messageId : undefined;
    try {
      await recordDeadMessage(farm.database, { id, reason, message: message.body });
    } catch (error) {
      // A message that the database cannot store today cannot be stored tomorrow.
      if (error instanceof DatabaseUnavailableError) throw error;
      farm.dropped.note(deadLetterRecordQueue, asError(error).message);
      return 'accept';
    }
    farm.log('warn', `A message was dead-lettered: ${reason}`);
    return 'accept';
  });
}

/** Returns null if there is nothing to record. */
async function reasonToRecord(farm: Farm, message: IncomingMessage): Promise<string | null> {
  if (isGivenUpJob(message.body)) return null;
  try {
    const dispatch = parseDispatchMessage(message.body);
    const attempt = await findAttempt(farm.database, dispatch.attempt.attempt_id);
    if (attempt) return null;
    return 'The dispatch names an attempt that does not exist.';
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'malformed_input') throw error;
    return `The message could not be read: ${(error as Error).message}`;
  }
}

function isGivenUpJob(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'reason' in body && 'job_id' in body && !('attempt' in body);
}
