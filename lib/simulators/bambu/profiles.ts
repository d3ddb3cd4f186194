import { SimulatorRequestError } from '../request-error';

/** A printer model, as far as a client can distinguish it from others (protocol notes, sections 1.4, 3.1 and 8.3). */
export interface BambuProfile {
  name: string;
  /** The token of the model in sliced files and announcements. */
  model: string;
  product: string;
  nozzles: 1 | 2;
  /** How often it reports (ms, wall time). */
  reportEveryMs: number;
  /** Full frames with `msg: 0`, full frames without it, or only changes with `msg: 1`. */
  frames: 'declared' | 'undeclared' | 'changes';
  /** It has the tree `device` and the fields that came with it. */
  h2Fields: boolean;
  /** It reports how a job ended only for two seconds after FAILED. */
  codeIsPulse: boolean;
  /** It breaks the connection of every client that subscribes to requests. */
  guardsRequests: boolean;
}

/** The printers with the tree `device`: H2, X2 and P2. */
const H2 = {
  reportEveryMs: 1500,
  frames: 'declared',
  h2Fields: true,
  codeIsPulse: false,
  guardsRequests: false,
} as const;
const X1 = {
  reportEveryMs: 1100,
  frames: 'undeclared',
  h2Fields: false,
  codeIsPulse: false,
  guardsRequests: false,
} as const;
const SMALL = {
  reportEveryMs: 2000,
  frames: 'changes',
  h2Fields: false,
  codeIsPulse: true,
  guardsRequests: true,
} as const;

/** Words for the models as the protocol notes list them; a P1 talks like the small ones. */
const PROFILES: readonly BambuProfile[] = [
  { name: 'h2d', model: 'O1D', product: 'Bambu Lab H2D', nozzles: 2, ...H2 },
  { name: 'h2dpro', model: 'O1E', product: 'Bambu Lab H2D Pro', nozzles: 2, ...H2 },
  { name: 'h2s', model: 'O1S', product: 'Bambu Lab H2S', nozzles: 1, ...H2 },
  { name: 'x2d', model: 'N6', product: 'Bambu Lab X2D', nozzles: 2, ...H2 },
  { name: 'p2s', model: 'N7', product: 'Bambu Lab P2S', nozzles: 1, ...H2 },
  { name: 'x1', model: 'BL-P001', product: 'Bambu Lab X1 Carbon', nozzles: 1, ...X1 },
  { name: 'x1e', model: 'C13', product: 'Bambu Lab X1E', nozzles: 1, ...X1 },
  { name: 'p1p', model: 'C11', product: 'Bambu Lab P1P', nozzles: 1, ...SMALL },
  { name: 'p1s', model: 'C12', product: 'Bambu Lab P1S', nozzles: 1, ...SMALL },
  { name: 'a1', model: 'N2S', product: 'Bambu Lab A1', nozzles: 1, ...SMALL },
  { name: 'a1mini', model: 'N1', product: 'Bambu Lab A1 mini', nozzles: 1, ...SMALL },
];

export function bambuProfile(name: string): BambuProfile {
  const profile = PROFILES.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    const names = PROFILES.map((candidate) => candidate.name).join(', ');
    throw new SimulatorRequestError(`There is no Bambu profile "${name}". Profiles: ${names}.`);
  }
  return profile;
}

/** The fields that only the H2 generation reports. */
const H2_ONLY = ['device', 'vir_slot', 'cfg', 'fun2', 'aux', 'stat', 'job', 'job_attr', 'err2', 'canvas_id', 'care'];
/** The further fields that an A1 omits. */
const NOT_ON_A1 = ['job_id', 'state', 'fail_reason', 'err', 'fun', '3D', 'mapping', 'plate_idx', 'plate_id'];

type Fields = Record<string, unknown>;

/** Converts the report of an H2D to that of another model. */
export function inProfile(report: Fields, profile: BambuProfile, external: unknown): Fields {
  if (profile.h2Fields) return report;
  const { msg: _msg, ...fields } = report;
  const isSmall = profile.frames === 'changes';
  const left = isSmall ? [...H2_ONLY, ...NOT_ON_A1] : H2_ONLY;
  const others = Object.fromEntries(Object.entries(fields).filter(([name]) => !left.includes(name)));
  const idle = isSmall && (report.gcode_state === 'IDLE' || report.gcode_state === 'FINISH');
  return {
    ...others,
    vt_tray: external,
    ...(isSmall ? { msg: 0 } : {}),
    // The small models name the file itself, and forget it when they are done.
    ...(isSmall ? { gcode_file: idle ? '' : report.file, print_type: idle ? 'idle' : report.print_type } : {}),
    ...(isSmall && report.stg_cur === -1 ? { stg_cur: 255 } : {}),
  };
}

/** Returns the differences from the previous frame; undefined if there are none. */
export function changesOf(before: Fields, now: Fields): Fields | undefined {
  const changes: Fields = {};
  for (const [name, value] of Object.entries(now)) {
    const old = before[name];
    if (JSON.stringify(old) === JSON.stringify(value)) continue;
    changes[name] = isPlain(old) && isPlain(value) ? (changesOf(old, value) ?? {}) : value;
  }
  return Object.keys(changes).length === 0 ? undefined : changes;
}

function isPlain(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
