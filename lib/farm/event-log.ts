import { createWriteStream, type WriteStream } from 'node:fs';
import type { Broker, Subscription } from '../messaging/broker';
import type { DroppedMessages } from '../messaging/dropped-messages';
import { listenToStatus } from '../messaging/status-listener';
import type { LogLevel } from '../model/log';
import type { Moment } from '../model/moments';
import { Redactor } from '../model/redact';

/** Environment variables that hold secrets of printers. */
const secretVariable = /^PLATEWISE_.*_(ACCESS_CODE|API_KEY|TOKEN)$/;

/**
 * A log for programs: one line of JSON per notable event, `{time, level, event, …}`, with the ids that it concerns. It is off unless
 * a target is given. Node-RED's own log is separate.
 */
export class EventLog {
  readonly redactor = new Redactor();
  readonly #write: ((line: string) => void) | undefined;
  readonly #file: WriteStream | undefined;
  #subscription: Subscription | undefined;

  /**
   * @param target a file to append to, or `-` for the standard output; undefined: nothing is written
   * @param onProblem called when the file cannot be written
   */
  constructor(target: string | undefined, onProblem: (error: Error) => void) {
    for (const [name, value] of Object.entries(process.env)) if (secretVariable.test(name)) this.redactor.hide(value);
    if (target === undefined) return;
    if (target === '-') {
      this.#write = (line) => process.stdout.write(line);
    } else {
      const file = createWriteStream(target, { flags: 'a', mode: 0o600 });
      file.on('error', onProblem);
      this.#file = file;
      this.#write = (line) => file.write(line);
    }
  }

  /** Writes one line. `fields` are those of the event; secrets in them are redacted. */
  write(level: LogLevel, event: string, fields: Record<string, unknown>): void {
    if (!this.#write) return;
    const shown = this.redactor.value(fields) as Record<string, unknown>;
    this.#write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...shown })}\n`);
  }

  /** Writes that an attempt has passed a moment. */
  attempt(moment: Moment, attemptId: string): void {
    // A `:before` moment is only about to happen; a line records what has happened.
    if (!moment.endsWith(':before')) this.write('info', 'attempt', { attempt_id: attemptId, moment });
  }

  /** Writes every message of the status bus from now on: changes of jobs and beds, low stock. */
  async follow(broker: Broker, dropped: DroppedMessages): Promise<void> {
    if (!this.#write) return;
    this.#subscription = await listenToStatus({ broker, dropped }, ({ event, ...fields }) =>
      this.write('info', event, fields),
    );
  }

  async close(): Promise<void> {
    await this.#subscription?.cancel();
    await new Promise<void>((resolve) => (this.#file ? this.#file.end(resolve) : resolve()));
  }
}
