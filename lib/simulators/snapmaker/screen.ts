import { basename, join } from 'node:path';
import { faultNumber } from '../faults';
import { type GcodeFacts, heatUpSeconds } from '../gcode-duration';
import type { Machine } from '../machine';
import type { Interruption, PrintRun, Stage } from '../print-run';
import type { Controller } from './controller';
import { ANSWER, type Frame, PEER, REQUEST } from './frame';
import { STATUS, STOPPING_SECONDS, systemStatus } from './machine-status';
import { PayloadReader } from './payload';
import type { Session } from './session';
import type { SnapmakerState } from './state';
import { ARTISAN_TOOLS, emptyNozzles, nozzleFeeds } from './tools';
import { pullUpload } from './upload';

const HELLO = { ok: 0, malformed: 6, refused: 200, remoteDisabled: 201 };
const LONGEST_NAME = 127;
const HOMING_SECONDS = 20;
const LIVENESS_BYTE = 0x61;
const LIVENESS_MS = 1000;

export function stagesOf(facts: GcodeFacts): Stage[] {
  return [
    { name: 'preparing', seconds: HOMING_SECONDS },
    { name: 'heating', seconds: heatUpSeconds(facts) },
    { name: 'printing', seconds: facts.seconds },
    { name: 'finishing', seconds: STOPPING_SECONDS },
  ];
}

/** The touchscreen, peer 2: connections, approval, files, starts. It relays frames to the controller. */
export class Screen {
  /** The only session; other clients are ignored. */
  #session: Session | undefined;
  #sequence = 0;
  #dialog: { session: Session; hello: Frame; token: string; liveness: NodeJS.Timeout } | undefined;

  constructor(
    private readonly machine: Machine<SnapmakerState>,
    private readonly controller: Controller,
  ) {}

  get connected(): boolean {
    return this.#session?.authenticated === true;
  }

  get asking(): boolean {
    return this.#dialog !== undefined;
  }

  /** A frame from any connection. */
  handle(session: Session, frame: Frame): void {
    const command = (frame.commandSet << 8) | frame.commandId;
    if (this.#session !== session) {
      if (this.#session === undefined && command === 0x0105 && frame.attribute === REQUEST) this.#hello(session, frame);
      return;
    }
    if (frame.receiver === PEER.controller) {
      if (session.authenticated) this.controller.handle(session, frame);
      return;
    }
    if (frame.attribute === ANSWER) return;
    if (command === 0x0105) {
      this.#hello(session, frame);
      return;
    }
    if (!session.authenticated) return;
    this.#command(session, frame, command).catch(() => session.answer(frame, Buffer.from([6])));
  }

  closed(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#endDialog();
    this.controller.session = undefined;
  }

  /** Handles a tap on Allow. */
  approve(): void {
    const dialog = this.#dialog;
    if (dialog === undefined) return;
    this.#endDialog();
    this.#remember(dialog.token);
    this.#welcome(dialog.session, dialog.hello);
  }

  /** Handles a tap on Refuse. */
  refuse(): void {
    const dialog = this.#dialog;
    if (dialog === undefined) return;
    this.#endDialog();
    dialog.session.answer(dialog.hello, Buffer.from([HELLO.refused, 0, 0]));
    dialog.session.socket.destroySoon();
  }

  /** Handles a tap on Disconnect: the machine sends the disconnect message. */
  disconnect(): void {
    const session = this.#session;
    if (session === undefined) return;
    session.tell(PEER.screen, REQUEST, this.nextSequence(), 0x0106, Buffer.alloc(0));
    session.socket.destroySoon();
  }

  nextSequence(): number {
    const sequence = this.#sequence;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return sequence;
  }

  #hello(session: Session, frame: Frame): void {
    const { faults, extra } = this.machine;
    let token: string;
    try {
      const reader = new PayloadReader(frame.payload);
      reader.string();
      reader.string();
      token = reader.string();
    } catch {
      session.answer(frame, Buffer.from([HELLO.malformed, 0, 0]));
      return;
    }
    if (faults.take('remote_disabled') !== undefined) {
      session.answer(frame, Buffer.from([HELLO.remoteDisabled, 0, 0]));
      return;
    }
    this.#session = session;
    if (extra.tokens.includes(token) && !faults.isOn('verify_every_time')) {
      this.#welcome(session, frame);
      return;
    }
    if (faults.take('refuse_pairing') !== undefined) {
      session.answer(frame, Buffer.from([HELLO.refused, 0, 0]));
      session.socket.destroySoon();
      return;
    }
    if (!faults.isOn('ask_approval') && !faults.isOn('verify_every_time')) {
      this.#remember(token);
      this.#welcome(session, frame);
      return;
    }
    const liveness = setInterval(() => session.stray(LIVENESS_BYTE), LIVENESS_MS);
    this.#dialog = { session, hello: frame, token, liveness };
  }

  #welcome(session: Session, hello: Frame): void {
    session.authenticated = true;
    this.controller.session = session;
    if (this.machine.faults.take('stale_frame') !== undefined) {
      session.tell(PEER.controller, ANSWER, 0x1233, 0x01a0, Buffer.from([0, STATUS.idle, 0]));
    }
    session.answer(hello, Buffer.from([HELLO.ok, 0, 0]));
  }

  /** The effects of faults on the next print, besides those of every make. */
  #pauses(): Interruption[] {
    const { faults } = this.machine;
    return (['door_opens', 'feed_lost', 'file_pause'] as const).flatMap((cause) => {
      const planned = faults.isOn(cause) ? faults.take(cause) : undefined;
      if (planned === undefined) return [];
      return [{ stage: 'printing' as const, at: faultNumber(planned, 'at', 0.5), kind: 'pause' as const, cause }];
    });
  }

  #refusal(): Interruption[] {
    if (this.machine.faults.take('start_refused') === undefined) return [];
    return [{ stage: 'preparing', at: 0.3, kind: 'fail', cause: 'refused' }];
  }

  #remember(token: string): void {
    if (!this.machine.extra.tokens.includes(token)) this.machine.extra.tokens.push(token);
    this.machine.persist();
  }

  #endDialog(): void {
    clearInterval(this.#dialog?.liveness);
    this.#dialog = undefined;
  }

  async #command(session: Session, frame: Frame, command: number): Promise<void> {
    const answer = (code: number): void => session.answer(frame, Buffer.from([code]));
    const reader = new PayloadReader(frame.payload);
    switch (command) {
      case 0x0106:
        answer(0);
        session.authenticated = false;
        this.closed(session);
        session.socket.destroySoon();
        return;
      case 0xb00b:
        return answer(0);
      case 0xb000: {
        const order = { name: reader.string(), size: reader.u32(), chunks: reader.u16(), md5: reader.string() };
        // Always 0, whatever becomes of it. Names are flat.
        answer(0);
        const legal = order.name !== '' && Buffer.byteLength(order.name) <= LONGEST_NAME;
        if (legal && basename(order.name) === order.name) {
          await pullUpload(session, order, this.machine, () => this.nextSequence());
        }
        return;
      }
      case 0xb008:
        return this.#start(session, frame);
      case 0xb0a0:
      case 0xb0a1:
        return answer(9);
      default:
        return answer(5);
    }
  }

  /** b0/08 (protocol notes, section 4.6): the answer 0 comes late, after homing. */
  async #start(session: Session, frame: Frame): Promise<void> {
    const { engine, faults, extra } = this.machine;
    const answer = (code: number): void => session.answer(frame, Buffer.from([code]));
    if (frame.payload.length === 0) return answer(6);
    const reader = new PayloadReader(frame.payload);
    reader.u8();
    const name = reader.string();
    const md5 = reader.string();
    const file = extra.files[name];
    const described = {
      fileName: name,
      sha256: file?.sha256 ?? '',
      size: file?.size ?? 0,
      identity: { file_name: name, md5: md5 === '' ? (file?.md5 ?? '') : md5 },
    };
    const refuse = (code: number, reason: string): void => {
      this.machine.logStart(described, reason);
      answer(code);
    };
    if (engine.run !== null || systemStatus(this.machine) !== STATUS.idle) return refuse(13, 'not idle');
    if (name === '' || file === undefined) return refuse(200, 'file not found');
    const slow = faults.take('slow_start');
    if (slow !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, faultNumber(slow, 'seconds', 5) * 1000));
    }
    const facts = await this.machine.facts(file.sha256, join(this.machine.filesDir, name), ARTISAN_TOOLS);
    if (engine.run !== null) return refuse(13, 'not idle');
    this.machine.logStart(described);
    // A failed start is answered with 0 as well.
    if (faults.take('start_ignored') !== undefined) return answer(0);
    const lost = faults.take('start_reply_lost') !== undefined;
    const feeds = nozzleFeeds(facts);
    const onTheWay = [...emptyNozzles(this.machine, feeds), ...this.machine.takeInterruptions(), ...this.#pauses()];
    engine.accept({
      ...described,
      foreign: false,
      facts,
      feeds,
      toolTargets: facts.nozzleTargets,
      stages: stagesOf(facts),
      interruptions: [...this.#refusal(), ...onTheWay.sort((a, b) => a.at - b.at)],
    });
    if (lost) {
      session.socket.resetAndDestroy();
      return;
    }
    const current = (): PrintRun | null => engine.run;
    const run = current();
    const homed = (): void => {
      if (current() === run && engine.progress?.stage === 'preparing' && run?.ending === null) return;
      engine.off('change', homed);
      if (session.open) answer(0);
    };
    engine.on('change', homed);
    homed();
  }
}
