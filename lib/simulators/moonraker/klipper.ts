import { faultNumber } from '../faults';
import type { GcodeFacts } from '../gcode-duration';
import { heatUpSeconds } from '../gcode-duration';
import type { Machine } from '../machine';
import type { EngineChange } from '../print-engine';
import { filamentUsed, type Interruption, type Stage } from '../print-run';
import { LostReply, MoonrakerError } from './errors';
import { klipperFeeds, klipperTools } from './extruders';
import type { GcodeStore } from './gcode-store';
import type { History } from './history';
import type { Hub } from './hub';
import { printStats } from './printer-objects';
import type { Profile } from './profiles';
import { emptyStats, type HistoryJob, type MoonrakerState, READY_MESSAGE, SHUTDOWN_MESSAGE } from './state';

/** Moves to the parking place after a pause or a cancel, in printer seconds. */
const PARK_SECONDS = 2;
/** From a restart of Klipper until it is ready, in printer seconds; never less than the wall time below. */
const RESTART_SECONDS = 2;
const RESTART_LEAST_MS = 150;
/** From the answer to a start until its record in the history: up to 250 ms on a real one (protocol notes, section 5). */
const RECORD_LAG_MS = 100;

/** The messages of failed prints, by the cause that a fault names. */
const FAILURES: Readonly<Record<string, string>> = {
  fault: 'Move out of range: 9999.000 105.000 10.000 [17.000]',
  fan: "The value 'fan3' is not valid for PIN",
};

/** The stages of a print on this machine: heating is done by the file itself, `printing` begins with the start. */
export function stagesOf(facts: GcodeFacts): Stage[] {
  return [
    { name: 'heating', seconds: heatUpSeconds(facts) },
    { name: 'printing', seconds: facts.seconds },
  ];
}

/** A command for which Klipper gives the print up: the state error, with its message, and no shutdown. */
function fileError({ error, seconds }: GcodeFacts): Interruption[] {
  if (error === undefined) return [];
  return [{ stage: 'printing', at: Math.min(1, error.seconds / seconds), kind: 'fail', cause: error.message }];
}

/** Klipper: one queue of g-code, print control by macros, and the states ready, shutdown, startup, disconnected. */
export class Klipper {
  #queue: Promise<unknown> = Promise.resolve();
  /** Writes the history record immediately; normally it follows the status update by a moment. */
  #pendingRecord: (() => void) | undefined;
  #lastTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly machine: Machine<MoonrakerState>,
    private readonly profile: Profile,
    private readonly files: GcodeStore,
    private readonly history: History,
    private readonly hub: Hub,
  ) {
    machine.engine.on('change', (change) => this.#onChange(change));
  }

  /** @throws MoonrakerError with the message of a printer that is not ready */
  requireConnected(): void {
    if (this.machine.extra.klippy === 'disconnected') throw new MoonrakerError(503, 'Klippy Host not connected');
  }

  requireReady(): void {
    this.requireConnected();
    const { klippy, klippyMessage } = this.machine.extra;
    if (klippy !== 'ready') throw new MoonrakerError(400, klippyMessage, 'klipper');
  }

  /** printer.print.start: ok once the file is open; everything else happens inside the print. */
  async start(path: string): Promise<'ok'> {
    const { engine, faults } = this.machine;
    const file = this.files.find(path);
    const described = {
      fileName: path,
      sha256: file?.sha256 ?? '',
      size: file?.size ?? 0,
      identity: { file_name: path },
    };
    const refuse = (error: MoonrakerError): never => {
      this.machine.logStart(described, error.message.split('\n')[0] ?? error.message);
      throw error;
    };
    try {
      this.requireReady();
    } catch (error) {
      if (error instanceof MoonrakerError) refuse(error);
      throw error;
    }
    const slow = faults.take('slow_start');
    if (slow !== undefined) await wait(faultNumber(slow, 'seconds', 5) * 1000);
    return this.#queued<'ok'>(async () => {
      const facts =
        file === undefined
          ? undefined
          : await this.machine.facts(file.sha256, this.files.diskPath(file.path), klipperTools(this.machine));
      if (engine.run !== null) return refuse(new MoonrakerError(400, 'SD busy', 'klipper'));
      if (this.machine.extra.klippy !== 'ready') {
        return refuse(new MoonrakerError(503, 'Klippy Disconnected'));
      }
      // An extension in capital letters is stored but never starts (protocol notes, section 4).
      if (file === undefined || facts === undefined || !/\.(gcode|g|gco)$/.test(path)) {
        this.machine.extra.idleStats = emptyStats();
        this.machine.persist();
        return refuse(new MoonrakerError(400, 'Unable to open file', 'klipper'));
      }
      this.machine.logStart(described);
      if (faults.take('start_ignored') !== undefined) return 'ok';
      this.hub.notify('notify_gcode_response', [`File opened:${path} Size:${file.size}`]);
      this.hub.notify('notify_gcode_response', ['File selected']);
      engine.accept({
        ...described,
        foreign: false,
        facts,
        feeds: klipperFeeds(this.machine, facts),
        toolTargets: facts.nozzleTargets,
        stages: stagesOf(facts),
        interruptions: [...this.machine.takeInterruptions(), ...fileError(facts)].sort((a, b) => a.at - b.at),
      });
      if (faults.take('start_reply_lost') !== undefined) throw new LostReply();
      return 'ok';
    });
  }

  /** The PAUSE macro. Queued behind a heat-up; may have no effect and still answer ok. */
  pause(): Promise<'ok'> {
    this.requireReady();
    return this.#queued<'ok'>(async () => {
      if (this.machine.faults.take('pause_ignored') !== undefined) return 'ok';
      await this.#heated();
      const { engine } = this.machine;
      if (engine.run === null || engine.run.paused !== null) return 'ok';
      await wait(engine.wall(PARK_SECONDS));
      engine.pause('user');
      return 'ok';
    });
  }

  /** The RESUME macro. On stock Giga macros it halts a print that is not paused (protocol notes, section 6). */
  resume(): Promise<'ok'> {
    this.requireReady();
    return this.#queued<'ok'>(async () => {
      const { engine } = this.machine;
      if (engine.run?.paused != null) {
        await wait(engine.wall(PARK_SECONDS));
        engine.resume();
      } else if (engine.run !== null && this.profile.gigaMacros) {
        engine.pause('resume_macro');
      }
      return 'ok';
    });
  }

  /** The CANCEL_PRINT macro. */
  cancel(reason: 'client' | 'screen' = 'client'): Promise<'ok'> {
    this.requireReady();
    return this.#queued<'ok'>(async () => {
      const { engine } = this.machine;
      await this.#heated();
      if (engine.run === null) {
        if (this.profile.gigaMacros) this.#resetStats();
        return 'ok';
      }
      if (engine.run.paused !== null) {
        // The answer comes before the news.
        setTimeout(() => engine.stop('stopped', reason), 5);
        return 'ok';
      }
      engine.stop('stopped', reason);
      await wait(engine.wall(PARK_SECONDS));
      return 'ok';
    });
  }

  /** Not queued. The order of what follows is the recorded one (protocol notes, section 7). */
  emergencyStop(): 'ok' {
    this.requireConnected();
    setTimeout(() => this.#shutDown(), 5);
    return 'ok';
  }

  /** printer.restart and printer.firmware_restart: Klipper goes away and comes back with nothing running. */
  restart(): 'ok' {
    this.requireConnected();
    setTimeout(() => void this.#restartNow('klippy_disconnect'), 5);
    return 'ok';
  }

  /** Runs g-code of the few kinds that make a difference to a client. */
  async script(text: string): Promise<'ok'> {
    const lines = text.split('\n').map((line) => line.trim());
    if (lines.some((line) => /^M112\b/i.test(line))) return this.emergencyStop();
    if (lines.some((line) => /^(FIRMWARE_)?RESTART$/i.test(line))) return this.restart();
    const information = lines.every((line) => /^(M105|M114|M115|M117.*|)$/i.test(line));
    this.requireConnected();
    if (!information) this.requireReady();
    for (const line of lines) await this.#gcode(line);
    return 'ok';
  }

  /** Brings Klipper into a state that only a fault can cause. */
  fail(state: 'error' | 'shutdown' | 'disconnected', message: string): void {
    if (state === 'shutdown') {
      this.#shutDown(message);
      return;
    }
    this.machine.extra.klippy = state;
    this.machine.extra.klippyMessage = message;
    this.machine.engine.stop('stopped', 'klippy_disconnect');
    this.machine.persist();
    this.hub.notify('notify_klippy_disconnected');
    this.hub.forgetSubscriptions();
  }

  /** Moonraker stops: the open record is closed, and what becomes of the print will not be recorded. */
  moonrakerStops(): void {
    this.#pendingRecord?.();
    const job = this.history.finish('server_exit');
    if (job === undefined) return;
    this.machine.extra.recordClosed = true;
    this.machine.persist();
    this.hub.notify('notify_history_changed', [{ action: 'finished', job: this.history.show(job) }]);
  }

  /** After a power cut the stock firmware continues with a file that it wrote for that purpose. */
  recoverFromPowerLoss(): void {
    const { engine } = this.machine;
    const { last } = engine;
    if (last === null || last.reason !== 'power_loss' || engine.run !== null) return;
    const name = `plr/${last.job.fileName}`;
    engine.accept({ ...last.job, fileName: name, identity: { file_name: name }, interruptions: [] });
  }

  /** The state after a power cut and the boot that follows. */
  async reboot(): Promise<void> {
    this.machine.extra.klippy = 'disconnected';
    this.machine.persist();
    await wait(this.#restartMilliseconds());
    this.#becomeReady();
  }

  close(): void {
    clearTimeout(this.#lastTimer);
  }

  async #gcode(line: string): Promise<void> {
    if (/^PAUSE$/i.test(line)) await this.pause();
    else if (/^RESUME$/i.test(line)) await this.resume();
    else if (/^CANCEL_PRINT$/i.test(line)) await this.cancel();
    else if (/^SDCARD_RESET_FILE$/i.test(line)) {
      if (this.machine.engine.run !== null) throw new MoonrakerError(400, 'SD busy', 'klipper');
      this.#resetStats();
    } else if (/^M117\b/i.test(line)) {
      this.machine.extra.displayMessage = line.slice(4).trim() || null;
      this.machine.persist();
    } else if (/^G4\b/i.test(line)) {
      const milliseconds =
        Number(/P([0-9.]+)/i.exec(line)?.[1] ?? 0) || 1000 * Number(/S([0-9.]+)/i.exec(line)?.[1] ?? 0);
      await this.#queued(() => wait(this.machine.engine.wall(milliseconds / 1000)));
    }
  }

  #queued<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Resolves once the file has done with its heating, or the run is over. */
  #heated(): Promise<void> {
    const { engine } = this.machine;
    const waiting = (): boolean =>
      engine.run !== null && engine.run.paused === null && engine.progress?.stage === 'heating';
    if (!waiting()) return Promise.resolve();
    return new Promise((resolve) => {
      const listener = (): void => {
        if (waiting()) return;
        engine.off('change', listener);
        resolve();
      };
      engine.on('change', listener);
    });
  }

  #resetStats(): void {
    this.machine.extra.idleStats = emptyStats();
    this.machine.persist();
    this.hub.flush();
  }

  #onChange(change: EngineChange): void {
    const { engine } = this.machine;
    if (change === 'accepted' && engine.run !== null) {
      this.machine.extra.recordClosed = false;
      const { fileName } = engine.run.job;
      this.#pendingRecord = () => {
        this.#pendingRecord = undefined;
        clearTimeout(this.#lastTimer);
        if (engine.run !== null) this.hub.flush();
        const job = this.history.begin(fileName);
        this.hub.notify('notify_history_changed', [{ action: 'added', job: this.history.show(job) }]);
      };
      this.#lastTimer = setTimeout(() => this.#pendingRecord?.(), RECORD_LAG_MS);
      return;
    }
    if (change === 'ended') this.#ended();
    else if (change !== 'started' && change !== 'plate_cleared') this.hub.flush();
  }

  #ended(): void {
    const { engine, extra } = this.machine;
    const { last } = engine;
    if (last === null) return;
    const recorded = !extra.recordClosed;
    if (recorded && this.#pendingRecord === undefined && this.history.open === undefined) {
      this.history.begin(last.job.fileName);
    }
    this.#pendingRecord?.();
    const layers = last.job.facts.layers;
    const stats = {
      filename: last.job.fileName,
      total_duration: last.totalSeconds,
      print_duration: last.printSeconds,
      filament_used: filamentUsed(last.job, last.fraction),
      message: '',
      info: { total_layer: layers, current_layer: Math.min(layers, 1 + Math.floor(last.fraction * layers)) },
    };
    let status: HistoryJob['status'];
    if (last.outcome === 'finished') {
      this.hub.notify('notify_gcode_response', ['Done printing file']);
      extra.idleStats = { ...stats, state: 'complete' };
      status = 'completed';
    } else if (last.outcome === 'failed') {
      const message = FAILURES[last.reason] ?? last.reason;
      this.hub.notify('notify_gcode_response', [`!! ${message.split('\n')[0]}`]);
      extra.idleStats = { ...stats, state: 'error', message };
      status = 'error';
    } else if (last.reason === 'power_loss') {
      extra.idleStats = emptyStats();
      status = this.profile.legacy ? 'in_progress' : 'interrupted';
    } else if (last.reason === 'klippy_shutdown') {
      extra.idleStats = { ...stats, state: 'paused' };
      status = 'klippy_shutdown';
    } else if (last.reason === 'klippy_disconnect') {
      extra.idleStats = emptyStats();
      status = 'klippy_disconnect';
    } else {
      extra.idleStats = this.profile.gigaMacros ? emptyStats() : { ...stats, state: 'cancelled' };
      status = 'cancelled';
    }
    this.machine.persist();
    this.hub.flush();
    const job = this.history.finish(status);
    if (job !== undefined && status !== 'in_progress') {
      this.hub.notify('notify_history_changed', [{ action: 'finished', job: this.history.show(job) }]);
    }
  }

  #shutDown(message = SHUTDOWN_MESSAGE): void {
    const { extra, engine } = this.machine;
    extra.klippy = 'shutdown';
    extra.klippyMessage = message;
    if (engine.run === null) extra.idleStats = printStats(this.machine);
    this.machine.persist();
    this.hub.notify('notify_klippy_shutdown');
    if (!engine.stop('stopped', 'klippy_shutdown')) this.hub.flush();
  }

  async #restartNow(reason: string): Promise<void> {
    const { extra, engine } = this.machine;
    extra.klippy = 'disconnected';
    extra.klippyMessage = 'Printer is not ready';
    this.machine.persist();
    this.hub.notify('notify_klippy_disconnected');
    this.hub.forgetSubscriptions();
    engine.stop('stopped', reason);
    const milliseconds = this.#restartMilliseconds();
    await wait(milliseconds / 2);
    extra.klippy = 'startup';
    this.machine.persist();
    await wait(milliseconds / 2);
    this.#becomeReady();
  }

  #restartMilliseconds(): number {
    return Math.max(RESTART_LEAST_MS, this.machine.engine.wall(RESTART_SECONDS));
  }

  #becomeReady(): void {
    const { extra } = this.machine;
    extra.klippy = 'ready';
    extra.klippyMessage = READY_MESSAGE;
    extra.idleStats = emptyStats();
    this.machine.persist();
    this.hub.notify('notify_klippy_ready');
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.min(milliseconds, 2 ** 31 - 1));
  });
}
