import { SimulatorRequestError } from '../request-error';

/** A vintage of the software, and whose macros stand in the configuration. */
export interface Profile {
  name: string;
  /** Moonraker of 2022 with Klipper 0.12: the stock printer's vintage. Its error texts and codes differ. */
  legacy: boolean;
  /** The stock Giga's PAUSE, RESUME and CANCEL_PRINT macros (protocol notes, section 6) instead of plain Klipper's. */
  gigaMacros: boolean;
  moonrakerVersion: string;
  klipperVersion: string;
  apiVersion: [number, number, number];
  components: string[];
  /** The number of the first job in the history. */
  firstJobNumber: number;
}

const LEGACY_COMPONENTS = [
  'klippy_connection',
  'application',
  'websockets',
  'internal_transport',
  'dbus_manager',
  'database',
  'file_manager',
  'klippy_apis',
  'shell_command',
  'machine',
  'data_store',
  'proc_stats',
  'job_state',
  'job_queue',
  'http_client',
  'announcements',
  'webcam',
  'extensions',
  'authorization',
  'octoprint_compat',
  'history',
];

const MODERN_COMPONENTS = [
  'secrets',
  'template',
  'klippy_connection',
  'jsonrpc',
  'internal_transport',
  'application',
  'websockets',
  'database',
  'dbus_manager',
  'file_manager',
  'authorization',
  'klippy_apis',
  'shell_command',
  'machine',
  'data_store',
  'proc_stats',
  'job_state',
  'job_queue',
  'history',
  'http_client',
  'announcements',
  'webcam',
  'extensions',
  'octoprint_compat',
];

const MODERN = {
  legacy: false,
  moonrakerVersion: 'v0.10.0-31-gd5ee171',
  klipperVersion: 'v0.13.0-730-g84104bbbd',
  apiVersion: [1, 5, 0] as [number, number, number],
  components: MODERN_COMPONENTS,
  firstJobNumber: 1,
};

const PROFILES: readonly Profile[] = [
  {
    name: 'legacy-giga',
    legacy: true,
    gigaMacros: true,
    moonrakerVersion: 'v0.7.1-613-gcd8954e',
    klipperVersion: 'v0.12.0-0-g0d67d9c45',
    apiVersion: [1, 0, 5],
    components: LEGACY_COMPONENTS,
    firstJobNumber: 0,
  },
  { name: 'modern-giga', gigaMacros: true, ...MODERN },
  { name: 'modern', gigaMacros: false, ...MODERN },
];

export function profileNamed(name: string): Profile {
  const profile = PROFILES.find((candidate) => candidate.name === name);
  if (profile === undefined) {
    const names = PROFILES.map((candidate) => candidate.name).join(', ');
    throw new SimulatorRequestError(`There is no Moonraker profile "${name}". Profiles: ${names}.`);
  }
  return profile;
}
