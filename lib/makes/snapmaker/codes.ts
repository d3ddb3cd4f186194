import { type CodeWords, type Severity, withCode } from '../code-words';

/**
 * The meanings of the Artisan's codes, in our own words: the exceptions of `04/00` and `04/02` by owner and state, and
 * the reasons of `ac/01`. Their meanings are those of the public firmware of its controller
 * (artisansnapmaker-prog/Artisan-Controller); 13/11 and 13/12 were seen on a machine.
 */
interface Row {
  words: string;
  remedy: string;
  severity?: Severity;
  blocking?: boolean;
}

const plug = 'Switch the printer off, check the cable and its plugs, and switch it on. If it stays, replace the part.';
const hot = 'Switch the printer off at once and let it cool. Have its heater and its sensor checked.';
const sensor = 'Switch the printer off and check the temperature sensor and its plug.';
const head = 'Switch the printer off, mount the tool head anew, and switch it on.';
const touchscreen = 'Look at the touchscreen of the printer.';
const addOn = 'Check the cable of the add-on, or take it off while the printer is off.';

/** Four pairs of states: of the first and of the second heater of a part. */
function heaters(owner: number, names: readonly [string, string]): Record<string, Row> {
  return Object.fromEntries(
    names.flatMap((name, at): [string, Row][] => [
      [`${owner}/${1 + at}`, { words: `${name} does not heat.`, remedy: plug }],
      [`${owner}/${3 + at}`, { words: `${name} heats out of control.`, remedy: hot, severity: 'fatal' }],
      [`${owner}/${5 + at}`, { words: `${name} reads too cold: its sensor may be open.`, remedy: sensor }],
      [`${owner}/${7 + at}`, { words: `${name} is too hot.`, remedy: hot, severity: 'fatal' }],
    ]),
  );
}

/** By `owner/state`: 13 is the head with two nozzles, 515 the bed, 517 the emergency stop, 2050 the controller. */
export const snapmakerFaults: Readonly<Record<string, Row>> = {
  ...heaters(13, ['Nozzle 0', 'Nozzle 1']),
  '13/9': { words: 'The tool head is offline.', remedy: plug },
  '13/10': { words: 'The type of a nozzle is wrong.', remedy: 'Mount the nozzles that are set at the touchscreen.' },
  // Only jobs that use that extruder are stopped.
  '13/11': {
    words: 'The filament has run out.',
    remedy: 'Load a new spool of the same material.',
    severity: 'common',
    blocking: false,
  },
  '13/12': { words: 'The extruder could not be switched.', remedy: 'Look whether something blocks the right nozzle.' },
  '13/13': { words: 'The probe of the tool head fails.', remedy: 'Clean the nozzles and the bed, and calibrate anew.' },
  '13/14': { words: 'The tool head is at the wrong port.', remedy: head },
  '13/15': {
    words: 'The tool head could not home its extruder.',
    remedy: 'Look whether something blocks the right nozzle.',
  },
  '13/16': { words: 'The tool head could not be set up.', remedy: head },
  ...heaters(515, ['Zone 0 of the bed', 'Zone 1 of the bed']),
  '515/9': { words: 'The bed is not plugged in.', remedy: 'Switch the printer off and plug the bed in.' },
  '515/10': { words: 'There is no bed.', remedy: 'Switch the printer off and plug the bed in.' },
  '515/11': { words: 'The power switch of the bed is broken.', remedy: hot, severity: 'fatal' },
  '517/1': {
    words: 'The emergency stop is pressed.',
    remedy: 'Release the emergency stop and switch the printer off and on.',
    severity: 'fatal',
  },
  '5/1': { words: 'The enclosure is offline.', remedy: addOn },
  '16/1': { words: 'The enclosure is offline.', remedy: addOn },
  '7/1': { words: 'The air purifier is offline.', remedy: addOn },
  '2050/1': { words: 'There is no tool head.', remedy: head },
  '2050/2': {
    words: 'The printer does not know its own model.',
    remedy: 'Check the plugs of the axes, and restart it.',
  },
  '2050/3': { words: 'The controller is too hot.', remedy: 'Switch the printer off, let it cool, and free its vents.' },
  '2050/4': { words: 'The settings of the printer are gone.', remedy: 'Calibrate the printer at its touchscreen.' },
  '2050/5': { words: 'Homing failed.', remedy: 'Look whether something blocks an axis, and home the printer.' },
  '2050/6': { words: 'The tool head is being replaced.', remedy: 'Finish the replacement at the touchscreen.' },
  '2050/7': { words: 'The system voltage is wrong.', remedy: 'Check the power supply and its plug.' },
  '2050/8': { words: 'The voltage of the motors is wrong.', remedy: 'Check the power supply and its plug.' },
  '2050/9': {
    words: 'A print was under way when the power was cut.',
    remedy: 'Discard it at the touchscreen, and take the part off the bed.',
  },
};

/** By the code of `ac/01`: why a print stopped or paused. */
export const snapmakerIssues: Readonly<Record<number, Row>> = {
  1: {
    words: 'The file asked for a pause.',
    remedy: 'Do what the file paused for.',
    severity: 'info',
    blocking: false,
  },
  2: { words: 'The filament has run out.', remedy: 'Load a new spool of the same material.', severity: 'common' },
  3: { words: 'The filament has run out.', remedy: 'Load a new spool of the same material.', severity: 'common' },
  4: { words: 'The tool head has stalled.', remedy: 'Look whether something blocks the tool head.' },
  5: { words: 'A temperature is wrong.', remedy: touchscreen },
  6: { words: 'The line numbers of the file do not match.', remedy: 'Send the job again.' },
  7: { words: 'The touchscreen lost the connection to the machine.', remedy: plug },
  8: {
    words: 'The emergency stop was pressed.',
    remedy: 'Release the emergency stop and switch the printer off and on.',
    severity: 'fatal',
  },
  9: { words: 'The tool head cannot resume.', remedy: 'Look whether something blocks the tool head.' },
  10: { words: 'The print could not be stopped as it should.', remedy: touchscreen },
  11: { words: 'The print could not be stopped as it should.', remedy: touchscreen },
  13: { words: 'The print could not be paused as it should.', remedy: touchscreen },
  14: { words: 'The printer could not store where it paused.', remedy: touchscreen },
  15: { words: 'The print could not be paused as it should.', remedy: touchscreen },
  16: { words: 'The door of the enclosure is open.', remedy: 'Close the door of the enclosure.', severity: 'common' },
  17: { words: 'The extruder is not the right one.', remedy: 'Mount the tool head that the file was sliced for.' },
  18: { words: 'The nozzle is not the right one.', remedy: 'Mount the nozzles that the file was sliced for.' },
  19: { words: 'The hot end does not reach its temperature.', remedy: plug },
  20: { words: 'The print was stopped by a fault.', remedy: touchscreen },
  22: { words: 'The print was stopped by a fault.', remedy: touchscreen },
};

/** A reason that is not a fault needs no remedy and no code. */
const plainIssues: Readonly<Record<number, string>> = {
  0: 'The print is finished.',
  12: 'The print was stopped.',
  21: 'The print goes on.',
};

const lookUp = 'Look it up at support.snapmaker.com, and clear it at the touchscreen.';

/** @param code `owner/state` */
export function faultCode(code: string): CodeWords {
  const row = snapmakerFaults[code];
  const { remedy = lookUp, severity = 'serious', blocking = true } = row ?? {};
  return { words: row ? withCode(row.words, code) : `Fault ${code}.`, remedy, severity, blocking };
}

/** Returns the text of an `ac/01` code, with a remedy unless it is not a fault. */
export function issueCode(code: number): { words: string; remedy?: string } {
  const plain = plainIssues[code];
  if (plain !== undefined) return { words: plain };
  const row = snapmakerIssues[code];
  return row
    ? { words: withCode(row.words, `ac/01 ${code}`), remedy: row.remedy }
    : { words: `Reason ${code}.`, remedy: lookUp };
}
