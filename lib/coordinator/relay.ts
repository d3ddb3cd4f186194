import type { OutgoingMessage } from '../messaging/broker';
import { asError } from '../model/errors';
import type { DispatchMessage } from '../model/messages';
import { markFailed, markSent, type OutboxRow, resendUnclaimed, unsent } from '../store/outbox';
import type { Farm } from './farm';

const batch = 100;
const sweepInterval = 5000;
const destinations: Record<OutboxRow['kind'], OutgoingMessage['destination']> = {
  dispatch: 'jobs',
  status: 'status',
  dead_letter: 'dead_letters',
};

/**
 * Publishes what the outbox holds, oldest first, and marks it when the broker has confirmed it. Of all relays on one
 * database one works at a time, so that a job's messages keep their order. A message may be published twice, never not at
 * all.
 */
export class OutboxRelay {
  readonly #farm: Farm;
  readonly #onSent: (row: OutboxRow) => void;
  #unlisten: (() => void) | undefined;
  #offBroker: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  /** @param onSent told of every message that was published */
  constructor(farm: Farm, onSent: (row: OutboxRow) => void = () => undefined) {
    this.#farm = farm;
    this.#onSent = onSent;
  }

  async start(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    // A broker that forgot everything, the embedded one above all, gets every unclaimed dispatch again.
    await resendUnclaimed(this.#farm.database, 0);
    this.#unlisten = await this.#farm.database.listen((payload) => {
      if (payload === 'outbox' || payload === 'reconnected') this.wake();
    });
    this.#offBroker = this.#farm.broker.onState((state) => {
      if (state.status === 'connected') this.wake();
    });
    this.#timer = setInterval(() => this.wake(), sweepInterval);
    this.wake();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#unlisten?.();
    this.#offBroker?.();
    await this.#running;
    await this.#farm.database.locks.release('relay');
  }

  /** Publishes what waits, soon. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#drain()
      .catch((error: unknown) => this.#farm.log('warn', `The outbox could not be published: ${asError(error).message}`))
      .finally(() => {
        this.#running = undefined;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  async #drain(): Promise<void> {
    const { locks } = this.#farm.database;
    // Who cannot publish leaves it to another process that can.
    if (this.#farm.broker.state.status !== 'connected') return locks.release('relay');
    if (!(await locks.hold('relay'))) return;
    let after = 0;
    // A message that fails holds back the later ones of its own job, and nobody else's.
    const held = new Set<string>();
    for (;;) {
      const rows = await unsent(this.#farm.database, batch, after);
      for (const row of rows) {
        if (this.#stopped || this.#farm.broker.state.status !== 'connected') return;
        after = row.id;
        if (row.jobId !== null && held.has(row.jobId)) continue;
        if (!(await this.#publish(row)) && row.jobId !== null) held.add(row.jobId);
      }
      if (rows.length < batch) return;
    }
  }

  /** False if it must wait. */
  async #publish(row: OutboxRow): Promise<boolean> {
    if (row.attemptId !== null) this.#farm.passing('publish:before', row.attemptId);
    try {
      if (row.kind === 'dispatch') {
        await this.#farm.broker.declarePrinterQueue((row.body as DispatchMessage).attempt.printer_id);
      }
      await this.#farm.broker.publish({
        destination: destinations[row.kind],
        routingKey: row.routingKey,
        messageId: row.messageId,
        body: row.body,
      });
    } catch (error) {
      await markFailed(this.#farm.database, row.id, asError(error).message);
      this.#farm.log('warn', `A message waits in the outbox: ${asError(error).message}`);
      return false;
    }
    if (row.attemptId !== null) this.#farm.passing('publish:after', row.attemptId);
    await markSent(this.#farm.database, row.id);
    this.#onSent(row);
    return true;
  }
}
