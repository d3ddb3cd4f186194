import { createHash } from 'node:crypto';
import type { Machine } from '../machine';
import type { EngineChange } from '../print-engine';
import { temperaturesOf } from '../temperatures';
import { ANSWER, type Frame, PEER, REQUEST } from './frame';
import {
  PAUSING_SECONDS,
  printPosition,
  RESUMING_SECONDS,
  STATUS,
  STOPPING_SECONDS,
  systemStatus,
} from './machine-status';
import { PayloadReader, PayloadWriter } from './payload';
import type { Session } from './session';
import type { SnapmakerState } from './state';
import { NOZZLES, nozzleName } from './tools';

const RESULT = { ok: 0, badSet: 4, badId: 5, badParameter: 6, badKey: 7, noResource: 9, invalidState: 13, blocked: 17 };
const JOB = { noWork: 205, notPaused: 206, noPowerLoss: 208, filamentRunout: 222, doorOpen: 227 };
/** Why a job stopped or paused (protocol notes, section 4.10). */
const ISSUE = { finished: 0, emergency: 8, stopped: 12, resumed: 21, exception: 22 };
/** The controller's notice of a pause without a request. */
const PAUSE_ISSUES: Readonly<Record<string, number>> = { file_pause: 1, feed_lost: 7, door_opens: 16 };
const BOARD_CELSIUS = 41.5;
const HEAD_KEY = 8;
const BED_KEY = 5;
const SHORTEST_PERIOD_MS = 500;
const FIRMWARE = 'V2.3.4-0624';
const RUNOUT_EXCEPTION = { level: 0, owner: 13, state: 11 };

interface Subscription {
  period: number;
  timer: NodeJS.Timeout;
}

/** The motion controller, peer 1: state pushes, job control, modules. It talks to the client through the screen. */
export class Controller {
  readonly #subscriptions = new Map<number, Subscription>();
  #sequence = 0x1234;
  #session: Session | undefined;
  #controlBusy = false;
  /** Who asked for the stop that is under way: only a requester gets the outcome. */
  #stopRequested = false;

  constructor(
    private readonly machine: Machine<SnapmakerState>,
    private readonly serial: string,
  ) {
    machine.engine.on('change', (change) => this.#onChange(change));
  }

  /** The client that frames go to, undefined when there is none. */
  set session(session: Session | undefined) {
    this.#session = session;
    if (session === undefined) this.unsubscribeAll();
  }

  unsubscribeAll(): void {
    for (const { timer } of this.#subscriptions.values()) clearInterval(timer);
    this.#subscriptions.clear();
  }

  handle(session: Session, frame: Frame): void {
    // Answers to requests of ours that were given up.
    if (frame.attribute !== REQUEST) return;
    const command = (frame.commandSet << 8) | frame.commandId;
    try {
      this.#command(session, frame, command);
    } catch {
      session.answer(frame, Buffer.from([RESULT.badParameter]));
    }
  }

  /** Handles the emergency stop button. */
  emergencyStop(): void {
    this.machine.extra.emergencyStopped = true;
    this.machine.persist();
    this.machine.engine.stop('stopped', 'emergency');
    this.#tell(0x0400, new PayloadWriter().u8(0).u16(517).u8(1, 0).bytes());
    this.#tell(0xac01, Buffer.from([ISSUE.emergency]));
  }

  #command(session: Session, frame: Frame, command: number): void {
    const reader = new PayloadReader(frame.payload);
    const answer = (payload: Buffer): void => session.answer(frame, payload);
    const result = (code: number): void => answer(Buffer.from([code]));
    switch (command) {
      case 0x0100:
        result(this.#subscribe((reader.u8() << 8) | reader.u8(), reader.u16()));
        return;
      case 0x0101:
        result(this.#unsubscribe((reader.u8() << 8) | reader.u8()));
        return;
      case 0x0107:
        this.unsubscribeAll();
        result(RESULT.ok);
        return;
      case 0x0102:
        result(Buffer.byteLength(reader.string()) < 96 ? RESULT.ok : RESULT.badParameter);
        return;
      case 0x0110:
      case 0x0135:
        result(RESULT.ok);
        return;
      case 0x0120:
        answer(this.#moduleList());
        return;
      case 0x0121:
        answer(
          new PayloadWriter()
            .u8(RESULT.ok, 3, 1)
            .u32(Number.parseInt(this.machine.hardwareId, 16))
            .string(FIRMWARE)
            .string(this.serial)
            .bytes(),
        );
        return;
      case 0x0122:
        answer(this.#size());
        return;
      case 0x0123:
        answer(new PayloadWriter().u8(RESULT.ok).float(BOARD_CELSIUS).bytes());
        return;
      case 0x0130:
        answer(this.#coordinates());
        return;
      case 0x0402:
        answer(this.#exceptions());
        return;
      case 0x1001:
        if (reader.u8() !== HEAD_KEY) {
          result(RESULT.badKey);
          return;
        }
        answer(
          new PayloadWriter()
            .u8(RESULT.ok, HEAD_KEY, 2, 0)
            .raw(this.#nozzles())
            .u8(3, 0, 0, 128, 1, 0, 128, 2, 0, 0)
            .bytes(),
        );
        return;
      case 0x1002:
      case 0x1006:
        result(reader.u8() === HEAD_KEY ? RESULT.ok : RESULT.badKey);
        return;
      case 0x1401:
        reader.u8() === BED_KEY ? answer(this.#bed()) : result(RESULT.badKey);
        return;
      case 0x1402:
        result(reader.u8() === BED_KEY ? RESULT.ok : RESULT.badKey);
        return;
      case 0xac00:
        this.#fileInfo();
        return;
      case 0xac03:
      case 0xac0e:
      case 0xac10:
        result(command === 0xac03 ? RESULT.invalidState : RESULT.ok);
        return;
      case 0xac04:
        this.#pause(session, frame);
        return;
      case 0xac05:
        this.#resume(session, frame);
        return;
      case 0xac06:
        this.#stop(session, frame);
        return;
      case 0xac07:
        answer(this.#interrupted());
        return;
      case 0xac08:
        this.#recover(session, frame);
        return;
      case 0xac09:
        result(this.machine.extra.interrupted === null ? JOB.noPowerLoss : RESULT.ok);
        this.machine.extra.interrupted = null;
        this.machine.persist();
        return;
      case 0xac1a:
        // Never answered (protocol notes, section 4.8).
        return;
      default:
        result([0x01, 0x04, 0x10, 0x14, 0xac].includes(frame.commandSet) ? RESULT.badId : RESULT.badSet);
        return;
    }
  }

  // Subscriptions ----------------------------------------------------------------------------------------------------

  #subscribe(item: number, period: number): number {
    if (this.#payloadOf(item) === undefined) return RESULT.noResource;
    if (period < SHORTEST_PERIOD_MS) return RESULT.badParameter;
    clearInterval(this.#subscriptions.get(item)?.timer);
    // Periods are wall time; the first push comes one period after the subscription.
    const timer = setInterval(() => this.#push(item), period);
    this.#subscriptions.set(item, { period, timer });
    return RESULT.ok;
  }

  /** Answers 6 for anything but the first entry of the table, but still unsubscribes. */
  #unsubscribe(item: number): number {
    const first = this.#subscriptions.keys().next().value === item;
    clearInterval(this.#subscriptions.get(item)?.timer);
    this.#subscriptions.delete(item);
    return first ? RESULT.ok : RESULT.badParameter;
  }

  /** Pushes carry attribute 1 and an unrelated sequence. */
  #push(item: number): void {
    const payload = this.#payloadOf(item);
    if (payload !== undefined) this.#session?.tell(PEER.controller, ANSWER, this.#nextSequence(), item, payload);
  }

  #payloadOf(item: number): Buffer | undefined {
    switch (item) {
      case 0x01a0: {
        const status = systemStatus(this.machine);
        const moving = status === STATUS.starting || status === STATUS.printing || status === STATUS.stopping;
        const payload = Buffer.from([RESULT.ok, status, moving ? 1 : 0]);
        return this.machine.faults.isOn('short_heartbeats') ? payload.subarray(0, 2) : payload;
      }
      case 0x01a2:
        return this.#coordinates();
      case 0x10a0:
        return new PayloadWriter().u8(RESULT.ok, HEAD_KEY).raw(this.#nozzles()).bytes();
      case 0x10a3:
        return Buffer.from([RESULT.ok, HEAD_KEY, 3, 0, 0, 128, 1, 0, 128, 2, 0, 0]);
      case 0x14a0:
        return this.#bed();
      case 0xaca0:
        return new PayloadWriter().u8(RESULT.ok).u32(printPosition(this.machine).line).bytes();
      case 0xaca2:
        return new PayloadWriter().u8(RESULT.ok).u16(100).bytes();
      case 0xaca4:
        return Buffer.from([RESULT.ok, HEAD_KEY, 2, 0, 100, 1, 100]);
      case 0xaca5:
        return new PayloadWriter().u8(RESULT.ok).u32(printPosition(this.machine).seconds).bytes();
      default:
        return undefined;
    }
  }

  // Job control ------------------------------------------------------------------------------------------------------

  #pause(session: Session, frame: Frame): void {
    if (this.#refuseControl(session, frame)) return;
    const { engine } = this.machine;
    const paused = engine.pause('user');
    this.#outcomeAfter(session, 0xac15, paused ? PAUSING_SECONDS : 0, () => (paused ? RESULT.ok : JOB.noWork));
  }

  #resume(session: Session, frame: Frame): void {
    if (this.#refuseControl(session, frame)) return;
    const { engine, faults } = this.machine;
    const { run } = engine;
    if (run?.paused == null) {
      this.#outcomeAfter(session, 0xac16, 0, () => JOB.notPaused);
      return;
    }
    if (run.paused.cause === 'runout' && (faults.isOn('filament_empty') || this.#isEmpty(this.#activeNozzle()))) {
      this.#outcomeAfter(session, 0xac16, 0, () => JOB.filamentRunout);
      return;
    }
    if (run.paused.cause === 'door_opens' && faults.isOn('door_open')) {
      this.#outcomeAfter(session, 0xac16, 0, () => JOB.doorOpen);
      return;
    }
    engine.resume();
    this.#tell(0xac01, Buffer.from([ISSUE.resumed]));
    this.#outcomeAfter(session, 0xac16, RESUMING_SECONDS, () => RESULT.ok);
  }

  #stop(session: Session, frame: Frame): void {
    if (this.#refuseControl(session, frame)) return;
    const { engine } = this.machine;
    if (engine.run === null) {
      this.#outcomeAfter(session, 0xac17, 0, () => JOB.noWork);
      return;
    }
    this.#stopRequested = engine.run.ending === null;
    if (!engine.stop('stopped', 'client', engine.run.paused === null ? STOPPING_SECONDS : 0)) {
      // It is ending by itself already.
      this.#outcomeAfter(session, 0xac17, 0, () => RESULT.ok);
    }
  }

  /** 17 while another such request is in progress; otherwise the request is taken with 0. */
  #refuseControl(session: Session, frame: Frame): boolean {
    session.answer(frame, Buffer.from([this.#controlBusy ? RESULT.blocked : RESULT.ok]));
    if (this.#controlBusy) return true;
    this.#controlBusy = true;
    return false;
  }

  #outcomeAfter(session: Session, command: number, printerSeconds: number, code: () => number): void {
    setTimeout(() => {
      this.#controlBusy = false;
      void session.ask(PEER.controller, this.#nextSequence(), command, Buffer.from([code()]));
    }, this.machine.engine.wall(printerSeconds));
  }

  #onChange(change: EngineChange): void {
    const { engine, extra } = this.machine;
    const { run, last } = engine;
    if (change === 'accepted' && run !== null) {
      extra.lastJob = { name: run.job.fileName, md5: run.job.identity.md5 ?? '' };
      extra.lastLine = 0;
      extra.lastSeconds = 0;
      this.machine.persist();
    }
    if (change === 'paused' && run?.paused?.cause === 'runout') {
      this.machine.faults.set('filament_empty', {});
      const { level, owner, state } = RUNOUT_EXCEPTION;
      this.#tell(0x0400, new PayloadWriter().u8(level).u16(owner).u8(state, 0).bytes());
    }
    const pauseIssue = change === 'paused' ? PAUSE_ISSUES[run?.paused?.cause ?? ''] : undefined;
    if (pauseIssue !== undefined) {
      if (run?.paused?.cause === 'door_opens') this.machine.faults.set('door_open', {});
      this.#tell(0xac01, Buffer.from([pauseIssue]));
    }
    if (change === 'ended' && last !== null) {
      extra.lastLine =
        last.outcome === 'finished' ? last.job.facts.lines : Math.floor(last.fraction * last.job.facts.lines);
      extra.lastSeconds = Math.floor(last.totalSeconds);
      this.machine.persist();
      this.#told(last.outcome, last.reason);
    }
  }

  /** After the status became 0 (which is pushed immediately here): the outcome to a requester, then why it ended. */
  #told(outcome: 'finished' | 'stopped' | 'failed', reason: string): void {
    const requested = this.#stopRequested;
    this.#stopRequested = false;
    if (requested) this.#controlBusy = false;
    if (reason === 'power_loss' || reason === 'emergency') return;
    if (this.#subscriptions.has(0x01a0)) this.#push(0x01a0);
    if (requested && this.#session !== undefined) {
      void this.#session.ask(PEER.controller, this.#nextSequence(), 0xac17, Buffer.from([RESULT.ok]));
    }
    if (outcome === 'failed') this.#tell(0x0400, new PayloadWriter().u8(2).u16(13).u8(3, 0).bytes());
    const code = { finished: ISSUE.finished, stopped: ISSUE.stopped, failed: ISSUE.exception }[outcome];
    if (this.machine.faults.take('issue_lost') === undefined) this.#tell(0xac01, Buffer.from([code]));
  }

  // Payloads ---------------------------------------------------------------------------------------------------------

  /** Comes back as a request, with its own sequence and no result byte (protocol notes, section 4.9). */
  #fileInfo(): void {
    const { lastJob } = this.machine.extra;
    const name = lastJob?.name ?? '\0'.repeat(128);
    const md5 = lastJob?.md5 ?? '\0'.repeat(32);
    this.#tell(0xac00, new PayloadWriter().string(md5).string(name).bytes());
  }

  /** The job that a power cut interrupted (ac/07). */
  #interrupted(): Buffer {
    const { interrupted } = this.machine.extra;
    if (interrupted === null) return Buffer.from([JOB.noPowerLoss]);
    return new PayloadWriter().u8(RESULT.ok).string(interrupted.md5).string(interrupted.name).bytes();
  }

  /** Goes on with the interrupted job (ac/08); the outcome follows as ac/18. */
  #recover(session: Session, frame: Frame): void {
    const { engine, extra } = this.machine;
    const { interrupted } = extra;
    const job = engine.last?.job;
    if (interrupted === null || job === undefined || job.fileName !== interrupted.name || engine.run !== null) {
      session.answer(frame, Buffer.from([JOB.noPowerLoss]));
      return;
    }
    session.answer(frame, Buffer.from([RESULT.ok]));
    extra.interrupted = null;
    engine.accept({ ...job, interruptions: [] });
    this.#outcomeAfter(session, 0xac18, RESUMING_SECONDS, () => RESULT.ok);
  }

  #moduleList(): Buffer {
    const head = this.machine.faults.isOn('no_tool_head') ? [] : [{ key: HEAD_KEY, id: 13, firmware: 'v1.2.4' }];
    const modules = [
      ...[0, 1, 2, 3, 4].map((key) => ({ key, id: 516, firmware: 'v1.0.1' })),
      { key: BED_KEY, id: 515, firmware: '' },
      { key: 6, id: 517, firmware: '' },
      ...head,
    ];
    const writer = new PayloadWriter().u8(RESULT.ok, modules.length);
    for (const { key, id, firmware } of modules) {
      writer
        .u8(key)
        .u16(id)
        .u8(0, 2)
        .u32(0x01020300 + key)
        .u8(1)
        .string(firmware);
    }
    return writer.bytes();
  }

  #size(): Buffer {
    return new PayloadWriter()
      .u8(RESULT.ok, 3)
      .u8(0)
      .float(407)
      .u8(1)
      .float(407)
      .u8(2)
      .float(420)
      .u8(3)
      .u8(0)
      .float(0)
      .u8(1)
      .float(0)
      .u8(2)
      .float(0)
      .bytes();
  }

  #coordinates(): Buffer {
    const writer = new PayloadWriter().u8(RESULT.ok, 0, 0, 0);
    for (const origin of [false, true]) {
      writer.u8(5);
      for (const axis of [0, 1, 2, 3, 4]) writer.u8(axis).float(origin ? 0 : 100);
    }
    return writer.bytes();
  }

  #exceptions(): Buffer {
    const { run } = this.machine.engine;
    if (run?.paused?.cause !== 'runout') return Buffer.from([RESULT.ok, 0, 0]);
    const { level, owner, state } = RUNOUT_EXCEPTION;
    return new PayloadWriter().u8(RESULT.ok, 1, level).u16(owner).u8(state, 0).bytes();
  }

  /** Count and 17 bytes for each of the two nozzles. */
  #nozzles(): Buffer {
    const { tool } = temperaturesOf(this.machine.engine);
    const active = this.#activeNozzle();
    const isRunOut = this.machine.engine.run?.paused?.cause === 'runout';
    const writer = new PayloadWriter().u8(NOZZLES.length);
    for (const nozzle of NOZZLES) {
      const isEmpty = this.#isEmpty(nozzle) || (isRunOut && nozzle === active);
      const { current, target } = tool(nozzle);
      writer
        .u8(nozzle, isEmpty ? 1 : 0, 0, nozzle === active ? 1 : 0, 0)
        .float(0.4)
        .float(current)
        .float(target);
    }
    return writer.bytes();
  }

  /** The nozzle that extrudes, or did last. */
  #activeNozzle(): number {
    return temperaturesOf(this.machine.engine).active;
  }

  #isEmpty(nozzle: number): boolean {
    return this.machine.filamentIn(nozzleName(nozzle)) === null;
  }

  #bed(): Buffer {
    const { bed } = temperaturesOf(this.machine.engine);
    return new PayloadWriter()
      .u8(RESULT.ok, BED_KEY, 2)
      .u8(0)
      .float(bed.current)
      .u16(bed.target)
      .u8(1)
      .float(bed.current)
      .u16(bed.target)
      .u8(1)
      .bytes();
  }

  /** A request of the controller that is sent once. */
  #tell(command: number, payload: Buffer): void {
    this.#session?.tell(PEER.controller, REQUEST, this.#nextSequence(), command, payload);
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#sequence;
  }
}

/** The identity of a job that was started at the screen. */
export function md5OfName(name: string): string {
  return createHash('md5').update(name).digest('hex');
}
