import { setTimeout as pause } from 'node:timers/promises';
import type { DispatchMessage } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import type { OutgoingMessage } from '../messaging/broker';
import { deadLetterQueueLength } from '../messaging/topology';
import { asError } from '../model/errors';
import { Seldom } from '../model/seldom';
import {
  dropOvertakenDispatches,
  markFailed,
  markSent,
  type OutboxRow,
  resendUnclaimed,
  unsent,
} from '../store/outbox';
import { Gathered } from './gathered';
import { holdBack, Lanes } from './lanes';

/** The maximum number of messages in flight. */
const window = 64;
const sweepInterval = 5000;
const choreInterval = 60_000;
/** How long stopping waits for messages in flight (ms). */
const stopLimit = 3000;
const destinations: Record<OutboxRow['kind'], OutgoingMessage['destination']> = {
  dispatch: 'jobs',
  status: 'status',
  dead_letter: 'dead_letters',
};

/** The lock of the publishing process, among all processes on one database. */
export const relayLock = 'relay';

/**
 * Publishes the rows of the outbox and marks them once the broker has confirmed them: jobs with a dispatch first, then the oldest
 * message. Many messages are in flight concurrently, but only the oldest of each job and of each bed; a failed one holds back
 * those behind it, and no others. Only one relay at a time works on a database. A message may be published twice,
 * but is never lost.
 */
export class OutboxRelay {
  readonly #farm: Farm;
  readonly #onSent: (row: OutboxRow) => void;
  readonly #seldom = new Seldom();
  readonly #sent: Gathered<number>;
  readonly #lanes = new Lanes();
  /** The messages in flight. */
  readonly #flights = new Set<Promise<void>>();
  #unlisten: (() => void) | undefined;
  #offBroker: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** Something has happened that the current round may have missed. */
  #woken = false;
  #wakeRound: () => void = () => undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #choresAt = Number.NEGATIVE_INFINITY;
  #stopped = true;

  /** @param onSent called with every published message */
  constructor(farm: Farm, onSent: (row: OutboxRow) => void = () => undefined) {
    this.#farm = farm;
    this.#onSent = onSent;
    this.#sent = new Gathered((ids) => markSent(farm.database, ids));
  }

  async start(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#sweptAt = Number.NEGATIVE_INFINITY;
    // A broker that has lost its messages, such as the embedded one, receives every unclaimed dispatch again.
    await resendUnclaimed(this.#farm.database, 0);
    this.#unlisten = await this.#farm.database.listenFor('outbox', () => this.wake());
    this.#offBroker = this.#farm.broker.onState((state) => {
      // Messages that failed because of the broker need not wait any longer.
      if (state.status === 'connected') this.#lanes.release();
      this.wake();
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
    this.#wakeRound();
    await this.#running;
    const landed = Promise.all(this.#flights);
    await Promise.race([landed, pause(stopLimit, undefined, { ref: false })]);
    await this.#farm.database.locks.release(relayLock);
  }

  /** Publishes waiting messages soon. */
  wake(): void {
    if (this.#stopped) return;
    this.#woken = true;
    this.#wakeRound();
    this.#running ??= this.#round()
      .catch((error: unknown) => this.#complain(asError(error)))
      .finally(() => {
        this.#running = undefined;
        if (this.#woken) this.wake();
      });
  }

  async #round(): Promise<void> {
    const { locks } = this.#farm.database;
    for (;;) {
      this.#woken = false;
      if (this.#stopped) return;
      // If we cannot publish, release the lock.
      const { state } = this.#farm.broker;
      if (state.status !== 'connected' || state.blocked !== undefined) return locks.release(relayLock);
      if (!(await locks.hold(relayLock))) return;
      await this.#sweep();
      const rows = await this.#next();
      for (const row of rows) this.#send(row);
      if (this.#lanes.flying === 0 && !this.#woken) return;
      await this.#somethingHappens();
    }
  }

  /** Returns the rows that can be published now and are not in flight. */
  async #next(): Promise<OutboxRow[]> {
    const room = window - this.#lanes.flying;
    if (room <= 0) return [];
    return unsent(this.#farm.database, room, this.#lanes.busy(performance.now()));
  }

  #send(row: OutboxRow): void {
    this.#lanes.depart(row);
    let failedAt: number | undefined;
    const landed = this.#publish(row)
      .then((published) => {
        if (published) return;
        failedAt = performance.now();
        setTimeout(() => this.wake(), holdBack).unref();
      })
      .finally(() => {
        this.#flights.delete(landed);
        this.#lanes.land(row, failedAt);
        this.#woken = true;
        this.#wakeRound();
      });
    this.#flights.add(landed);
  }

  /** Resolves when a message has arrived or failed, or the relay was woken. */
  #somethingHappens(): Promise<void> {
    if (this.#woken || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeRound = resolve;
    });
  }

  /** Resolves to false if the message must wait. Never rejects. */
  async #publish(row: OutboxRow): Promise<boolean> {
    try {
      if (row.attemptId !== null) this.#farm.passing('publish:before', row.attemptId);
      if (row.kind === 'dispatch') {
        await this.#farm.broker.declarePrinterQueue((row.body as DispatchMessage).attempt.printer_id);
      }
      await this.#farm.broker.publish({
        destination: destinations[row.kind],
        routingKey: row.routingKey,
        messageId: row.messageId,
        body: row.body,
      });
      if (row.attemptId !== null) this.#farm.passing('publish:after', row.attemptId);
      await this.#sent.add(row.id);
    } catch (thrown) {
      const error = asError(thrown);
      this.#complain(error);
      await markFailed(this.#farm.database, row.id, error.message).catch(() => undefined);
      return false;
    }
    this.#onSent(row);
    return true;
  }

  #complain({ message }: Error): void {
    if (this.#seldom.due(message) !== undefined) this.#farm.log('warn', `Messages wait in the outbox: ${message}`);
  }

  /** Periodic work of the publishing process. */
  async #sweep(): Promise<void> {
    const now = performance.now();
    if (now - this.#sweptAt < sweepInterval) return;
    this.#sweptAt = now;
    await dropOvertakenDispatches(this.#farm.database).catch((error: unknown) => this.#complain(asError(error)));
    if (now - this.#choresAt < choreInterval) return;
    this.#choresAt = now;
    this.#farm.broker.trimDeadLetters(deadLetterQueueLength).catch((error: unknown) => {
      this.#farm.log('warn', `The dead-letter queue could not be trimmed: ${asError(error).message}`);
    });
  }
}
