/**
 * The names that every process declares alike.
 *
 * - exchange `fabrication` (topic, durable): dispatches, routing key = queue name
 * - queue `fabrication.jobs.<printer>` (durable, quorum): one per printer, dead-letters to `fabrication.dlx`
 * - exchange `fabrication.dlx` (fanout, durable) → queue `fabrication.jobs.dlq` (durable, quorum), which is for people
 *   and other programs to look at, and `fabrication.jobs.dlq.record` (durable, quorum), which Platewise consumes
 * - exchange `fabrication.status` (fanout, durable): one exclusive queue per listener
 */
export const jobsExchange = 'fabrication';
export const deadLetterExchange = 'fabrication.dlx';
export const deadLetterQueue = 'fabrication.jobs.dlq';
/** What is to be recorded in the table of dead letters, which is the truth. */
export const deadLetterRecordQueue = 'fabrication.jobs.dlq.record';
export const statusExchange = 'fabrication.status';

/** How often a message is delivered before the broker gives it up. */
export const deliveryLimit = 5;

/** Queue, and routing key, of a printer's dispatches. */
export function printerQueue(printerId: string): string {
  return `fabrication.jobs.${printerId}`;
}

/**
 * So many messages are kept on `fabrication.jobs.dlq`; the oldest go first. The table of dead letters keeps all of them.
 * It is no argument of the queue, because a queue that exists cannot be declared again with other arguments, and no policy,
 * which would need an administrator: whoever publishes takes off what is too much.
 */
export const deadLetterQueueLength = 1000;
