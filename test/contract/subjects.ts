import { createBambuDriver } from '../../lib/makes/bambu/driver';
import type { Driver } from '../../lib/makes/driver';
import { createMoonrakerDriver } from '../../lib/makes/moonraker/driver';
import { createSnapmakerDriver } from '../../lib/makes/snapmaker/driver';
import type { RunningSimulator, SimulatorMake, SimulatorOptions } from '../../lib/simulators';
import { capabilities, gcodeLasting } from '../makes/fixtures';
import { sliced3mf } from '../makes/sliced-3mf';

/** A driver and the simulated printer that it is tested against. */
export interface Subject {
  make: SimulatorMake;
  /** Its name in tables. */
  title: string;
  simulator: { accessCode?: string; profile?: string };
  /**
   * The driver for a running simulator.
   * @param ports where to connect to instead of the simulator's own ports
   */
  driver(
    simulator: RunningSimulator,
    options: { credentials?: 'right' | 'wrong'; timeScale: number; ports?: Record<string, number> },
  ): Driver;
  /** A file that prints for this many printer seconds. */
  file(seconds: number): Promise<Buffer | string>;
  extension: string;
  slot: string;
  /** The last tool of such a printer, with a filament that is in no other slot. */
  lastTool: {
    tool: number;
    slot: string;
    simulator: Partial<SimulatorOptions>;
    file(seconds: number): Promise<Buffer | string>;
  };
  /** Settings with which the printer refuses the driver, besides wrong credentials. */
  refusal?: string;
}

const reconnect = { firstPauseMs: 100, longestPauseMs: 1000, connectMs: 2000 };
const log =
  process.env.PLATEWISE_TEST_LOG === undefined ? () => {} : (level: string, text: string) => console.log(level, text);
const common = { host: '127.0.0.1', capabilities, log };
const key = '0123456789abcdef0123456789abcdef';

/** The filament that only the last tool is loaded with. */
export const lastFilament = 'pla_red_esun';

const bambu: Subject = {
  make: 'bambu',
  title: 'Bambu H2D',
  simulator: { accessCode: '12345678' },
  driver: ({ ready }, { credentials, timeScale, ports = ready.ports }) =>
    createBambuDriver({
      ...common,
      timeScale,
      serial: ready.serial ?? '',
      accessCode: credentials === 'wrong' ? '87654321' : '12345678',
      mqttPort: ports.mqtt ?? 0,
      ftpsPort: ports.ftps ?? 0,
      ...(ready.ca_file === undefined ? {} : { caFile: ready.ca_file }),
      timing: {
        ...reconnect,
        startSignMs: 6000,
        startAcceptedMs: 6000,
        startActiveMs: 6000,
        observeMs: 5000,
        answerMs: 3000,
        transferReplyMs: 3000,
      },
    }),
  file: (seconds) => sliced3mf(gcodeLasting(seconds)),
  extension: '.gcode.3mf',
  slot: 'ams0-0',
  lastTool: {
    tool: 1,
    slot: 'ams1-0',
    simulator: { ams: '0:right,1:left', loads: { 'ams0-0': 'pla_black_esun', 'ams1-0': lastFilament } },
    file: (seconds) => sliced3mf(gcodeLasting(seconds), { side: 1 }),
  },
};

/** The extruders of a Giga move together: its only tool is its last. */
function moonraker(profile: string, title: string, extruders: 1 | 2 = 1): Subject {
  return {
    make: 'moonraker',
    title,
    simulator: { accessCode: key, profile },
    driver: ({ ready }, { credentials, timeScale, ports = ready.ports }) =>
      createMoonrakerDriver({
        ...common,
        timeScale,
        port: ports.http ?? 0,
        apiKey: credentials === 'wrong' ? 'f'.repeat(32) : key,
        timing: {
          ...reconnect,
          answerMs: 3000,
          startAnswerMs: 5000,
          shownMs: 3000,
          heartbeatMs: 1000,
          historyMs: 1500,
          stallMs: 3000,
          uploadReplyMs: 3000,
          controlMs: 5000,
        },
      }),
    file: async (seconds) => gcodeLasting(seconds),
    extension: '.gcode',
    slot: 'extruder',
    lastTool:
      extruders === 1
        ? {
            tool: 0,
            slot: 'extruder',
            simulator: { loads: { extruder: lastFilament } },
            file: async (seconds) => gcodeLasting(seconds),
          }
        : {
            tool: 1,
            slot: 'extruder1',
            simulator: { extruders, loads: { extruder: 'pla_black_esun', extruder1: lastFilament } },
            file: async (seconds) => gcodeLasting(seconds, 1),
          },
  };
}

const snapmaker: Subject = {
  make: 'snapmaker',
  title: 'Snapmaker Artisan',
  simulator: {},
  driver: ({ ready }, { timeScale, ports = ready.ports }) =>
    createSnapmakerDriver({
      ...common,
      timeScale,
      port: ports.sacp ?? 0,
      token: 'a-token-of-ours',
      timing: {
        ...reconnect,
        startMs: 8000,
        pushPeriodMs: 500,
        helloMs: 1500,
        noticeMs: 1500,
        answerMs: 3000,
        silentMs: 5000,
        stallMs: 3000,
        controlMs: 5000,
      },
    }),
  file: async (seconds) => gcodeLasting(seconds),
  extension: '.gcode',
  slot: 'nozzle0',
  lastTool: {
    tool: 1,
    slot: 'nozzle1',
    simulator: { loads: { nozzle0: 'pla_black_esun', nozzle1: lastFilament } },
    file: async (seconds) => gcodeLasting(seconds, 1),
  },
  refusal: 'refuse_pairing',
};

/** Every driver; Moonraker's with both vintages, and with plain Klipper's macros besides the Giga's. */
export const subjects: readonly Subject[] = [
  bambu,
  moonraker('legacy-giga', 'Giga, Moonraker 2022'),
  moonraker('modern-giga', 'Giga, Moonraker 2026'),
  moonraker('modern', 'plain Klipper, Moonraker 2026', 2),
  snapmaker,
];
