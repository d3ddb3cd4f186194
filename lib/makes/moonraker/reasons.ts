/**
 * Why Klipper stopped, by the first line of its own message, in one line of ours. The messages are those of Klipper's
 * sources (`klippy/mcu.py`, `serialhdl.py`, `klippy.py`, `configfile.py`, `extras/error_mcu.py`, `verify_heater.py`,
 * `tmc.py`, `tmc_uart.py`, `homing.py`, `probe.py`, `kinematics/extruder.py`, `src/*.c`).
 */
export interface KlipperReason {
  /** Matched against the first line; its groups replace `$1` and `$2`. */
  pattern: RegExp;
  words: string;
  remedy: string;
}

const restart = 'then send FIRMWARE_RESTART from the web interface of the printer.';
const load = `Free the host of the printer of other work and check its power supply, ${restart}`;
const cable = `Check the power of the board and its cable to the host, ${restart}`;
const flash = 'Flash the firmware of the boards with the version of Klipper on the host.';
const correct = 'Correct the configuration of Klipper, then send RESTART.';
const driver = `Check the cable of the motor and the cooling of its driver, ${restart}`;
const probe = `Clean the nozzle and the bed, and check the probe and its cable, ${restart}`;
const file = 'Slice the model with the profile of this printer, and send the job again.';

/** The first match counts. */
export const klipperReasons: readonly KlipperReason[] = [
  // The board stopped itself.
  { pattern: /Timer too close/i, words: 'The host was too slow for the board.', remedy: load },
  { pattern: /Missed scheduling of next/i, words: 'The board waited in vain for the host.', remedy: load },
  {
    pattern: /Rescheduled timer in the past|Stepper too far in past/i,
    words: 'The board was to step faster than it can.',
    remedy: `Lower the speed or the microsteps in the configuration, ${restart}`,
  },
  {
    pattern: /ADC out of range/i,
    words: 'A temperature is outside of its limits: a sensor may be open or short.',
    remedy: `Check the temperature sensors and their plugs, ${restart}`,
  },
  {
    pattern: /MCU '([^']+)' spontaneous restart/i,
    words: 'The board $1 has restarted by itself.',
    remedy: cable,
  },
  {
    pattern: /Command request|Shutdown due to (?:webhooks request|M112 command)/i,
    words: 'The emergency stop was asked for.',
    remedy: `See that the printer is safe and its bed is clear, ${restart}`,
  },
  // The connection to the board
  { pattern: /Lost communication with MCU '([^']+)'/i, words: 'The host lost the board $1.', remedy: cable },
  { pattern: /MCU '([^']+)': Unable to connect/i, words: 'The host does not reach the board $1.', remedy: cable },
  {
    pattern: /MCU Protocol error|Protocol error/i,
    words: 'The board has another firmware than the host.',
    remedy: flash,
  },
  {
    pattern: /Can not update MCU '([^']+)' config as it is shutdown/i,
    words: 'The board $1 is still stopped.',
    remedy: 'Send FIRMWARE_RESTART from the web interface of the printer.',
  },
  {
    pattern: /MCU '([^']+)' error during config|Unable to configure MCU '([^']+)'/i,
    words: 'The board $1 does not accept its configuration.',
    remedy: correct,
  },
  {
    pattern: /Communication timeout during homing/i,
    words: 'The boards did not answer in time while homing.',
    remedy: load,
  },
  // Heaters
  {
    pattern: /Heater (\S+) not heating at expected rate/i,
    words: 'Heater $1 does not heat as it should.',
    remedy: `Let the printer cool. Check the heater, its sensor and their plugs, ${restart}`,
  },
  {
    pattern: /Extrude below minimum temp/i,
    words: 'The file extrudes while the nozzle is cold.',
    remedy: file,
  },
  // Motors
  {
    pattern: /Unable to read tmc (?:uart|spi) '([^']+)'/i,
    words: 'The driver of motor $1 does not answer.',
    remedy: `Check the power of the motors and the plug of the driver, ${restart}`,
  },
  {
    pattern: /Unable to write tmc (?:uart|spi) '([^']+)'/i,
    words: 'The driver of motor $1 takes no settings.',
    remedy: `Check the power of the motors and the plug of the driver, ${restart}`,
  },
  { pattern: /TMC '([^']+)' reports error/i, words: 'The driver of motor $1 reports an error.', remedy: driver },
  // Homing, probing, moves
  {
    pattern: /No trigger on probe after full movement/i,
    words: 'The probe did not touch the bed.',
    remedy: probe,
  },
  {
    pattern: /No trigger on (\S+) after full movement/i,
    words: 'Axis $1 did not reach its end stop.',
    remedy: `Look whether something blocks the axis, and check its end stop, ${restart}`,
  },
  {
    pattern: /Endstop (\S+) still triggered after retract/i,
    words: 'The end stop of axis $1 stays pressed.',
    remedy: `Check the end stop and its cable, ${restart}`,
  },
  { pattern: /Probe triggered prior to movement/i, words: 'The probe was pressed before it moved.', remedy: probe },
  { pattern: /Probe samples exceed samples_tolerance/i, words: 'The probe measures too unevenly.', remedy: probe },
  {
    pattern: /Must home axis first/i,
    words: 'A move was asked for before the printer was homed.',
    remedy: 'Home the printer. If a file is the reason, slice it with the profile of this printer.',
  },
  { pattern: /Move out of range/i, words: 'A move went beyond what the axes reach.', remedy: file },
  {
    pattern: /Move exceeds maximum extrusion/i,
    words: 'A move extrudes more than the configuration allows.',
    remedy: file,
  },
  // The configuration
  {
    pattern: /Option '([^']+)' is not valid in section '([^']+)'/i,
    words: 'The configuration has an unknown option $1 in $2.',
    remedy: correct,
  },
  {
    pattern: /Option '([^']+)' in section '([^']+)' must be specified/i,
    words: 'The configuration lacks the option $1 in $2.',
    remedy: correct,
  },
  {
    pattern: /Unable to parse option '([^']+)' in section '([^']+)'/i,
    words: 'The configuration has a wrong value of $1 in $2.',
    remedy: correct,
  },
  {
    pattern: /Section '([^']+)' is not a valid config section/i,
    words: 'The configuration has an unknown section $1.',
    remedy: correct,
  },
  { pattern: /Unable to open config file/i, words: 'The configuration cannot be opened.', remedy: correct },
  // The host
  {
    pattern: /Internal error/i,
    words: 'The software of the host has failed.',
    remedy: `Keep its log klippy.log for its maker, ${restart}`,
  },
];

/** The remedy for a reason without a text of ours, by Klipper's state. */
const byState: Readonly<Record<string, string>> = {
  shutdown: `Remove the cause, ${restart}`,
  error: 'Correct the configuration of Klipper, then send FIRMWARE_RESTART.',
};
const notThere = 'Start Klipper on the host of the printer, or restart the host.';

/** Klipper's own message is long: its first line is the reason, the others say how to restart. */
const firstLine = (message: string): string => message.split('\n', 1)[0]?.trim() ?? '';

/** Returns the reason in one line, with Klipper's own text in brackets; undefined if we have no text for it. */
export function klipperReason(message: string): { words: string; remedy: string } | undefined {
  const line = firstLine(message);
  for (const { pattern, words, remedy } of klipperReasons) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const names = match.slice(1).filter((name) => name !== undefined);
    const filled = names.reduce<string>((text, name, at) => text.replaceAll(`$${at + 1}`, name), words);
    return { words: `${filled.replace(/\.$/, '')} (${line.replace(/\.$/, '')}).`, remedy };
  }
  return undefined;
}

/** The same, or Klipper's own text. */
export function reasonOrItself(message: string): { words: string; remedy?: string } {
  return klipperReason(message) ?? { words: firstLine(message) };
}

/** @param state of Klipper, other than `ready` */
export function whyNotReady(state: string, message: string): { words: string; remedy: string } {
  const { words, remedy } = reasonOrItself(message);
  return { words: words || `Klipper is ${state}.`, remedy: remedy ?? byState[state] ?? notThere };
}
