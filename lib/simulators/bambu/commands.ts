import { join, posix } from 'node:path';
import { faultNumber } from '../faults';
import { type GcodeFacts, heatUpSeconds } from '../gcode-duration';
import type { Machine } from '../machine';
import type { Feed, Interruption, Stage } from '../print-run';
import type { PrinterBroker } from './broker';
import { errorCode } from './error-codes';
import { checkArchive } from './print-archive';
import type { BambuProfile } from './profiles';
import { feedsOf, mappingOf, mappingProblem } from './slots';
import type { BambuState } from './state';

type Fields = Record<string, unknown>;

/** Real timings of an H2D (protocol notes, section 2.4), in printer seconds. */
const ACCEPTED_SECONDS = 2.1;
const PARSING_SECONDS = 1.8;
const CALIBRATION_SECONDS = 60;
const FINISHING_SECONDS = 2;
/** From the acknowledgement of a stop until FAILED (section 2.5). */
const STOPPING_SECONDS = 1.4;
const LARGEST_ID = 2 ** 31 - 1;

export function stagesOf(facts: GcodeFacts, acceptedSeconds = ACCEPTED_SECONDS): Stage[] {
  return [
    { name: 'accepted', seconds: acceptedSeconds },
    { name: 'parsing', seconds: PARSING_SECONDS },
    { name: 'heating', seconds: CALIBRATION_SECONDS + heatUpSeconds(facts) },
    { name: 'printing', seconds: facts.seconds },
    { name: 'finishing', seconds: FINISHING_SECONDS },
  ];
}

/** The error code of an unprintable file. */
const NO_FACTS: GcodeFacts = {
  seconds: 0,
  lines: 0,
  bytes: 0,
  layers: 0,
  filamentMillimetres: 0,
  extrusions: [],
  nozzleTarget: 0,
  nozzleTargets: [],
  bedTarget: 0,
  height: 0,
};

export interface CommandContext {
  machine: Machine<BambuState>;
  serial: string;
  profile: BambuProfile;
  broker(): PrinterBroker | undefined;
  /** Publishes a full report now. */
  report(): void;
  /** Breaks every MQTT connection. */
  dropClients(): void;
}

/** Everything that arrives on device/<serial>/request (protocol notes, section 2). */
export class Commands {
  constructor(private readonly context: CommandContext) {}

  handle(payload: Buffer): void {
    if (this.context.machine.faults.isOn('zombie')) return;
    const message = parse(payload);
    if (message === undefined) return;
    for (const [section, body] of Object.entries(message)) {
      if (typeof body !== 'object' || body === null || Array.isArray(body)) continue;
      const fields = body as Fields;
      void this.#command(section, fields);
    }
  }

  async #command(section: string, fields: Fields): Promise<void> {
    const name = `${section}.${String(fields.command)}`;
    switch (name) {
      case 'pushing.pushall':
      case 'pushing.start':
        return this.context.report();
      case 'pushing.stop':
        return;
      case 'info.get_version':
        return this.#versions(fields);
      case 'system.get_access_code':
        return this.#refuse(section, fields, 'not_supported', 0x05024002);
    }
    if (section !== 'print' && section !== 'system') return;
    if (section === 'print' && this.context.machine.faults.isOn('developer_mode_off')) {
      if (fields.command === 'project_file') this.#logRefused(fields, 'developer mode is off');
      // Some firmware does not even send a refusal.
      if (this.context.machine.faults.take('developer_mode_off')?.silent === true) return;
      return this.#refuse(section, fields, 'mqtt message verify failed', errorCode('not_developer_mode'));
    }
    switch (name) {
      case 'print.project_file':
        return this.#projectFile(fields);
      case 'print.pause':
        this.#acknowledge(section, fields);
        this.context.machine.engine.pause('user');
        return;
      case 'print.resume':
        this.#acknowledge(section, fields);
        this.context.machine.engine.resume();
        return;
      case 'print.stop':
        this.#acknowledge(section, fields);
        this.context.machine.engine.stop('stopped', 'client', STOPPING_SECONDS);
        return;
      case 'print.clean_print_error':
        this.context.machine.extra.errorCleared = true;
        break;
      case 'system.uiop':
        if (fields.name === 'print_error' && fields.action === 'close') this.context.machine.extra.errorCleared = true;
        break;
      case 'print.print_speed': {
        const level = Number(fields.param);
        if (level >= 1 && level <= 4) this.context.machine.extra.speedLevel = level;
        break;
      }
      case 'system.ledctrl':
        if (typeof fields.led_node === 'string' && typeof fields.led_mode === 'string') {
          this.context.machine.extra.lights[fields.led_node] = fields.led_mode;
        }
        break;
      case 'print.gcode_file':
        return this.#refuse(section, fields, 'not supported', errorCode('bad_path'));
    }
    this.context.machine.persist();
    this.#acknowledge(section, fields);
    this.context.report();
  }

  #publish(message: Fields): void {
    this.context.broker()?.publish(message);
  }

  /** The request comes back with four more fields. */
  #acknowledge(section: string, fields: Fields): void {
    const outcome = { result: 'SUCCESS', reason: 'SUCCESS', err_code: 0, is_from_mqtt: true };
    this.#publish({ [section]: { ...fields, ...outcome } });
  }

  #refuse(section: string, fields: Fields, reason: string, code: number): void {
    this.#publish({ [section]: { ...fields, result: 'failed', reason, err_code: code, is_from_mqtt: true } });
  }

  #versions(fields: Fields): void {
    const { serial } = this.context;
    const unit = (name: string, product: string, software: string, hardware: string): Fields => ({
      flag: 0,
      hw_ver: hardware,
      loader_ver: '00.00.00.00',
      name,
      product_name: product,
      sn: name === 'ota' ? serial : `${serial}-${name}`,
      sw_ver: software,
      visible: product !== '',
    });
    this.#publish({
      info: {
        command: 'get_version',
        module: [
          unit('ota', this.context.profile.product, '01.03.00.00', 'OTA'),
          ...this.context.machine.extra.units.map(({ id }) =>
            id < 128
              ? unit(`n3f/${id}`, `AMS 2 Pro (${id + 1})`, '03.00.21.29', 'N3F05')
              : unit(`n3s/${id}`, `AMS HT (${id - 127})`, '03.00.21.29', 'N3S05'),
          ),
          unit('ahb', '', '00.00.01.21', 'AHB00'),
          unit('mc', '', '01.03.30.12', 'MC00'),
          unit('mc-sub', '', '01.03.30.12', 'MCS00'),
          unit('th', '', '00.00.10.50', 'TH00'),
          unit('ext', '', '00.00.04.12', 'EXT00'),
          unit('smc', '', '00.00.02.11', 'SMC00'),
          unit('ap', '', '01.03.00.00', 'AP00'),
        ],
        result: 'success',
        reason: '',
        sequence_id: fields.sequence_id ?? '0',
      },
    });
  }

  // Starting ---------------------------------------------------------------------------------------------------------

  async #projectFile(fields: Fields): Promise<void> {
    const { machine } = this.context;
    const { engine, faults, extra } = machine;
    if (engine.run !== null) return this.#refuseBusy(fields);
    const path = pathOf(text(fields.url));
    const upload = path === undefined ? undefined : extra.files[path];
    const stored = upload !== undefined && !faults.isOn('storage_missing');
    const check =
      path === undefined || !stored
        ? { problem: path === undefined ? ('bad_path' as const) : ('file_gone' as const) }
        : await checkArchive(join(machine.filesDir, path), text(fields.param), this.context.profile.model);
    // Looking into the file took a moment; another start may have come first.
    if (engine.run !== null) return this.#refuseBusy(fields);

    const stated = text(fields.md5).toLowerCase();
    const isDigest = /^[0-9a-f]{32}$/.test(stated);
    const damaged = isDigest && upload !== undefined && stated !== upload.md5;
    const problem = 'problem' in check ? check.problem : damaged ? ('unreadable_file' as const) : undefined;
    const facts = 'facts' in check ? check.facts : NO_FACTS;
    const extruders = 'extruders' in check && this.context.profile.nozzles === 2 ? check.extruders : [];
    const feeds = feedsOf(fields, facts, extra.units);

    const identity = this.#identity(fields);
    const job = {
      fileName: path ?? text(fields.file),
      sha256: upload?.sha256 ?? '',
      size: upload?.size ?? 0,
      identity,
    };
    machine.logStart(job);
    if (faults.take('start_ignored') !== undefined) {
      this.#acknowledge('print', fields);
      return;
    }
    const slow = faults.take('slow_start');
    const delay = slow === undefined ? 0 : faultNumber(slow, 'seconds', 5) * machine.speed;
    const interruptions: Interruption[] =
      problem === undefined
        ? [
            ...this.#plannedBeforePrinting(mappingProblem(fields, machine, { extruders, facts })),
            ...[...this.#emptySpools(feeds), ...machine.takeInterruptions()].sort((a, b) => a.at - b.at),
          ]
        : [{ stage: 'parsing', at: 1, kind: 'fail', cause: problem }];
    extra.dismissed = false;
    extra.errorCleared = false;
    const replyLost = faults.take('start_reply_lost') !== undefined;
    if (!replyLost) this.#acknowledge('print', fields);
    engine.accept({
      ...job,
      foreign: false,
      facts,
      feeds,
      toolTargets: toolTargets(feeds, facts),
      stages: stagesOf(facts, ACCEPTED_SECONDS + delay),
      interruptions,
    });
    if (replyLost) this.context.dropClients();
  }

  #refuseBusy(fields: Fields): void {
    this.#logRefused(fields, 'busy');
    this.#refuse('print', fields, 'printer is busy', errorCode('busy'));
  }

  /** Nothing on an external spool is noticed where it is to be used. */
  #emptySpools(feeds: readonly Feed[]): Interruption[] {
    return feeds
      .filter(({ slot }) => slot?.startsWith('ext-') === true && this.context.machine.filamentIn(slot) === null)
      .map(({ from }) => ({ stage: 'printing', at: from, kind: 'pause', cause: 'runout' }));
  }

  #plannedBeforePrinting(mapping: 'mapping' | 'hang' | undefined): Interruption[] {
    const planned: Interruption[] = [];
    if (mapping === 'hang' || this.context.machine.faults.take('prepare_hangs') !== undefined) {
      planned.push({ stage: 'parsing', at: 0.9, kind: 'pause', cause: 'hang' });
    }
    if (mapping === 'mapping') planned.push({ stage: 'heating', at: 0.8, kind: 'fail', cause: 'mapping' });
    if (this.context.machine.faults.take('plate_check') !== undefined) {
      planned.push({ stage: 'heating', at: 0.5, kind: 'pause', cause: 'plate_type' });
    }
    if (this.context.machine.faults.take('mapping_error') !== undefined) {
      planned.push({ stage: 'heating', at: 0.8, kind: 'fail', cause: 'mapping' });
    }
    return planned;
  }

  #logRefused(fields: Fields, reason: string): void {
    const path = pathOf(text(fields.url)) ?? text(fields.file);
    const upload = this.context.machine.extra.files[path];
    const job = { fileName: path, sha256: upload?.sha256 ?? '', size: upload?.size ?? 0 };
    this.context.machine.logStart({ ...job, identity: givenIdentity(fields) }, reason);
  }

  /** Ids as they were given; a task "0" gets an invented number, and numbers above 2^31-1 are clamped. */
  #identity(fields: Fields): Record<string, string> {
    const { extra } = this.context.machine;
    const identity = givenIdentity(fields);
    for (const name of ['task_id', 'subtask_id', 'project_id'] as const) {
      if (Number(identity[name]) > LARGEST_ID) identity[name] = String(LARGEST_ID);
    }
    if (identity.task_id === '0') {
      extra.inventedTask += 1;
      identity.task_id = String(extra.inventedTask);
    }
    identity.param = text(fields.param);
    identity.ams_mapping2 = JSON.stringify(mappingOf(fields).map(({ ams, slot }) => ({ ams_id: ams, slot_id: slot })));
    return identity;
  }
}

/** The printer's own commands are acknowledged on the report topic too (protocol notes, section 1.5). */
export function internalAcknowledgement(sequence: number): Fields {
  return {
    print: {
      command: 'gcode_line',
      param: 'M1002 gcode_claim_action : 2\n',
      reason: 'SUCCESS',
      result: 'SUCCESS',
      return_code: '0',
      sequence_id: String(sequence),
      source: 3072,
    },
  };
}

/** Every nozzle that is fed is heated; the targets of a file are those of its filaments. */
function toolTargets(feeds: readonly Feed[], { nozzleTarget }: GcodeFacts): number[] {
  return [0, 1].map((tool) => (feeds.some((feed) => feed.tool === tool) ? nozzleTarget : 0));
}

function givenIdentity(fields: Fields): Record<string, string> {
  return {
    task_id: text(fields.task_id, '0'),
    subtask_id: text(fields.subtask_id, '0'),
    project_id: text(fields.project_id, '0'),
    subtask_name: text(fields.subtask_name),
  };
}

/** The path on the stick that a url means, undefined if it is none of the stick's. */
function pathOf(url: string): string | undefined {
  const rest = /^(?:ftp:\/\/|file:\/\/(?:\/mnt)?\/(?:sdcard|usb))\/*(.+)$/.exec(url)?.[1];
  if (rest === undefined || /\s/.test(rest)) return undefined;
  const path = posix.normalize(rest);
  return path.startsWith('..') ? undefined : path;
}

function text(value: unknown, otherwise = ''): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : otherwise;
}

function parse(payload: Buffer): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8').replace(/\0+$/, ''));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : undefined;
  } catch {
    return undefined;
  }
}
