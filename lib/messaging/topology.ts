/**
 * The names that every process declares identically.
 *
 * - exchange `fabrication` (topic, durable): dispatches, routing key = queue name
 * - queue `fabrication.jobs.<printer>` (durable, quorum): one per printer, dead-letters to `fabrication.dlx`
 * - exchange `fabrication.dlx` (fanout, durable) → queue `fabrication.jobs.dlq` (durable, quorum), for operators
 *   and other programs to inspect, and `fabrication.jobs.dlq.record` (durable, quorum), which Platewise consumes
 * - exchange `fabrication.status` (fanout, durable): one exclusive queue per listener
 */
export const jobsExchange = 'fabrication';
export const deadLetterExchange = 'fabrication.dlx';
export const deadLetterQueue = 'fabrication.jobs.dlq';
/** Messages to be recorded in the table of dead letters, which is the source of truth. */
export const deadLetterRecordQueue = 'fabrication.jobs.dlq.record';
export const statusExchange = 'fabrication.status';

/** How often a message is delivered before the broker dead-letters it. */
export const deliveryLimit = 5;

/** Returns the queue, and routing key, of a printer's dispatches. */
export function printerQueue(printerId: string): string {
  return `fabrication.jobs.${printerId}`;
}

/**
 * How many messages are kept on `fabrication.jobs.dlq`; the oldest are removed first. The table of dead letters keeps all of them.
 * It is not an argument of the queue, because an existing queue cannot be declared with other arguments, and not a policy,
 * which would require an administrator: the publishing process trims the queue.
 */
export const deadLetterQueueLength = 1000;
