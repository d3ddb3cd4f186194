import { parseStatusMessage, type StatusMessage } from '../contracts/messages';
import { asError } from '../model/errors';
import { unstorableField } from '../model/text';
import type { Broker, Subscription } from './broker';
import type { DroppedMessages } from './dropped-messages';
import { statusExchange } from './topology';

/**
 * Delivers every message of the status bus from now on. Any other message, from any publisher, is dropped; a listener
 * that throws does not affect the next message.
 */
export function listenToStatus(
  { broker, dropped }: { broker: Broker; dropped: DroppedMessages },
  listener: (event: StatusMessage) => void,
): Promise<Subscription> {
  return broker.subscribeStatus(({ body }) => {
    try {
      const event = parseStatusMessage(body);
      const field = unstorableField(event);
      if (field !== undefined) throw new Error(`${field} contains a NUL or an unpaired surrogate.`);
      listener(event);
    } catch (error) {
      dropped.note(statusExchange, asError(error).message);
    }
    return Promise.resolve('accept');
  });
}
