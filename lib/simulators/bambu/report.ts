import type { Filament } from '../filament';
import type { Machine } from '../machine';
import type { PrintJob } from '../print-run';
import { AMBIENT_CELSIUS, temperaturesOf } from '../temperatures';
import { errorCode } from './error-codes';
import type { BambuProfile } from './profiles';
import { trayName, traysOf } from './slots';
import type { BambuState } from './state';

/** After FAILED the code comes this much later, and fail_reason after that (protocol notes, section 2.5), in printer seconds. */
export const CODE_LAG_SECONDS = 5.6;
export const REASON_LAG_SECONDS = 7.3;
/** How long the small models show the code. */
const PULSE_WALL_SECONDS = 2.5;

const DEVELOPER_MODE_ON = '4027FF18FFF9CB3';
const DEVELOPER_MODE_OFF = '41AFFF9CFF';
/** Of the same meaning, with all 64 bits in use. */
const WIDE_FUN = '6002BFC1D3DF9CB7';

export type GcodeState = 'IDLE' | 'PREPARE' | 'RUNNING' | 'PAUSE' | 'FINISH' | 'FAILED';

/** The current `gcode_state`. FINISH and FAILED stay until the next job, a dismissal or a reboot. */
export function gcodeState(machine: Machine<BambuState>): GcodeState {
  const { run, last, progress } = machine.engine;
  if (run !== null && progress !== undefined && progress.stage !== 'accepted') {
    if (run.paused?.cause === 'hang') return 'PREPARE';
    if (run.paused !== null) return 'PAUSE';
    return progress.stage === 'parsing' ? 'PREPARE' : 'RUNNING';
  }
  if (last === null || machine.extra.dismissed) return 'IDLE';
  return last.outcome === 'finished' ? 'FINISH' : 'FAILED';
}

/** `state`, `job.job_state`, `mc_print_stage` and `job_attr` beside each gcode_state (protocol notes, section 3.1). */
const COMPANIONS: Readonly<Record<GcodeState, { state: number; stage: string; attribute: number; jobState: number }>> =
  {
    IDLE: { state: 0, stage: '1', attribute: 3, jobState: 0 },
    PREPARE: { state: 2, stage: '1', attribute: 18, jobState: 2 },
    RUNNING: { state: 4, stage: '2', attribute: 18, jobState: 4 },
    PAUSE: { state: 5, stage: '3', attribute: 18, jobState: 5 },
    FINISH: { state: 6, stage: '1', attribute: 3, jobState: 6 },
    FAILED: { state: 7, stage: '1', attribute: 2, jobState: 11 },
  };

interface ErrorPicture {
  /** print_error, 0 for none. */
  code: number;
  /** Sticky, until the next RUNNING. */
  failReason: number;
}

function errorPicture(machine: Machine<BambuState>, state: GcodeState, profile: BambuProfile): ErrorPicture {
  const { run, last } = machine.engine;
  const cleared = machine.extra.errorCleared;
  if (state === 'PAUSE' && run?.paused != null && run.paused.cause !== 'user') {
    return { code: cleared ? 0 : errorCode(run.paused.cause), failReason: 0 };
  }
  if (state === 'RUNNING' || state === 'PAUSE' || last === null || last.outcome === 'finished') {
    return { code: 0, failReason: 0 };
  }
  const since = machine.engine.secondsSince(last.endedAt);
  const cancelled = last.outcome === 'stopped';
  const code = errorCode(last.reason);
  const [from, until] = profile.codeIsPulse
    ? [0, machine.engine.speed * PULSE_WALL_SECONDS]
    : [cancelled ? CODE_LAG_SECONDS : 0, Infinity];
  return {
    code: state === 'FAILED' && !cleared && since >= from && since < until ? code : 0,
    failReason: since >= (cancelled ? REASON_LAG_SECONDS : 0) ? code : 0,
  };
}

/** `stg_cur`: what the printer is busy with before and while it prints; -1 when it is not. */
function stageCode(machine: Machine<BambuState>, state: GcodeState): number {
  const { run, progress } = machine.engine;
  if ((state !== 'RUNNING' && state !== 'PAUSE') || progress === undefined) return -1;
  if (run?.paused?.cause === 'runout') return 6;
  if (progress.stage !== 'heating') return 0;
  if (progress.stageFraction < 0.1) return -1;
  if (progress.stageFraction < 0.2) return 29;
  if (progress.stageFraction < 0.3) return 13;
  return progress.stageFraction < 0.9 ? 2 : 1;
}

/** A whole `print` object as an H2D with firmware 01.03.00.00 sends it every 1.5 s. */
export function fullReport(
  machine: Machine<BambuState>,
  sequence: number,
  profile: BambuProfile,
): Record<string, unknown> {
  const { engine, extra, faults } = machine;
  const state = gcodeState(machine);
  const companions = COMPANIONS[state];
  const shown =
    state === 'IDLE'
      ? null
      : engine.run !== null && state !== 'FINISH' && state !== 'FAILED'
        ? engine.run.job
        : (engine.last?.job ?? null);
  const progress = state === 'IDLE' ? undefined : engine.progress;
  const errors = errorPicture(machine, state, profile);
  const temperatures = temperaturesOf(engine);
  const stored = !faults.isOn('storage_missing');
  const wide = faults.isOn('wide_flags');
  const active = state === 'PREPARE' || state === 'RUNNING' || state === 'PAUSE';
  const percent =
    state === 'FINISH'
      ? 100
      : active
        ? Math.floor(100 * (progress?.fraction ?? 0))
        : state === 'FAILED'
          ? Math.floor(100 * (engine.last?.fraction ?? 0))
          : 0;
  const layers = shown?.facts.layers ?? 0;
  const layer = state === 'FINISH' ? layers : active ? (progress?.layer ?? 0) : 0;
  const remaining = active ? Math.ceil((progress?.remainingSeconds ?? 0) / 60) : 0;
  const identity = identityOf(shown);
  const plate = Number(/plate_(\d+)\.gcode/.exec(identity.param)?.[1] ?? 1);
  const stage = stageCode(machine, state);
  const failed = state === 'FAILED';
  const cancelledLately = failed && errors.code === 0;
  const fan = state === 'RUNNING' ? '15' : '0';
  return {
    '3D': { layer_num: layer, total_layer_num: layers },
    ams: amsReport(machine),
    ams_rfid_status: 0,
    ams_status: state === 'RUNNING' ? 768 : 0,
    ap_err: 0,
    aux: (stored ? 0x1000 : 0).toString(16),
    aux_part_fan: true,
    batch_id: 0,
    bed_target_temper: temperatures.bed.target,
    bed_temper: rounded(temperatures.bed.current),
    big_fan1_speed: '0',
    big_fan2_speed: '0',
    cali_version: 0,
    canvas_id: 0,
    care: [
      { id: 'cr', info: '0' },
      { id: 'ls', info: '0' },
    ],
    cfg: '1CA9D23B5B',
    command: 'push_status',
    cooling_fan_speed: fan,
    design_id: '',
    device: deviceReport(machine, profile),
    err: errors.code === 0 ? '0' : `36${hex8(errors.code)}`,
    err2: { err_code: errors.code === 0 ? '0' : `36${hex8(errors.code)}` },
    fail_reason: String(errors.failReason),
    fan_gear: 0,
    file: identity.file,
    filam_bak: [],
    flag3: 15,
    force_upgrade: false,
    fun: faults.isOn('developer_mode_off') ? DEVELOPER_MODE_OFF : wide ? WIDE_FUN : DEVELOPER_MODE_ON,
    fun2: '1',
    gcode_file: shown === null ? '' : `/data/${identity.param}`,
    gcode_file_prepare_percent: state === 'PREPARE' ? '0' : shown === null ? '0' : '100',
    gcode_state: state,
    heatbreak_fan_speed: fan,
    hms: hmsReport(machine, errors.code),
    home_flag: 7 | (stored ? 0x100 : 0) | (1 << 11) | (wide ? 1 << 31 : 0),
    hw_switch_state: extra.units.some((unit) => machine.filamentIn(trayName(unit.id, 0)) !== null) ? 1 : 0,
    ipcam: {
      agora_service: 'disable',
      brtc_service: 'enable',
      bs_state: 0,
      ipcam_dev: '1',
      ipcam_record: 'enable',
      laser_preview_res: 1,
      mode_bits: 3,
      resolution: '1080p',
      rtsp_url: `rtsps://${machine.host}/streaming/live/1`,
      timelapse: 'disable',
      tl_store_hpd_type: 2,
      tl_store_path_type: 2,
      tutk_server: 'disable',
    },
    job: {
      cur_stage: { idx: 0, state: active ? 2 : 0 },
      job_state: failed && !cancelledLately ? 9 : companions.jobState,
      stage: [],
    },
    job_attr: companions.attribute,
    job_id: identity.task,
    k: '0.0000',
    lan_task_id: identity.subtask,
    layer_num: layer,
    lifecycle: 'product',
    lights_report: Object.entries(extra.lights).map(([node, mode]) => ({ mode, node })),
    maintain: 3,
    mapping: mappingOf(shown),
    mc_action: 0,
    mc_err: 0,
    mc_percent: percent,
    mc_print_error_code: String(errors.code & 0xffff),
    mc_print_line_number: String(progress?.line ?? 0),
    mc_print_stage: companions.stage,
    mc_print_sub_stage: 0,
    mc_remaining_time: remaining,
    mc_stage: active ? 2 : 1,
    mess_production_state: 'active',
    model_id: '',
    msg: 0,
    net: { conf: 16, info: [{ ip: addressNumber(machine.host), mask: 16777215 }] },
    nozzle_diameter: '0.4',
    nozzle_target_temper: temperatures.nozzle.target,
    nozzle_temper: rounded(temperatures.nozzle.current),
    nozzle_type: 'hardened_steel',
    online: { ahb: true, ext: true, version: 7 },
    percent,
    plate_cnt: 1,
    plate_id: plate,
    plate_idx: plate,
    prepare_per: state === 'PREPARE' ? 50 : shown === null ? 0 : 100,
    print_error: errors.code,
    print_gcode_action: 0,
    print_real_action: 0,
    print_type: shown === null ? 'idle' : shown.foreign ? 'cloud' : 'local',
    profile_id: '0',
    project_id: identity.project,
    queue: 0,
    queue_est: 0,
    queue_number: 0,
    queue_sts: 0,
    queue_total: 0,
    remain_time: remaining,
    s_obj: [],
    sdcard: stored,
    sequence_id: String(sequence),
    spd_lvl: extra.speedLevel,
    spd_mag: [0, 50, 100, 124, 166][extra.speedLevel] ?? 100,
    stat: '46258000',
    state: companions.state,
    stg: active ? [29, 13, 2, 1] : [],
    stg_cd: 0,
    stg_cur: stage,
    subtask_id: identity.subtask,
    subtask_name: identity.name,
    task_id: identity.task,
    total_layer_num: layers,
    upgrade_state: {
      ahb_new_version_number: '',
      ams_new_version_number: '',
      consistency_request: false,
      dis_state: 0,
      err_code: 0,
      ext_new_version_number: '',
      force_upgrade: false,
      idx: 4,
      idx2: 1591157361,
      lower_limit: '00.00.00.00',
      message: '0%, 0B/s',
      module: '',
      new_version_state: 2,
      ota_new_version_number: '',
      progress: '0',
      sequence_id: 0,
      sn: '',
      status: 'IDLE',
    },
    upload: {
      file_size: 0,
      finish_size: 0,
      message: 'Good',
      oss_url: '',
      progress: 0,
      sequence_id: '0900',
      speed: 0,
      status: 'idle',
      task_id: '',
      time_remaining: 0,
      trouble_id: '',
    },
    ver: '20000',
    vir_slot: [
      traySlot('255', machine.filamentIn('ext-right')),
      ...(profile.nozzles === 2 ? [traySlot('254', machine.filamentIn('ext-left'))] : []),
    ],
    wifi_signal: '-56dBm',
    xcam: {
      allow_skip_parts: false,
      buildplate_marker_detector: true,
      cfg: 0,
      first_layer_inspector: true,
      halt_print_sensitivity: 'medium',
      print_halt: true,
      printing_monitor: true,
      spaghetti_detector: true,
    },
    xcam_status: '0',
  };
}

interface ShownIdentity {
  task: string;
  subtask: string;
  project: string;
  name: string;
  file: string;
  param: string;
}

function identityOf(job: PrintJob | null): ShownIdentity {
  const id = job?.identity ?? {};
  return {
    task: id.task_id ?? '0',
    subtask: id.subtask_id ?? '0',
    project: id.project_id ?? '0',
    name: id.subtask_name ?? '',
    file: job?.fileName ?? '',
    param: id.param ?? 'Metadata/plate_1.gcode',
  };
}

/** `mapping[]`: ams<<8|slot of each project filament; 65535 unused, 65280 right and 65024 left external spool. */
function mappingOf(job: PrintJob | null): number[] {
  const stated: unknown = JSON.parse(job?.identity.ams_mapping2 ?? '[]');
  if (!Array.isArray(stated)) return [];
  return stated.map((entry: { ams_id?: unknown; slot_id?: unknown } | null) => {
    const ams = Number(entry?.ams_id ?? 255);
    const slot = Number(entry?.slot_id ?? 255);
    if (ams === 255) return slot === 0 ? 0xff00 : 0xffff;
    return ams === 254 ? 0xfe00 : ((ams << 8) | slot) & 0xffff;
  });
}

function amsReport(machine: Machine<BambuState>): Record<string, unknown> {
  const { units } = machine.extra;
  const state = gcodeState(machine);
  const feeding = state === 'RUNNING' || state === 'PAUSE';
  const trays = (unit: { id: number }): (Filament | null)[] =>
    Array.from({ length: traysOf(unit) }, (_, tray) => machine.filamentIn(trayName(unit.id, tray)));
  const bitsOf = units.flatMap((unit) =>
    trays(unit).flatMap((filament, tray) => (filament === null ? [] : [1 << trayBit(unit.id, tray)])),
  );
  const loaded = bitsOf.reduce((all, bit) => all | bit, 0);
  const bits = loaded.toString(16);
  const exist = units.reduce((all, { id }) => all | (1 << (id >= 128 ? id - 124 : id)), 0).toString(16);
  const first = mappingOf(machine.engine.run?.job ?? null).find((slot) => slot < 4);
  const now = feeding && first !== undefined ? String(first) : '255';
  return {
    ams: units.map(({ id, extruder, dryingMinutes }) => ({
      check: 0,
      chip_id: '5dc33b4e1c02301030343833fffffff0',
      dry_time: dryingMinutes,
      humidity: '4',
      humidity_raw: '28',
      id: String(id),
      // Type of the unit, and in bits 8 to 11 the nozzle that it feeds (protocol notes, section 3.5).
      info: (0x1000 | (extruder << 8) | (id >= 128 ? 4 : 3)).toString(16),
      temp: '25.6',
      tray: trays({ id }).map((filament, tray) => traySlot(String(tray), filament)),
    })),
    ams_exist_bits: exist,
    ams_exist_bits_raw: exist,
    cali_id: 255,
    cali_stat: 0,
    insert_flag: true,
    power_on_flag: false,
    tray_exist_bits: bits,
    tray_is_bbl_bits: bits,
    tray_now: now,
    tray_pre: now,
    tray_read_done_bits: bits,
    tray_reading_bits: '0',
    tray_tar: now,
    unbind_ams_stat: 0,
    version: 5,
  };
}

/** The bit of a tray in `tray_exist_bits`. */
function trayBit(unit: number, tray: number): number {
  return unit >= 128 ? 16 + unit - 128 : unit * 4 + tray;
}

/** The one external spool of the models with one nozzle. */
export function externalSpool(machine: Machine<BambuState>): Record<string, unknown> {
  return traySlot('254', machine.filamentIn('ext-right'));
}

const FILAMENTS: Readonly<Record<string, { index: string; brand: string; low: string; high: string; bed: string }>> = {
  PLA: { index: 'GFA00', brand: 'PLA Basic', low: '190', high: '230', bed: '35' },
  PETG: { index: 'GFG00', brand: 'PETG Basic', low: '230', high: '270', bed: '70' },
  ABS: { index: 'GFB00', brand: 'ABS', low: '240', high: '280', bed: '90' },
  ASA: { index: 'GFB01', brand: 'ASA', low: '240', high: '280', bed: '90' },
  TPU: { index: 'GFU01', brand: 'TPU 95A', low: '200', high: '250', bed: '35' },
};

function traySlot(id: string, filament: Filament | null): Record<string, unknown> {
  const external = id === '254' || id === '255';
  if (filament === null && !external) return { id, state: 8 };
  const known = FILAMENTS[filament?.type ?? ''];
  const filled = filament !== null;
  const colour = filament === null ? '00000000' : `${filament.colour}FF`;
  return {
    bed_temp: known?.bed ?? '0',
    bed_temp_type: '0',
    cali_idx: -1,
    cols: [colour],
    ctype: 0,
    drying_temp: '55',
    drying_time: '8',
    id,
    k: 0.02,
    n: 1,
    nozzle_temp_max: known?.high ?? (filled ? '280' : '0'),
    nozzle_temp_min: known?.low ?? (filled ? '190' : '0'),
    remain: filled && !external ? 100 : -1,
    state: 11,
    tag_uid: external || !filled ? '0000000000000000' : `CAFE10B50000010${id}`,
    total_len: 330000,
    tray_color: colour,
    tray_diameter: '1.75',
    tray_id_name: '',
    tray_info_idx: known?.index ?? '',
    tray_sub_brands: known?.brand ?? '',
    tray_temp: '55',
    tray_time: '8',
    tray_type: filament?.type ?? '',
    tray_uuid: external || !filled ? '0'.repeat(32) : `518B5E764415402695728F836BEAA8D${id}`,
    tray_weight: '1000',
    xcam_info: '8813D007E803E8039A99193F',
  };
}

/** One nozzle, or two: id 0 right, 1 left. Temperatures are target << 16 | current (protocol notes, section 3.4). */
function deviceReport(machine: Machine<BambuState>, { nozzles }: BambuProfile): Record<string, unknown> {
  const { tool, active, bed } = temperaturesOf(machine.engine);
  const ids = nozzles === 2 ? [0, 1] : [0];
  const packed = (value: { current: number; target: number }): number =>
    (Math.round(value.target) << 16) | Math.round(value.current);
  const still = packed({ current: AMBIENT_CELSIUS, target: 0 });
  const extruder = (id: number, slot: number): Record<string, unknown> => ({
    filam_bak: [],
    hnow: id,
    hpre: id,
    htar: id,
    id,
    // Bits: filament is in it, it has a buffer, a nozzle is mounted.
    info: slot < 0xfe00 || id === 0 ? 14 : 8,
    snow: slot,
    spre: slot,
    star: slot,
    stat: 0,
    temp: packed(tool(id)),
  });
  const nozzleInfo = (id: number): Record<string, unknown> => ({ diameter: 0.4, id, tm: 0, type: 'HS01', wear: 0 });
  return {
    airduct: {
      modeCur: 0,
      modeList: [],
      parts: [{ func: 0, id: 16, range: 6553600, state: 0 }],
      subMode: 0,
      version: 1,
    },
    bed: { info: { temp: packed(bed) }, state: bed.target > 0 ? 2 : 0 },
    bed_temp: packed(bed),
    cam: { laser: { cond: 0, state: 0 } },
    ctc: { info: { temp: still }, state: 0 },
    ext_tool: { calib: 2, low_prec: true, mount: 0, th_temp: 0, type: '' },
    // The count, and which one is in use and shall be (protocol notes, section 3.4).
    extruder: {
      info: ids.map((id) => extruder(id, slotInNozzle(machine, id))),
      state: nozzles | (active << 4) | (active << 8),
    },
    fan: 0,
    laser: { power: 0 },
    nozzle: { exist: nozzles === 2 ? 3 : 1, info: ids.map(nozzleInfo), state: 0 },
    plate: { base: 1, cali2d_id: '', cur_id: '', mat: 1, tar_id: '' },
    type: 1,
  };
}

/**
 * `snow`: the slot whose filament is in a nozzle of the present print, ams<<8|slot; with none, 65535 right, 65279 left.
 */
function slotInNozzle(machine: Machine<BambuState>, tool: number): number {
  const { run } = machine.engine;
  const slot = run?.job.feeds?.find((feed) => feed.tool === tool)?.slot;
  const [, ams, tray] = /^ams(\d+)-(\d+)$/.exec(slot ?? '') ?? [];
  if (ams !== undefined && tray !== undefined) return (Number(ams) << 8) | Number(tray);
  if (slot === 'ext-right') return 0xff00;
  if (slot === 'ext-left') return 0xfe00;
  return tool === 0 ? 0xffff : 0xfeff;
}

/** Permanent notes that a healthy printer carries, and the present error. */
function hmsReport(machine: Machine<BambuState>, code: number): { attr: number; code: number }[] {
  const notes = [{ attr: 0x03000100, code: 0x00030002 }];
  if (machine.faults.isOn('developer_mode_off')) notes.push({ attr: 0x05000500, code: 0x00010007 });
  if (code !== 0) notes.push({ attr: code & 0x7fff0000, code: 0x00020000 | (code & 0xffff) });
  return notes;
}

function hex8(code: number): string {
  return (code >>> 0).toString(16).toUpperCase().padStart(8, '0');
}

function rounded(celsius: number): number {
  return Math.round(celsius * 32) / 32;
}

/** An IPv4 address as a little-endian number; 0 for a name. */
function addressNumber(host: string): number {
  const parts = host.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part))) return 0;
  return parts.reduceRight((number, part) => number * 256 + part, 0);
}
