import { parseStatusMessage, type StatusMessage } from '../contracts/messages';
import { asError } from '../model/errors';
import { unstorableField } from '../model/text';
import type { Broker, Subscription } from './broker';
import type { DroppedMessages } from './dropped-messages';
import { statusExchange } from './topology';

/**
 * Tells every message of the status bus from now on. What is no such message, whoever published it, is dropped; a listener
 * that throws keeps nobody from hearing the next one.
 */
export function listenToStatus(
  { broker, dropped }: { broker: Broker; dropped: DroppedMessages },
  told: (event: StatusMessage) => void,
): Promise<Subscription> {
  return broker.subscribeStatus(({ body }) => {
    try {
      const event = parseStatusMessage(body);
      const field = unstorableField(event);
      if (field !== undefined) throw new Error(`${field} holds a NUL or half of a character.`);
      told(event);
    } catch (error) {
      dropped.note(statusExchange, asError(error).message);
    }
    return Promise.resolve('accept');
  });
}
