import { atBroker } from './administrator';

/** Messages that the farm never sends: truncated, from another program, with wrong types, with text that no database accepts. */
export const poison: readonly string[] = [
  '{',
  '',
  'null',
  '[1, 2, 3]',
  '{"event":"job"}',
  '{"event":"bed","changed_at":"yesterday","changed_by":7}',
  '{"job_id":"00000000-0000-4000-8000-000000000000","attempt":{}}',
  '{"attempt":{"attempt_id":"\\u0000","printer_id":"\\ud800"},"job_id":"\\u0000"}',
  '\u0000\u0001\u0002',
];

/** Publishes a message as an external program would: to the fanout of status messages, or to the queue of a printer. */
export function publishPoison(
  url: string,
  target: { exchange: string } | { queue: string },
  body: string,
): Promise<boolean> {
  return atBroker(url, async (channel) => {
    const content = Buffer.from(body, 'utf8');
    if ('exchange' in target) {
      await channel.checkExchange(target.exchange);
      channel.publish(target.exchange, '', content);
    } else {
      await channel.checkQueue(target.queue);
      channel.sendToQueue(target.queue, content);
    }
    await channel.waitForConfirms();
  });
}
