import { type CodeWords, type Severity, withCode } from '../code-words';

/** The meanings of Bambu's codes, in our own words. Health messages (HMS) are `AAAA_BBBB_CCCC_DDDD`: `AAAA_BBBB` is `attr`,
 * `CCCC_DDDD` is `code` of an entry of `hms`. Print errors are `AAAA_EEEE`: `print_error`, or the last 8 digits of `err`.
 *
 * The meanings are those of Bambu's public catalogue, as ha-bambulab keeps it (`hms_error_text/hms_<model>_en.json`,
 * `const_hms_errors.py`, `const_print_errors.py`), and of captures of an H2D's traffic.
 *
 * A pattern is a code in which
 * - `AM` is `07` (an AMS) or `18` (an AMS HT), whose codes are the same; `12` is the AMS lite, whose codes are its own
 * - `uu` is the unit, A to H; `h` is that of an AMS HT when counted from `80`
 * - `s` is the slot in the unit, `t` a digit that encodes unit and slot
 * - `e` is the side of an external spool: `E` left, `F` right
 *
 * In the words, `{unit}`, `{slot}` and `{side}` are replaced by the values found.
 */
interface Group {
  remedy: string;
  /** Overrides `isBlocking`. */
  blocking?: boolean;
  words: Readonly<Record<string, string>>;
}

const cable = 'Switch the printer off and check the cable and its plugs. If it stays, replace the part.';
const restart = 'Switch the printer off and on. If it stays, ask the support of Bambu.';
const heater = 'Switch the printer off. Check the plug of the heater and of its sensor, and replace what is broken.';
const motor = 'Switch the printer off and check the plug of the motor. If it stays, replace the motor.';
const fan = 'Look whether something blocks the fan, clean it, and check its plug. If it stays, replace it.';
const clog = 'Clean the nozzle and the extruder: unload the filament, cut its end off, and load it again.';
const spool = 'Look whether the filament is tangled or the spool is stuck, and free it.';
const path = 'Check the filament, its tube and the extruder; pull out what is broken off, and cut the end straight.';
const load = 'Load a new spool of the same material.';
const lens = 'Clean the lens with a soft cloth.';
const camera = 'Check the cable of the camera and switch the printer off and on. Prints go on without its watch.';
const print = 'Look at the print. Cancel it if it is spoilt.';
const bed =
  'Clean the bed and put the plate of the sliced file on it, aligned at its corners, with the marker to be seen.';
const sliceAnew = 'Slice the model again for this printer, as it is now.';
const sendAnew = 'Send the job again. If it fails again, slice the file anew.';
const stick =
  'Check the USB stick or the card: it must be in the printer, formatted as FAT32, and neither full nor locked.';
const network = 'Check the network of the printer. Prints from the farm do not need the cloud.';
const wait = 'Wait until the printer is done with it, or stop it at the printer.';
const firmware = 'Update the firmware of the printer and of its accessories.';
const calibrate = 'Run the calibration at the printer again.';
const homing = 'Look whether something blocks the axis, clean its rails, and home the printer.';
const cool = 'Let the printer cool down, with the door and the lid open.';
const airDoor = 'Look whether something blocks the flap, and check its plug.';
const rfid = 'Set the filament of the slot by hand at the printer, or turn the spool and have it read again.';
const amsPart = 'Switch the printer off and check the cables of the AMS. If it stays, have the unit repaired.';
const drying = 'Stop the drying and look at the unit. It still feeds filament.';
const cutter = 'Look whether the lever or the blade of the cutter is stuck, and check the plug of its sensor.';
const nothing = 'Nothing is to be done.';

const bedHeater = '0300_0100_0001';

/** The parts whose heaters and motors have codes of the same form. */
const nozzles = { '0300_0200': 'the nozzle (the right one of two)', '0300_1E00': 'the left nozzle' };
const motors = {
  '0300_06': 'motor A',
  '0300_07': 'motor B',
  '0300_08': 'the Z motor',
  '0300_09': 'the motor of the extruder',
};
const forceSensors = { '0300_0A': 1, '0300_0B': 2, '0300_0C': 3 };
const fans = {
  '0300_17': 'of the hot end',
  '0300_31': 'for the part',
  '0300_32': 'at the side for the part (auxiliary)',
  '0300_33': 'of the exhaust',
  '0300_35': 'of the motion board',
  '0300_36': 'that moves the air of the chamber',
};
const forceOfExtruder = { '0300_2500': 'right', '0300_2600': 'left' };
const chamberHeaters = { '0300_9100': 1, '0300_9200': 2 };
const openings = {
  '0300_9600': 'front door',
  '0300_9700': 'lid',
  '0300_9800': 'left window',
  '0300_9900': 'right window',
};

/** A table of texts for each of several parts. */
function each<T>(parts: Readonly<Record<string, T>>, wordsOf: (code: string, part: T) => Record<string, string>) {
  return Object.assign({}, ...Object.entries(parts).map(([code, part]) => wordsOf(code, part))) as Record<
    string,
    string
  >;
}

const groups: readonly Group[] = [
  // The bed, the nozzles, the chamber
  {
    remedy: heater,
    words: {
      [`${bedHeater}_0001`]: 'The bed heats wrongly: its heater may have a short circuit.',
      [`${bedHeater}_0002`]: 'The bed heats wrongly: its heater may be open, or its thermal switch has opened.',
      [`${bedHeater}_0006`]: 'The temperature of the bed is wrong: its sensor may have a short circuit.',
      [`${bedHeater}_0007`]: 'The temperature of the bed is wrong: its sensor may be open.',
      [`${bedHeater}_0008`]: 'The bed does not heat as it should: a part of its heater may be broken.',
      [`${bedHeater}_000A`]: 'The temperature of the bed is out of control: the mains board may be broken.',
      [`${bedHeater}_000C`]: 'The bed has heated at full power for a long time.',
      [`${bedHeater}_000D`]: 'The heater of the bed had a fault before.',
      ...each(nozzles, (code, nozzle) => ({
        [`${code}_0001_0001`]: `The heater of ${nozzle} may have a short circuit.`,
        [`${code}_0001_0002`]: `The heater of ${nozzle} may be open.`,
        [`${code}_0001_0006`]: `The temperature sensor of ${nozzle} may have a short circuit.`,
        [`${code}_0001_0007`]: `The temperature sensor of ${nozzle} may be open.`,
        [`${code}_0001_0009`]: `The temperature of ${nozzle} is out of control: is the hot end mounted?`,
      })),
      ...each(chamberHeaters, (code, number) => ({
        [`${code}_0001_0001`]: `Heater ${number} of the chamber may have a short circuit.`,
        [`${code}_0001_0002`]: `Heater ${number} of the chamber may be open, or its fuse has blown.`,
        [`${code}_0001_0006`]: `The sensor of chamber heater ${number} may have a short circuit.`,
        [`${code}_0001_0007`]: `The sensor of chamber heater ${number} may be open.`,
        [`${code}_0001_0008`]: `Heater ${number} of the chamber does not reach its temperature.`,
        [`${code}_0001_000A`]: `Heater ${number} of the chamber is out of control: the mains board may be broken.`,
      })),
      '0300_9100_0001_000C': 'Heater 1 of the chamber has heated at full power for a long time.',
      '0300_9000_0001_0001': 'The chamber is not heated: its heater may blow no hot air.',
      '0300_9000_0001_0003': 'The chamber is not heated: the power supply may be too hot.',
      '0300_9000_0001_0004': 'The chamber is not heated: the fan of its heater is too slow.',
      '0300_9000_0001_0005': 'The chamber is not heated: its heater gives off too little heat.',
      '0300_9000_0001_0010': 'The printer gets no answer from the control of its chamber heater.',
      '0300_9300_0001_0001': 'The temperature sensor of the chamber may have a short circuit.',
      '0300_9300_0001_0002': 'The temperature sensor of the chamber may be open.',
      '0300_9300_0001_0003': 'The temperature sensor at the air outlet of the chamber heater may have a short circuit.',
      '0300_9300_0001_0004': 'The temperature sensor at the air outlet of the chamber heater may be open.',
      '0300_9300_0001_0005': 'The temperature sensor at the air inlet of the chamber heater may have a short circuit.',
      '0300_9300_0001_0006': 'The temperature sensor at the air inlet of the chamber heater may be open.',
      '0300_9300_0001_0007': 'The temperature sensor at the power supply may have a short circuit.',
      '0300_9300_0001_0008': 'The temperature sensor at the power supply may be open.',
    },
  },
  {
    remedy: 'Switch the printer off at once and let it cool. Have its heater, sensor and board checked.',
    blocking: true,
    words: {
      [`${bedHeater}_0003`]: 'The bed is too hot.',
      ...each(nozzles, (code, nozzle) => ({ [`${code}_0001_0003`]: `The heater of ${nozzle} is too hot.` })),
      ...each(chamberHeaters, (code, number) => ({
        [`${code}_0001_0003`]: `Heater ${number} of the chamber is too hot.`,
      })),
      '0300_8008': 'The temperature of the nozzle is out of control.',
      '0300_8009': 'The temperature of the bed is out of control.',
    },
  },
  {
    remedy:
      'Switch the printer off at the mains, see that nothing burns, and do not switch it on before it was checked.',
    blocking: true,
    words: { '0300_8044': 'There is fire in the chamber.' },
  },
  {
    remedy: 'Set the voltage of the printer to that of your mains, or use the power supply that belongs to it.',
    blocking: true,
    words: {
      [`${bedHeater}_000E`]: 'The mains voltage is not the one of the printer; the bed heater is switched off.',
      '0300_9100_0001_000E': 'The mains voltage is not the one of the printer; chamber heater 1 is switched off.',
      '0300_400F': 'The mains voltage is not the one of the printer.',
    },
  },
  {
    remedy: 'Check the mains and the plug of the printer; put it on a line of its own.',
    words: {
      '0300_4100_0001_0001': 'The voltage was not steady, so the printer has guarded itself against a power cut.',
    },
  },
  {
    remedy: 'Close the door and the lid, free the vents, and see that the room is warm enough.',
    words: {
      '0300_9000_0001_0002': 'The chamber does not warm up: it may be open, or the room too cold.',
      '0300_9400_0002_0003': 'The chamber did not reach its temperature; the printer waits no longer.',
      '0300_8018': 'The temperature of the chamber is wrong.',
    },
  },
  {
    remedy: cool,
    words: {
      '0300_9400_0003_0001': 'The chamber cools slowly.',
      '0300_A100_0001_0001': 'The chamber is too hot.',
      '0300_A200_0001_0001': 'The motion board is too hot.',
      '0300_A400_0001_0001': 'The bed is still too hot for a start.',
      '0300_A400_0001_0002': 'The right hot end is still too hot for a start.',
      '0300_A400_0001_0003': 'The left hot end is still too hot for a start.',
      '0300_A400_0001_0004': 'The chamber is still too hot for a start.',
      '0300_404D': 'The hot end, the bed or the chamber is still too hot for a start.',
      '0300_8062': 'The chamber is too hot; the room may be too warm.',
      '0300_8063': 'The chamber is too hot.',
      '0300_8064': 'The chamber is too hot; for this print the open door is only told.',
      '0300_8065': 'The motion board is too hot.',
      '0500_0400_0002_0007': 'The bed is so hot that the filament may soften and clog the nozzle.',
      '0500_0400_0003_0009':
        'The bed is so hot that the filament may clog the nozzle; the door is not watched for now.',
      '1000_C001': 'The bed is so hot that the filament may clog the nozzle.',
    },
  },
  {
    remedy: 'Ask for a lower temperature in the profile of the filament.',
    words: {
      '0300_0100_0003_0008': 'The bed cannot be as hot as was asked for; the highest temperature is used.',
      '0300_9400_0003_0002': 'The chamber cannot be as hot as was asked for; the highest temperature is used.',
    },
  },
  {
    remedy: 'Move the printer to a place above 10 °C.',
    words: { '0500_403A': 'It is too cold around the printer to print.' },
  },
  // Fans and flaps
  {
    remedy: fan,
    words: {
      ...each(fans, (code, which) => ({
        [`${code}00_0001_0001`]: `The fan ${which} stands still or is too slow.`,
        [`${code}00_0002_0002`]: `The fan ${which} turns slowly.`,
      })),
      '0300_0300_0001_0001': 'The fan of the hot end stands still or is too slow.',
      '0300_0300_0002_0002': 'The fan of the hot end turns slowly.',
      '0300_0400_0002_0001': 'The fan for the part stands still or is too slow.',
      '0300_0500_0001_0001': 'The driver of a motor is too hot: its heat sink may be loose, or its fan broken.',
      '0300_4005': 'The fan of the hot end does not turn as it should.',
      '0300_8010': 'The fan of the hot end does not turn as it should.',
      '0300_8071': 'The stronger fan of the tool head is broken.',
    },
  },
  {
    remedy: airDoor,
    words: {
      '0300_C000_0001_0001': 'The flap of the exhaust may be stuck.',
      '0300_C000_0001_0002': 'The flap of the filter may be stuck.',
      '0300_C000_0001_0003': 'The vent in the lid may be stuck.',
      '0300_C100_0001_0001': 'The flaps could not be set for cooling.',
      '0300_C100_0001_0002': 'The flaps could not be set for heating.',
      '0300_C200_0001_0002': 'The sensor of the filter flap gives no signal.',
      '0300_C300_0001_0001': 'The current sensor of the exhaust flap is broken.',
      '0300_C300_0001_0002': 'The current sensor of the filter flap is broken.',
      '0300_C300_0001_0003': 'The current sensor of the vent in the lid is broken.',
      '0300_8061': 'The flaps could not be set.',
    },
  },
  // Motion
  {
    remedy: motor,
    words: {
      ...each(motors, (code, which) => ({
        [`${code}00_0001_0001`]: `The line to ${which} is open: the plug may be loose, or the motor broken.`,
        [`${code}00_0001_0002`]: `There is a short circuit in ${which}.`,
        [`${code}00_0001_0003`]: `The resistance of ${which} is wrong.`,
      })),
      '0300_1300_0001_0001': 'The current sensor of motor A is broken.',
      '0300_1400_0001_0001': 'The current sensor of motor B is broken.',
      '0300_1500_0001_0001': 'The current sensor of the Z motor is broken.',
      '0300_1600_0001_0001': 'The current sensor of the motor of the extruder is broken.',
      '0300_1C00_0001_0001': 'The driver of the motor of the extruder is broken.',
      '0300_1D00_0001_0001': 'The position sensor of the motor of the extruder gives a wrong signal.',
      '0300_801D': 'The position sensor of the motor of the extruder gives a wrong signal.',
      '0300_400E': 'The motors failed their self-test.',
      AMFe_8000_0001_0001: 'The motor that lifts the hot end does not work.',
      AMFe_8000_0001_0002: 'The position sensor of the motor that lifts the hot end is open.',
      AMFe_8000_0001_0003: 'The position sensor of the motor that lifts the hot end gives a wrong signal.',
      AMFe_8000_0001_0004: 'The position sensor of the motor that lifts the hot end has a short circuit.',
      AMFe_8000_0001_0006: 'The board of the tool head was lost while the nozzle was changed.',
      AMFe_8100_0001_0001: 'The motor that changes the nozzle does not work.',
      AMFe_8100_0001_0002: 'The position sensor of the motor that changes the nozzle is open.',
      AMFe_8100_0001_0003: 'The position sensor of the motor that changes the nozzle gives a wrong signal.',
      AMFe_8100_0001_0004: 'The position sensor of the motor that changes the nozzle has a short circuit.',
    },
  },
  {
    remedy: 'Look whether filament or dirt blocks the tool head, and home the printer.',
    words: {
      AMFe_8000_0002_0001: 'A hot end was not lifted or lowered as the nozzle was changed.',
      AMFe_8000_0002_0002: 'The left hot end is not where it should be; it may scratch the part.',
      AMFe_8100_0002_0001: 'The nozzle was not changed as it should.',
      AMFe_8020: 'The nozzle could not be changed.',
    },
  },
  {
    remedy: homing,
    words: {
      '0300_2000_0001_0001': 'The X axis could not be homed: the tool head may be blocked.',
      '0300_2000_0001_0002': 'The Y axis could not be homed: the tool head may be blocked.',
      '0300_2500_0001_0005': 'The Z axis turns hard: something may block its slider or belt.',
      '0300_2600_0001_0005':
        'The Z axis turns hard: something may block its slider or belt (seen by the left extruder).',
      '0300_4000': 'The Z axis could not be homed.',
      '0300_4001': 'The nozzle did not cool down in time for homing.',
      '0300_4009': 'The X or the Y axis could not be homed.',
      '0300_4014': 'The Z axis could not be homed, because the temperature is out of control.',
      '0300_8022': 'Something may block the bed as it moves down.',
    },
  },
  {
    remedy: 'Tighten the belts and clean the rails, then run the calibration at the printer.',
    words: {
      '0300_2000_0001_0003': 'The X axis could not be homed: its belt may be loose.',
      '0300_2000_0001_0004': 'The Y axis could not be homed: its belt may be loose.',
      '0300_1000_0002_0001': 'The X axis swings slowly: its belt may be loose.',
      '0300_1000_0002_0002': 'The X axis swings otherwise than at its last calibration.',
      '0300_1100_0002_0001': 'The Y axis swings slowly: its belt may be loose.',
      '0300_1100_0002_0002': 'The Y axis swings otherwise than at its last calibration.',
      '0300_400A': 'The calibration of the vibrations failed.',
      '0300_800C': 'The printer has lost steps and found its place again; layers may be shifted.',
    },
  },
  {
    remedy: calibrate,
    words: {
      '0300_4010': 'The calibration of the distance between the nozzles failed.',
      '0300_4011': 'The calibration of the flow failed.',
      '0300_4066': 'The calibration of the precision of the motion failed.',
      '0300_4067': 'The result of a calibration is beyond its limits.',
      '0300_4068': 'Steps were lost in the calibration of the precision of the motion.',
      '0300_2900_0001_0001': 'The pattern of the calibration plate was not recognised.',
      '0C00_0300_0002_0011': 'The fine calibration of the distance between the nozzles failed.',
      AMFe_8000_0002_0003: 'The calibrated position of the extruder is far off.',
      AMFe_8024: 'The calibration of the position of the extruder failed.',
    },
  },
  {
    remedy: 'Clean the tip of the nozzle and the place where it touches the bed, and mount the plate flat.',
    words: {
      '0300_1800_0001_0006': 'The measured shape of the bed is wrong: something may lie on it.',
      '0300_2500_0001_0008': 'The right nozzle does not touch the bed as it should.',
      '0300_2600_0001_0008': 'The left nozzle does not touch the bed as it should.',
      '0300_2500_0001_000A': 'The calibration of the distance between the nozzles failed: filament sticks to a nozzle.',
      '0300_4002': 'The levelling of the bed failed.',
      '0300_4016': 'The nozzle could not be cleaned.',
      '0300_8014': 'Filament covers the nozzle, or the plate lies wrong.',
    },
  },
  {
    remedy: nothing,
    words: { '0300_1800_0003_0009': 'The bed is levelled for the first print at a high temperature.' },
  },
  // Sensors of force and motion
  {
    remedy: cable,
    words: {
      ...each(forceSensors, (code, number) => ({
        [`${code}00_0001_0001`]: `Force sensor ${number} of the bed is too sensitive: it may be jammed.`,
        [`${code}00_0001_0002`]: `The signal of force sensor ${number} of the bed is weak.`,
        [`${code}00_0001_0003`]: `Force sensor ${number} of the bed gives almost no signal.`,
        [`${code}00_0001_0004`]: `Force sensor ${number} of the bed was disturbed: something may touch the bed.`,
        [`${code}00_0001_0005`]: `Force sensor ${number} of the bed feels a lasting force: the bed may be stuck.`,
      })),
      '0300_0F00_0001_0001': 'The accelerometer gives wrong data.',
      '0300_1B00_0001_0001': 'The signal of the accelerometer of the bed is weak.',
      '0300_1B00_0001_0002': 'The accelerometer of the bed was disturbed: its cable may be loose.',
      '0300_1B00_0001_0003': 'The accelerometer of the bed feels a lasting force.',
      ...each(forceOfExtruder, (code, side) => ({
        [`${code}_0001_0001`]: `The force sensor of the ${side} extruder is too far from its nozzle, or no nozzle is mounted.`,
        [`${code}_0001_0002`]: `The force sensor of the ${side} extruder feels too little: the nozzle may sit wrong.`,
        [`${code}_0001_0003`]: `The force sensor of the ${side} extruder does not answer.`,
        [`${code}_0001_0004`]: `The force sensor of the ${side} extruder gives a wrong signal.`,
        [`${code}_0001_0007`]: `The force sensor of the ${side} extruder is too near to its nozzle, or broken.`,
      })),
      '0300_2700_0001_0001': 'The sensor for the distance of the nozzles reads too low.',
      '0300_2700_0001_0004': 'The sensor for the distance of the nozzles gives a wrong signal.',
      '0300_2700_0001_0007': 'The sensor for the distance of the nozzles reads too high.',
      '0300_4021': 'The sensor for the distance of the nozzles gives a wrong signal.',
      '0300_8028': 'The sensor for the distance of the nozzles fails; a print with one nozzle can go on.',
      '0300_4000_0002_0001': 'Data on the serial line of the printer is broken.',
      '0300_400B': 'The boards of the printer do not understand each other.',
    },
  },
  // Nozzle, extruder, hot end
  {
    remedy: 'Mount the hot end and lock it.',
    words: {
      '0300_2500_0001_000B': 'The right nozzle is not mounted, or not as it should.',
      '0300_2600_0001_000B': 'The left nozzle is not mounted, or not as it should.',
      '0300_401F': 'There is no hot end (of two, no right one), so the printer cannot home.',
      '0300_4020': 'The printer could not tell whether a nozzle is mounted.',
      '0300_8021': 'The nozzle may not be mounted, or not as it should.',
      '0500_8080': 'Both hot ends are missing.',
      '0500_8081': 'Both hot ends are missing.',
      '05FE_8080': 'The left hot end is missing.',
      '05FE_8081': 'The left hot end is missing.',
      '05FF_8080': 'The right hot end is missing.',
      '05FF_8081': 'The right hot end is missing.',
    },
  },
  {
    remedy: 'Set the type of the hot end at the printer, or clean its mark.',
    words: {
      '0500_8069': 'The printer recognises neither of its hot ends.',
      '0500_806A': 'The printer recognises neither of its hot ends.',
      '05FE_8069': 'The printer does not recognise its left hot end.',
      '05FE_806A': 'The printer does not recognise its left hot end.',
      '05FF_8069': 'The printer does not recognise its right hot end.',
      '05FF_806A': 'The printer does not recognise its right hot end.',
    },
  },
  {
    remedy: clog,
    words: {
      '0300_0900_0002_0001': 'The motor of the extruder is overloaded: the extruder may be clogged.',
      '0300_0900_0002_0002': 'It takes too much force to extrude: the extruder may be clogged.',
      '0300_0900_0002_0003': 'The extruder does not feed as it should: it may be clogged, or slip on thin filament.',
      '0300_4006': 'The nozzle is clogged.',
      '0300_800D': 'The extruder does not feed as it should.',
      '0300_8016': 'The nozzle is clogged with filament.',
      '0300_801A': 'Filament does not come out as it should.',
      '0300_801C': 'It takes too much force to extrude: the extruder may be clogged.',
      '0300_801E': 'The motor of the extruder is overloaded: the extruder may be clogged.',
      '0C00_0300_0002_000E': 'The nozzle seems to be covered with filament.',
      '0C00_0300_0003_000D': 'The extruder may not feed as it should.',
    },
  },
  {
    remedy: 'Put the front cover of the tool head on again, and look at the print.',
    words: {
      '0300_8005': 'The front cover of the tool head has fallen off.',
      '0500_8040': 'The front cover of the tool head is off.',
    },
  },
  // Camera detections
  {
    remedy: `${print} Take the loose filament out of the printer.`,
    words: {
      '0300_8003': 'The camera saw spaghetti: filament was drawn into the air.',
      '0C00_C004': 'The camera may have seen spaghetti.',
      '0C00_0300_0003_0008': 'The camera may have seen spaghetti.',
      '0C00_0300_0003_0010': 'The printer seems to be printing in the air.',
      '0C00_8040': 'The camera saw that the printer is printing in the air.',
      '0C00_803F': 'The camera saw a filament clump at the nozzle.',
    },
  },
  {
    remedy: `${print} Clean the plate before the next one.`,
    words: {
      '0300_8002': 'First layer defects were found.',
      '0C00_8001': 'First layer defects were found.',
      '0C00_0300_0003_0007': 'The camera may have seen first layer defects.',
    },
  },
  {
    remedy: 'Empty the chute for the waste filament.',
    words: {
      '0300_800A': 'Waste filament has piled up in the chute.',
      '0C00_8005': 'Waste filament has piled up in the chute; the tool head may hit it.',
      '0C00_C006': 'Waste filament may have piled up in the chute.',
      '0C00_0300_0003_0006': 'Waste filament may have piled up in the chute.',
    },
  },
  {
    remedy: 'Take everything off the bed that is not its plate.',
    words: {
      '0300_8017': 'Something lies on the bed.',
      '0500_806E': 'Something lies on the bed.',
      '0C00_8015': 'Something lies on the bed.',
      '0C00_8017': 'Something lies on the bed.',
      '0C00_0300_0002_0010': 'Something lies on the bed.',
    },
  },
  {
    remedy: bed,
    words: {
      '0300_8006': 'The marker of the build plate was not found.',
      '0300_8011': 'The build plate is not of the type that the file was sliced for.',
      '0300_8019': 'There is no build plate.',
      '0300_8041': 'It took too long to look for the build plate.',
      '0300_8046': 'It took too long to look for things on the bed.',
      '0300_8049': 'The build plate is not valid.',
      '0500_8051': 'The build plate is not of the type that the file was sliced for.',
      '0500_8061': 'There is no build plate.',
      '0500_8062': 'The marker of the build plate was not found, or its type is not known.',
      '0500_808C': 'The build plate lies beside its place.',
      '0500_809B': 'The build plate lies wrong.',
      '0C00_8009': 'The marker of the build plate was not found.',
      '0C00_800B': 'The marker on the bed was not found.',
      '0C00_0300_0002_000C': 'The marker of the build plate was not found.',
    },
  },
  {
    remedy: lens,
    blocking: false,
    words: {
      '0500_8072': 'Something blocks the view of the chamber camera.',
      '0500_8084': 'The chamber camera is dirty.',
      '0500_8085': 'Something blocks the view of the nozzle camera.',
      '0500_8086': 'The nozzle camera is dirty.',
      '0500_808F': 'The nozzle camera is dirty.',
      '0500_0400_0002_0042': 'The chamber camera is dirty, or something blocks its view.',
      '0500_0400_0002_0043': 'The nozzle camera is dirty, or something blocks its view.',
      '0C00_0100_0001_0004': 'The lens of the tool head camera seems to be dirty.',
      '0C00_0100_0002_0017': 'The lens of the nozzle camera is dirty.',
    },
  },
  {
    remedy: camera,
    blocking: false,
    words: {
      '0500_0100_0002_0001': 'The video of the printer fails.',
      '0500_0100_0002_0002': 'The chamber camera is not connected.',
      '0500_0600_0002_0004': 'The chamber camera is not in its place.',
      '0500_0600_0002_0031': 'The tool head camera is not connected.',
      '0500_0600_0002_0032': 'The nozzle camera is not connected.',
      '0500_0600_0002_0034': 'The chamber camera is not connected.',
      '0500_0300_0001_0021': 'The tool head camera does not go with this printer.',
      '0500_8092': 'The tool head camera could not be started; some of its watch is off.',
      '0C00_0100_0001_0001': 'The tool head camera is off line.',
      '0C00_0100_0001_0003': 'The tool head camera is not in step with the motion board.',
      '0C00_0100_0001_0005': 'A setting of the tool head camera is wrong.',
      '0C00_0100_0001_000A': 'The lamp of the lidar may be broken.',
      '0C00_0100_0002_0002': 'The tool head camera fails.',
      '0C00_0100_0002_0006': 'A setting of the tool head camera is wrong.',
      '0C00_0100_0002_0008': 'The chamber camera gives no picture: nobody watches for spoilt prints or a full chute.',
      '0C00_0100_0002_0014': 'The nozzle camera fails.',
      '0C00_0100_0003_000C': 'The nozzle camera is too hot and does not watch for now.',
      '0C00_0300_0002_0013': 'Nobody watches for things on the bed.',
      '0C00_402C': 'A data line of the printer fails.',
      '0C00_402D': 'The tool head camera does not work.',
      '0C00_8016': 'Nobody watches for things on the bed.',
      '0C00_8018': 'Nobody watches for things on the bed.',
      '0500_807A': 'Nobody watches for things on the bed.',
    },
  },
  {
    remedy: `Clean the lidar and the plate. ${calibrate}`,
    blocking: false,
    words: {
      '0C00_0100_0001_000B': 'The calibration of the lidar failed.',
      '0C00_0100_0001_000F': 'The calibration of the chamber camera failed.',
      '0C00_0100_0001_0010': 'The calibration of the chamber camera failed: the bed may not be clear.',
      '0C00_0100_0001_0011': 'The calibration of the chamber camera failed.',
      '0C00_0100_0002_0007': 'The laser of the lidar has drifted.',
      '0C00_0200_0001_0001': 'The horizontal laser of the lidar is dark.',
      '0C00_0200_0001_0005': 'There is a new lidar, which is not calibrated.',
      '0C00_0200_0002_0002': 'The horizontal line of the lidar is too wide.',
      '0C00_0200_0002_0003': 'The horizontal laser of the lidar is too weak.',
      '0C00_0200_0002_0004': 'The nozzle seems to be too low for the lidar: it may be worn.',
      '0C00_0200_0002_0006': 'The nozzle seems to be too high for the lidar: filament may stick to it.',
      '0C00_0200_0002_0007': 'The vertical laser of the lidar is dark.',
      '0C00_0200_0002_0008': 'The vertical line of the lidar is too wide.',
      '0C00_0200_0002_0009': 'The vertical laser of the lidar is too weak.',
      '0C00_0300_0001_0009': 'The part that looks at the first layer has started anew; what it says may be wrong.',
      '0C00_0300_0002_0001': 'The lidar cannot see this material; what it says of the first layer may be wrong.',
      '0C00_0300_0002_0002': 'The lidar gave up looking at the first layer.',
      '0C00_0300_0002_0004': 'The lidar cannot look at the first layer of this print.',
      '0C00_0300_0002_0005': 'The lidar took too long for the first layer; what it says may be wrong.',
      '0C00_0300_0002_0012': 'Nobody watches for things on the bed: the chamber camera is to be calibrated.',
      '0C00_0300_0002_0014': 'The chamber camera should be calibrated.',
      '0C00_0300_0002_0015': 'Nobody watches for things on the bed: there is a new chamber camera, to be calibrated.',
    },
  },
  { remedy: nothing, words: { '0C00_0300_0003_000B': 'The printer looks at the first layer.' } },
  // Doors and what is mounted
  {
    remedy: 'Close the door and the lid.',
    words: {
      ...each(openings, (code, what) => ({
        [`${code}_0001_0001`]: `The ${what} is open, so the print is paused.`,
        [`${code}_0003_0001`]: `The ${what} is open.`,
      })),
      '0300_800F': 'The door is open, so the print is paused.',
      '0300_8042': 'The door or the lid is open, so the print is paused.',
      '0300_404B': 'The door or the lid is open, so the print was stopped.',
      '0500_0400_0003_0008': 'The door seems to be open.',
    },
  },
  {
    remedy: cable,
    words: each(openings, (code, what) => ({
      [`${code}_0001_0002`]: `Sensor 1 of the ${what} gives a wrong signal.`,
      [`${code}_0001_0003`]: `Sensor 2 of the ${what} gives a wrong signal.`,
    })),
  },
  {
    remedy: 'Take the laser or cutting module off the tool head.',
    words: {
      '0300_804E': 'A laser or cutting module is mounted, and this is a print.',
      '0500_4039': 'A laser or cutting module is mounted, which this job does not allow.',
      '0500_4070': 'A laser or cutting module is mounted.',
      '0500_C032': 'A laser or cutting module is mounted, so the drying was stopped.',
      '0500_C036': 'A laser or cutting module is mounted, and this is a print.',
    },
  },
  {
    remedy: 'Mount what the job needs on the tool head.',
    words: {
      '0300_8055': 'What is mounted on the tool head does not go with the job.',
      '0500_403D': 'What is mounted on the tool head is not set up.',
      '0500_8060': 'What is mounted on the tool head does not go with the job.',
    },
  },
  // Pauses and power
  {
    remedy: 'Look at the printer.',
    words: {
      '0300_8000': 'The print is paused, and the printer does not say why.',
      '0300_8001': 'The file asked for a pause.',
      '0300_8013': 'Somebody has paused the print.',
      '0500_8089': 'Nobody has confirmed to be there, so the print is paused.',
    },
  },
  {
    remedy: 'Cancel the print, and take the part off the bed.',
    words: {
      '0300_400D': 'The print could not go on after a power cut.',
      '0300_8007': 'A print was under way when the power was cut.',
      '0500_0400_0001_0006': 'The print before could not go on.',
    },
    blocking: false,
  },
  { remedy: nothing, words: { '0300_400C': 'The print was cancelled.', '0500_400E': 'The print was cancelled.' } },
  // The file and where it is stored
  {
    remedy: sendAnew,
    blocking: false,
    words: {
      '0500_4001': 'The printer could not reach the cloud, or load the job from there.',
      '0500_4002': 'The path or the name of the file is bad.',
      '0500_4003': 'The file cannot be read.',
      '0500_4008': 'The print could not be started.',
      '0500_400A': 'The file name is not supported.',
      '0500_400B': 'The file could not be downloaded.',
      '0500_4014': 'The slicing of the job failed.',
      '0500_403F': 'The file could not be downloaded.',
      '0500_4046': 'The print file is not valid.',
      '0502_402D': 'The file cannot be read.',
      '0502_402E': 'The file cannot be read.',
      '0502_402F': 'The file cannot be read.',
      '0502_4030': 'The file cannot be read.',
      '0500_0400_0001_0001': 'The file could not be downloaded.',
      '0500_0400_0001_0003': 'The content of the file cannot be read.',
      '0500_0400_0001_0004': 'The print file is not authorised.',
    },
  },
  {
    remedy: sliceAnew,
    words: {
      '0500_4037': 'The file was sliced for another printer model.',
      '0500_4038': 'The nozzle diameter is not the one the file was sliced for.',
      '0500_8036': 'The file was sliced for another printer model.',
      '0500_803C': 'The nozzle is not the one the file was sliced for.',
      '0500_8053': 'The nozzles are not the ones the file was sliced for.',
      '05FE_8053': 'The left nozzle is not the one the file was sliced for.',
      '05FF_8053': 'The right nozzle is not the one the file was sliced for.',
    },
  },
  {
    remedy: stick,
    blocking: false,
    words: {
      '0300_800E': 'The print file is gone: was the USB stick removed?',
      '0500_4006': 'There is no space on the storage.',
      '0500_400C': 'There is no storage in the printer.',
      '0500_4015': 'There is no space on the storage.',
      '0500_4016': 'The card is write-protected.',
      '0500_402E': 'The file system of the USB stick is not supported (use FAT32).',
      '0500_402F': 'The USB stick is damaged.',
      '0500_8013': 'The print file is gone: was the USB stick removed?',
      '0500_C010': 'The USB stick cannot be read or written.',
      '0500_0100_0003_0004': 'There is no space on the USB stick.',
      '0500_0100_0003_0005': 'The USB stick can only be read.',
      '0500_0100_0003_0006': 'The USB stick is not formatted, or cannot be written.',
      '0500_0100_0003_0007': 'There is no USB stick, so no time-lapse is recorded.',
      '0500_0300_0002_0020': 'The USB stick is too small to hold print files.',
    },
  },
  // Busy
  {
    remedy: wait,
    words: {
      '0300_4013': 'An AMS dries its filament, so no print can start.',
      '0500_4004': 'The printer is busy.',
      '0500_4005': 'The firmware is being updated.',
      '0500_4009': 'The printer is sending its logs.',
      '0500_4030': 'The firmware is being updated.',
      '0500_4042': 'The AMS is drying filament.',
      '0500_C07F': 'The printer is busy.',
      '0502_400D': 'Filament is being loaded or unloaded.',
      '0502_400E': 'The cold pull of the nozzle is not done.',
      '0502_C010': 'An AMS dries its filament and needs the power of the printer.',
      AMuu_8017: '{unit} dries its filament, which cannot be loaded or unloaded meanwhile.',
      AMuu_5600_0003_0001: '{unit} cools down after drying.',
      AMuu_9700_0003_0001: '{unit} is too hot to load filament or to read a tag.',
    },
  },
  {
    remedy: 'Run the self-test at the printer.',
    words: { '0500_400D': 'The printer asks for a self-test.' },
  },
  // The boards, the firmware, the network
  {
    remedy: restart,
    words: {
      '0500_0300_0001_0001': 'The motion board fails.',
      '0500_0300_0001_0002': 'The tool head fails.',
      '0500_0300_0001_0003': 'The AMS fails.',
      '0500_0300_0001_0004': 'The hub of the AMS fails.',
      '0500_0300_0001_0005': 'A service of the printer fails.',
      '0500_0300_0001_0006': 'The system of the printer has crashed.',
      '0500_0300_0001_0007': 'The extension board of the tool head fails.',
      '0500_0300_0001_0008': 'The system of the printer hangs.',
      '0500_0300_0001_000A':
        'The system of the printer is damaged; it asks to be set back to the state of the factory.',
      '0500_0300_0001_000B': 'The screen fails.',
      '0500_0300_0001_000C': 'The motor control of the motion board fails.',
      '0500_0300_0001_0023': 'The control of the chamber temperature fails.',
      '0500_0300_0001_0026': 'The extension board of the tool head fails.',
      '0500_0300_0002_000C': 'The wireless network of the printer fails.',
      '0500_402D': 'The system of the printer fails.',
      '0500_0500_0001_0001': 'The factory data of the main board is damaged.',
      '0500_0500_0001_0006': 'The factory data of the main board is damaged.',
    },
  },
  {
    remedy: nothing,
    blocking: false,
    words: { '0500_0300_0001_0009': 'The system of the printer has hung, and has started itself anew.' },
  },
  {
    remedy: firmware,
    words: {
      '0500_0300_0001_0025': 'The firmware is damaged.',
      '0500_0400_0001_004F': 'Something is connected that the printer does not know.',
      '0500_0500_0001_000F': 'An accessory is not certified.',
      '05uu_0500_0001_0010': '{unit} is not certified, or its firmware is too old for the printer.',
      '058h_0500_0001_0010': '{unit} is not certified, or its firmware is too old for the printer.',
      '0500_4007': 'The firmware must be repaired before anything is printed.',
      '0500_4031': 'The firmware of an accessory does not go with that of the printer.',
      '0500_4033': 'The firmware of an AMS does not go with that of the printer.',
      '058h_409C': 'The firmware of {unit} does not go with that of the printer.',
      '05uu_409D': 'The firmware of {unit} does not go with that of the printer.',
      '0502_4004': 'The firmware does not support what the job asks for.',
      '0502_4006': 'Something is connected that the printer does not know.',
    },
  },
  {
    remedy: 'Switch Developer Mode on at the printer, or print from Bambu Studio.',
    words: { '0500_0500_0001_0007': 'The printer has refused a command from the network, because it is not signed.' },
  },
  {
    remedy: 'Ask the support of Bambu how to leave that mode.',
    words: {
      '0500_0500_0003_0002': 'The printer is in engineering mode.',
      '0C00_0300_0001_000A': 'The printer is in factory mode.',
    },
  },
  {
    remedy: network,
    blocking: false,
    words: {
      '0500_0200_0002_0001': 'The printer does not reach the internet.',
      '0500_0200_0002_0002': 'The printer could not log in to the cloud.',
      '0500_0200_0002_0003': 'The printer does not reach the internet.',
      '0500_0200_0002_0004': 'The cloud does not know the account of the printer.',
      '0500_0200_0002_0005': 'The printer does not reach the internet.',
      '0500_0200_0002_0006': 'The printer cannot stream its video.',
      '0500_0200_0002_0007': 'The printer could not log in for its video.',
      '0500_0200_0002_0008': 'The printer could not set its clock.',
      '0500_0400_0001_0002': 'The printer could not tell the cloud how its print goes.',
      '0500_402A': 'The printer does not reach its router.',
      '0500_402B': 'The router refuses the password of the printer.',
      '0500_402C': 'The printer got no address from the router.',
    },
  },
  // Filament has run out
  {
    remedy: load,
    words: {
      '0300_8004': 'The filament has run out.',
      '0300_8015': 'The filament on the external spool has run out.',
      AMuu_8011: 'The filament in {unit} has run out.',
      AMFe_8011: 'The filament on the external spool ({side}) has run out.',
      '12uu_8011': 'The filament in {unit} has run out.',
      '12FF_8011': 'The filament on the spool holder has run out.',
      AMuu_2s00_0002_0001: 'The filament in {slot} has run out.',
      AMuu_2s00_0002_0002: 'There is no filament in {slot}.',
      AMuu_7000_0002_0007: 'The filament in {unit} has run out.',
      AMFe_2000_0002_0001: 'The filament on the external spool ({side}) has run out.',
      AMFe_2000_0002_0002: 'There is no filament on the external spool ({side}).',
      '12uu_2s00_0002_0001': 'The filament in {slot} has run out.',
      '12uu_2s00_0002_0002': 'There is no filament in {slot}.',
      '12FF_2000_0002_0001': 'The filament on the spool holder has run out.',
    },
  },
  {
    remedy: `${path} ${load}`,
    words: {
      AMuu_2s00_0002_0005: 'The filament in {slot} has run out, and the rest of it is stuck in the tool head.',
      '12uu_2s00_0002_0005': 'The filament in {slot} has run out, and the rest of it is stuck in the tool head.',
    },
  },
  {
    remedy: 'Wait until the rest of the filament is out.',
    words: {
      AMuu_2s00_0003_0001: 'The filament in {slot} has run out; the rest of it is pushed out.',
      '12uu_2s00_0003_0001': 'The filament in {slot} has run out; the rest of it is pushed out.',
    },
  },
  {
    remedy: 'Put a new spool into the slot when it suits you.',
    words: {
      AMuu_2s00_0003_0002: 'The print has gone on from {slot} to another slot of the same material.',
      '12uu_2s00_0003_0002': 'The print has gone on from {slot} to another slot of the same material.',
    },
  },
  // Feeding
  {
    remedy: spool,
    words: {
      AMuu_0100_0002_0002: 'The motor of {unit} is overloaded: the filament may be tangled.',
      AMuu_1s00_0002_0002: 'The motor of {slot} is overloaded: the filament may be tangled.',
      AMuu_2s00_0002_000A: 'The filament of {slot} could not be moved to its place: it or the buffer may be stuck.',
      AMuu_2s00_0002_0010: '{slot} took too long to push its filament out.',
      AMuu_2s00_0002_0011: '{slot} took too long to pull its filament back.',
      AMuu_2s00_0002_0012: 'The feeder motor of {slot} is stuck.',
      AMuu_2s00_0002_0016: 'The motor slips on the filament of {slot}.',
      AMuu_2s00_0002_0024: 'The spool of {slot} does not turn as its filament is pulled back.',
      AMuu_4000_0002_0004: 'The filament buffer is stuck, or the filament is tangled.',
      AMuu_6s00_0002_0001: '{slot} pulls hard: its filament may be tangled.',
      AMuu_7s00_0002_0002: 'The filament of {slot} could not be fed into the tool head.',
      AMuu_7s00_0002_0004: 'The filament of {slot} could not be pulled back from the tool head.',
      AMuu_7s00_0002_0005: 'The filament of {slot} could not be fed.',
      AMuu_8004: 'The filament could not be pulled back into {unit}.',
      AMuu_8005: '{unit} could not push its filament out.',
      AMuu_8006: 'The filament of {unit} could not be fed into the extruder.',
      AMuu_8010: 'The motor of {unit} is overloaded: the filament may be tangled.',
      AMFe_6000_0002_0001: 'The external spool ({side}) is stuck.',
      AMFe_8005: 'The filament outside of the AMS ({side}) could not be fed.',
      AMFe_8010: 'The external spool ({side}) or its filament is stuck.',
      '12uu_1s00_0002_0002': 'The motor of {slot} is overloaded: the filament may be tangled.',
      '12uu_8s00_0002_0001': 'The filament of {slot} may be tangled.',
      '12FF_8000_0002_0001': 'The filament on the spool holder may be tangled.',
      '12FF_8010': 'The filament on the spool holder is stuck.',
    },
  },
  {
    remedy: path,
    words: {
      AMuu_2s00_0002_0003: 'The filament of {slot} may be broken inside of the unit.',
      AMuu_2s00_0002_0004: 'The filament of {slot} may be broken in the tool head.',
      AMuu_2s00_0002_0017: 'The filament of {slot} runs too hard between the unit and the printer.',
      AMuu_2s00_0002_0018: 'The filament of {slot} runs too hard near the unit.',
      AMuu_2s00_0002_0019: 'The filament of {slot} runs too hard between the unit and the buffer.',
      AMuu_2s00_0002_0020: 'The filament of {slot} runs too hard near the buffer.',
      AMuu_2s00_0002_0021: 'The filament of {slot} runs too hard between the buffer and the tool head.',
      AMuu_2s00_0002_0022: 'The filament of {slot} runs too hard near the tool head.',
      AMuu_7s00_0002_0001: 'The filament of {slot} could not be pulled out of the extruder.',
      AMuu_8003: 'The filament of {unit} could not be pulled out of the extruder.',
      AMFe_2000_0002_0004: 'The filament of the external spool ({side}) is still in the extruder.',
      AMFe_8003: 'The filament of the external spool ({side}) is still in the extruder.',
      AMFe_8004: 'The filament could not be pulled back from the {side} extruder.',
      AMFe_8006: 'The filament of the external spool ({side}) is to be pushed into its tube.',
      AMFe_C003: 'The filament of the external spool ({side}) is to be pulled out.',
      AMFe_C006: 'The filament of the external spool ({side}) is to be pushed into its tube.',
      '12uu_2s00_0002_0003': 'The filament of {slot} may be broken in its tube.',
      '12uu_2s00_0002_0004': 'The filament of {slot} may be broken in the tool head.',
      '12FF_8005': 'The filament of the spool holder is not pushed in.',
      '12FF_8006': 'The filament of the spool holder is to be pushed into its tube.',
    },
  },
  {
    remedy: clog,
    words: {
      AMuu_2s00_0002_0009: 'The filament of {slot} could not be extruded: the extruder may be clogged.',
      AMuu_7000_0002_0003: 'The filament of {unit} could not be extruded: the extruder may be clogged.',
      AMuu_7000_0002_0006: 'It took too long to push the old filament out ({unit}).',
      AMuu_8007: 'The filament of {unit} could not be extruded: the extruder may be clogged.',
      AMuu_8013: 'It took too long to push the old filament out ({unit}).',
      AMuu_8016: 'The extruder does not feed as it should ({unit}).',
      AMFe_7000_0002_0003: 'The printer asks whether filament comes out of the {side} nozzle.',
      AMFe_8007: 'The printer asks whether filament comes out of the {side} nozzle.',
      AMFe_8013: 'It took too long to push the old filament out of the {side} extruder.',
      AMFe_8025: 'The cold pull of the {side} nozzle took too long.',
      '07Fe_A000_0002_0001': 'The cold pull of the {side} nozzle took too long.',
      '12uu_2s00_0002_0006': 'The filament of {slot} could not be extruded: the extruder may be clogged.',
      '12FF_8007': 'The printer asks whether filament comes out of the nozzle.',
      '12FF_8013': 'It took too long to push the old filament out.',
      '0300_4008': 'The AMS could not change the filament.',
    },
  },
  {
    remedy: 'Push the tube in again, from the AMS to the extruder.',
    words: {
      AMuu_2000_0002_0006: 'The tube from {unit} to the extruder has come out.',
      AMuu_2s00_0002_0023: 'The tube inside of {unit} is broken ({slot}).',
      AMuu_5500_0001_0002: 'The tubes between the tool head and the buffer are exchanged.',
      AMuu_800A: 'The tube from {unit} to the extruder has come out.',
    },
  },
  {
    remedy: cutter,
    words: {
      AMuu_4500_0002_0001: 'The sensor of the filament cutter fails.',
      AMuu_4500_0002_0002: 'The filament cutter moves too far: the X or Y motor may lose steps.',
      AMuu_4500_0002_0003: 'The filament cutter has not come back.',
      AMFe_4500_0002_0002: 'The filament cutter moves too far ({side}): the X or Y motor may lose steps.',
      AMFe_4500_0002_0003: 'The filament cutter has not come back ({side}).',
      AMFe_8001: 'The filament of the {side} extruder could not be cut.',
      AMFe_8002: 'The cutter of the {side} extruder is stuck.',
      '12uu_4500_0002_0001': 'The sensor of the filament cutter fails.',
      '12uu_4500_0002_0002': 'The filament cutter moves too far: the X motor may lose steps.',
      '12uu_4500_0002_0003': 'The filament cutter has not come back.',
      '0300_800B': 'The filament cutter is stuck.',
    },
  },
  {
    remedy: 'Load the filaments of the job into the slots that it was sent for.',
    words: {
      AMuu_7000_0002_0008: 'The mapping of filaments to AMS trays does not fit.',
      AMuu_8012: 'The mapping of filaments to AMS trays does not fit.',
      AMFe_8012: 'The mapping of filaments to AMS trays does not fit ({side}).',
      '12FF_8012': 'The mapping of filaments to AMS trays does not fit.',
    },
  },
  // The AMS itself
  {
    remedy: amsPart,
    words: {
      AMuu_0100_0001_0001: 'The motor of {unit} slips: its wheel may be worn, or the filament too thin.',
      AMuu_0100_0001_0003: 'The motor of {unit} has no control of its force.',
      AMuu_0100_0001_0004: 'The motor of {unit} has no control of its speed.',
      AMuu_0100_0001_0005: 'The current sensor of the motor of {unit} may be broken.',
      AMuu_0100_0001_0011: 'The calibration of the motor of {unit} is wrong.',
      AMuu_0100_0002_0006: 'The motor of {unit} is not connected.',
      AMuu_0100_0002_0007: 'The encoder of the motor of {unit} is not connected.',
      AMuu_0100_0002_0008: 'A winding of the motor of {unit} is open.',
      AMuu_0100_0002_0009: 'The windings of the motor of {unit} differ.',
      AMuu_0100_0002_0010: 'The resistance of the motor of {unit} is wrong.',
      AMuu_0100_0002_0011: 'The calibration of the motor of {unit} is lost.',
      AMuu_0200_0001_0001: '{unit} measures the length of filament wrongly.',
      AMuu_0200_0002_0002: 'The meter of filament of {unit} gives no signal.',
      AMuu_1s00_0001_0001: 'The motor of {slot} slips: its wheel may be worn, or the filament too thin.',
      AMuu_1s00_0001_0003: 'The motor of {slot} has no control of its force.',
      AMuu_1s00_0002_0004: 'The motor of {slot} gives no signal.',
      AMuu_2s00_0002_0007: 'The sensor at the outlet of {slot} is not connected.',
      AMuu_2s00_0002_0008: 'The sensor at the inlet of {slot} is not connected.',
      AMuu_2s00_0002_0013: 'The feeder motor of {slot} gives no signal.',
      AMuu_2s00_0002_0014: 'The meter of filament of {slot} gives no signal.',
      AMuu_2s00_0002_0015: 'The filament sensor of {slot} gives a wrong signal.',
      AMuu_4000_0002_0001: 'The filament buffer gives no signal.',
      AMuu_4000_0002_0002: 'The filament buffer gives a wrong signal.',
      AMuu_4000_0002_0003: 'The hub of the AMS does not answer.',
      AMuu_5000_0002_0001: '{unit} does not answer.',
      AMuu_5500_0001_0003: '{unit} was offline when it should start.',
      '12uu_1s00_0001_0001': 'The motor of {slot} slips: its wheel may be worn, or the filament too thin.',
      '12uu_1s00_0001_0003': 'The motor of {slot} has no control of its force.',
      '12uu_5000_0002_0001': '{unit} does not answer.',
      '12uu_7s00_0001_0001': '{unit} measures the length of filament of {slot} wrongly.',
      '058h_4096': 'The printer does not find {unit}.',
      '05uu_4098': 'The printer does not find {unit}.',
      '05uu_40A3': '{unit} does not answer.',
    },
  },
  {
    remedy: 'Set the AMS up at the printer: which extruder each unit feeds.',
    words: {
      AMuu_5500_0001_0004: '{unit} is assigned to the wrong extruder.',
      AMuu_5500_0002_0001: 'There is a new AMS, which is not set up.',
      AMuu_8021: 'The set-up of the AMS failed ({unit}).',
      AMFe_8021: 'The set-up of the AMS failed ({side}).',
      '0502_4005': 'The AMS is not calibrated, so no print can start.',
    },
  },
  {
    remedy: 'Switch the AMS on at the printer, or print from the external spool.',
    words: {
      AMuu_5100_0003_0001: 'The AMS is switched off.',
      '12uu_5100_0003_0001': 'The AMS is switched off.',
    },
  },
  {
    remedy: rfid,
    blocking: false,
    words: {
      '0500_0400_0002_001t': 'The tag of the spool in {slot} cannot be read.',
      AMuu_2s00_0001_0081: 'The spool in {slot} cannot be read: the board of the AMS may be broken.',
      AMuu_2s00_0001_0082: 'The spool in {slot} cannot be read: its tag is not one of Bambu.',
      AMuu_2s00_0001_0083: 'The spool in {slot} cannot be read: its tag may be damaged.',
      AMuu_2s00_0001_0084: 'The spool in {slot} cannot be read: its tag may be damaged, or at the edge of the reader.',
      AMuu_2s00_0001_0085: 'The spool in {slot} cannot be read: its tag was not accepted.',
      AMuu_2s00_0001_0086: 'The spool in {slot} cannot be read: it does not turn.',
      AMuu_3000_0001_0001: 'The first tag reader of {unit} is broken.',
      AMuu_3100_0001_0001: 'The second tag reader of {unit} is broken.',
      AMuu_3s00_0001_0004: 'The chip of a tag reader of {unit} is broken.',
      AMuu_3s00_0002_0002: 'The tag of the spool in {slot} is damaged.',
      AMuu_3s00_0003_0003: 'A tag reader of {unit} cannot read.',
      AMuu_4025: 'The filament in {unit} could not be read.',
      '12uu_3s00_0001_0001': 'The tag reader of {slot} is broken.',
      '12uu_3000_0001_0004': 'The chip of the tag reader of {unit} is broken.',
      '12uu_3s00_0002_0002': 'The tag of the spool in {slot} is damaged.',
      '12uu_3s00_0003_0003': 'The tag reader of {slot} cannot read.',
    },
  },
  {
    remedy: drying,
    blocking: false,
    words: {
      AMuu_3500_0001_0001: 'The sensor for temperature and humidity of {unit} is broken.',
      AMuu_3500_0001_0002: 'The humidity sensor of {unit} is not connected.',
      AMuu_8000_0001_0001: 'The current sensor of heater 1 of {unit} is broken.',
      AMuu_8000_0001_0002: 'Heater 1 of {unit} is not connected.',
      AMuu_8000_0001_0003: 'Heater 1 of {unit} has a short circuit.',
      AMuu_8000_0001_0004: 'Heater 1 of {unit} heats wrongly.',
      AMuu_8100_0001_0001: 'The current sensor of heater 2 of {unit} is broken.',
      AMuu_8100_0001_0002: 'Heater 2 of {unit} is not connected.',
      AMuu_8100_0001_0003: 'Heater 2 of {unit} has a short circuit.',
      AMuu_8100_0001_0004: 'Heater 2 of {unit} heats wrongly.',
      AMuu_9200_0001_0001: 'The fan of heater 1 of {unit} is stuck.',
      AMuu_9200_0002_0002: 'The fan of heater 1 of {unit} turns slowly.',
      AMuu_9300_0001_0001: 'The fan of heater 2 of {unit} is stuck.',
      AMuu_9300_0002_0002: 'The fan of heater 2 of {unit} turns slowly.',
      AMuu_9400_0001_0001: 'The temperature sensor of heater 1 of {unit} fails.',
      AMuu_9500_0001_0001: 'The temperature sensor of heater 2 of {unit} fails.',
      AMuu_9600_0001_0003: '{unit} cannot dry: filament is still in its hub.',
      AMuu_9600_0002_0002: 'It is too cold around {unit} to dry well.',
      AMuu_8023: '{unit} did not cool down after drying.',
      AMuu_C069: 'The drying in {unit} failed.',
      '18uu_2400_0002_0009': 'The front cover of {unit} is open.',
      '18uu_2400_0001_0007': 'The door sensor of {unit} gives a wrong signal.',
    },
  },
  {
    remedy: 'Switch the AMS off at once, unplug it, and have it repaired.',
    words: { AMuu_9600_0001_0001: 'The drying in {unit} may be out of control.' },
  },
];

/** A row of the table: a code, or a family of codes. */
export interface BambuCode {
  pattern: string;
  words: string;
  remedy: string;
  blocking: boolean | undefined;
}

/** Every code that has a text. */
export const bambuCodes: readonly BambuCode[] = groups.flatMap(({ remedy, blocking, words }) =>
  Object.entries(words).map(([pattern, text]) => ({ pattern, words: text, remedy, blocking })),
);

/** The values of a pattern's letters. */
const wildcards: Readonly<Record<string, string>> = {
  AM: '(?<make>07|18)',
  uu: '0(?<unit>[0-7])',
  h: '(?<hot>[0-7])',
  s: '(?<slot>[0-3])',
  t: '(?<tray>[0-9A-F])',
  e: '(?<side>[EF])',
};
const wildcard = /AM|uu|[hste]/g;

const exact = new Map<string, BambuCode>();
const families: [RegExp, BambuCode][] = [];
for (const row of bambuCodes) {
  if (row.pattern.search(wildcard) < 0) exact.set(row.pattern, row);
  else families.push([new RegExp(`^${row.pattern.replace(wildcard, (letters) => wildcards[letters] ?? '')}$`), row]);
}

const isHealthMessage = (code: string): boolean => code.split('_').length === 4;

/** The severity of a code by its own digits: the third group of a health message, the first digit of an error. */
export function severityOf(code: string): Severity {
  const [, second = '', third] = code.split('_');
  if (third !== undefined) return (['fatal', 'serious', 'common', 'info'] as const)[Number(third) - 1] ?? 'info';
  return second.startsWith('4') ? 'fatal' : second.startsWith('8') ? 'serious' : 'common';
}

/**
 * A fatal health message forbids printing; an error waits to be dismissed, and blocks only the print that it paused.
 */
const isBlocking = (code: string): boolean => isHealthMessage(code) && severityOf(code) === 'fatal';

/**
 * Returns the meaning of a code; for an unknown one, the code itself and where to look it up. The code ends the text.
 */
export function bambuCode(code: string): CodeWords {
  const severity = severityOf(code);
  const known = find(code);
  if (known === undefined) {
    return {
      words: isHealthMessage(code) ? `Health message ${code}.` : `Error ${code}.`,
      remedy: `Look it up at wiki.bambulab.com/en/x1/troubleshooting/hmscode/${code}, and clear it at the printer.`,
      severity,
      blocking: isBlocking(code),
    };
  }
  const [row, parts] = known;
  return {
    words: withCode(filled(row.words, code, parts), code),
    remedy: row.remedy,
    severity,
    blocking: row.blocking ?? isBlocking(code),
  };
}

type Parts = Readonly<Record<string, string | undefined>>;

function find(code: string): [BambuCode, Parts] | undefined {
  const row = exact.get(code);
  if (row !== undefined) return [row, {}];
  for (const [pattern, family] of families) {
    const match = pattern.exec(code);
    if (match !== null) return [family, match.groups ?? {}];
  }
  return undefined;
}

function filled(words: string, code: string, { unit, hot, slot, tray, side }: Parts): string {
  const isHot = hot !== undefined || code.startsWith('18');
  // One digit may hold both: the unit in its upper two bits, the slot in its lower ones.
  const both = tray === undefined ? undefined : Number.parseInt(tray, 16);
  const number = both === undefined ? Number(hot ?? unit ?? 0) : both >> 2;
  const index = both === undefined ? Number(slot ?? 0) : both & 3;
  const name = `${isHot ? 'AMS HT' : 'AMS'} ${'ABCDEFGH'.charAt(number)}`;
  const text = words
    .replaceAll('{unit}', name)
    .replaceAll('{slot}', `slot ${index + 1} of ${name} (ams${isHot ? 128 + number : number}-${index})`)
    .replaceAll('{side}', side === 'E' ? 'left' : 'right');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
