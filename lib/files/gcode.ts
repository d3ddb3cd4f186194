import type { Readable } from 'node:stream';
import type { FileFilament, GcodeAnalysis } from './analysis';
import { type Arc, arcAbout, centreByRadius } from './arc';
import { Box } from './box';
import { readChunks } from './chunks';
import { ExtendedCommands } from './extended-commands';
import { A, E, endOfDigits, F, GcodeWords, I, J, P, R, S, skipBlanks, T, textOf, upper, X, Y, Z } from './gcode-words';
import { Heaters } from './heaters';
import { Hottest, heatedBy, heatedByWord } from './hottest';
import { klipperWords, plainNumber } from './klipper-words';
import { LayerHeights } from './layers';
import { MachineCommands } from './machine-commands';
import { MotionEstimator, type MotionLimits, usualLimits } from './motion';
import { SlicerComments } from './slicer-comments';
import { thumbnailsOfGcode } from './thumbnail';
import { mostTools, ToolUses } from './tool-use';
import { UnreadableFileError } from './unreadable';

/** Firmware reads far shorter lines; only comments (thumbnails) are longer, and of those the beginning is enough. */
const longestCommand = 4096;
const longestComment = 1024;
const chunkBytes = 256 * 1024;
const millimetresPerInch = 25.4;

/**
 * Reads G-code in chunks, in one pass and constant memory: extents of the extruding moves, filament, layers,
 * temperatures, time, tools, the slicer's comments, and whether the file is complete. Understands G0–G4, G20/G21, G28,
 * G90–G92, arcs (G2/G3 by centre or radius), M82/M83, tools (`T1`, ACTIVATE_EXTRUDER), heaters
 * (M104/M109/M140/M190/M141/M191 and Klipper's SET_HEATER_TEMPERATURE) and the motion limits M201, M203–M205 and
 * SET_VELOCITY_LIMIT. It ignores every other command: its words are not read, so nothing in them counts as an invalid
 * number.
 */
export class GcodeReader {
  private readonly comments = new SlicerComments();
  private readonly motion: MotionEstimator;
  private readonly held = Buffer.allocUnsafe(longestCommand);
  private heldBytes = 0;
  private lineBytes = 0;

  /** Whether the last byte was a carriage return that ended its line. */
  private afterReturn = false;
  private loneReturns = 0;
  private lines = 0;
  private moves = 0;
  private extrudingMoves = 0;
  private readonly words = new GcodeWords();
  private readonly tools = new ToolUses();
  private readonly heaters = new Heaters();
  private readonly machineCommands = new MachineCommands();
  private readonly extendedCommands = new ExtendedCommands();
  private readonly hottest = new Hottest();
  private readonly layers = new LayerHeights();
  private readonly extruded = new Box();
  private readonly part = new Box();
  private readonly travelled = new Box();
  private maxBedTemperature = 0;

  /** Where the nozzle is, in the machine's coordinates (mm), and the extruder. */
  private readonly position = new Float64Array(4);
  /** The offset to add to a coordinate of the file: G92 moves the origin. */
  private readonly shift = new Float64Array(4);
  private readonly target = new Float64Array(4);
  private relative = false;
  private relativeExtrusion = false;
  private scale = 1;
  private feed = 25;

  constructor(limits: MotionLimits = usualLimits) {
    this.motion = new MotionEstimator(limits);
  }

  /**
   * Processes the next bytes.
   *
   * @throws UnreadableFileError for a command longer than any firmware reads
   */
  push(chunk: Uint8Array): void {
    let start = 0;
    if (this.afterReturn && chunk.length > 0) {
      start = this.pastReturn(chunk, 0);
      this.afterReturn = false;
    }
    let feed = chunk.indexOf(10, start);
    let carriage = chunk.indexOf(13, start);
    while (feed >= 0 || carriage >= 0) {
      const byReturn = carriage >= 0 && (feed < 0 || carriage < feed);
      const end = byReturn ? carriage : feed;
      if (this.lineBytes === 0) {
        this.line(chunk, start, end, end - start);
      } else {
        this.hold(chunk, start, end);
        this.line(this.held, 0, this.heldBytes, this.lineBytes);
        this.heldBytes = 0;
        this.lineBytes = 0;
      }
      start = end + 1;
      if (byReturn) {
        this.afterReturn = start === chunk.length;
        start = this.pastReturn(chunk, start);
        carriage = chunk.indexOf(13, start);
      }
      if (feed >= 0 && feed < start) feed = chunk.indexOf(10, start);
    }
    this.hold(chunk, start, chunk.length);
    if (this.lineBytes > longestCommand) this.refuseLongCommand(this.held, 0, this.heldBytes);
  }

  /**
   * The result.
   *
   * @throws UnreadableFileError when there was no movement at all
   */
  finish(): GcodeAnalysis {
    if (this.lineBytes > 0) this.line(this.held, 0, this.heldBytes, this.lineBytes);
    this.lineBytes = 0;
    if (this.moves === 0) {
      throw new UnreadableFileError('the G-code holds no movement', 'Slice the model again and send that file.');
    }
    const { comments, tools, extrudingMoves } = this;
    const marked = comments.layerMarks > 0;
    const { layers, layerHeight } = this.layers.measure(comments.layerHeight);
    const filaments = comments.filaments.used(tools.tools, comments.grams);
    const { dangerous, vendor, lines } = this.machineCommands.sorted(extrudingMoves, marked);
    return {
      lines: this.lines,
      bounds: this.extruded.bounds,
      partBounds: marked && !this.part.empty ? this.part.bounds : null,
      travelBounds: this.travelled.bounds,
      extrudingMoves,
      filamentMm: tools.filamentMm,
      layers: comments.layerMarks || comments.layerCount || layers,
      layerHeight,
      simulatedSeconds: this.motion.seconds(),
      slicerSeconds: comments.seconds,
      slicerGrams: comments.grams ?? totalGrams(filaments),
      slicer: comments.slicer,
      maxNozzleTemperature: tools.maxTemperature,
      maxBedTemperature: this.maxBedTemperature,
      hottest: this.hottest.all,
      printerModel: comments.printerModel,
      badNumbers: this.words.badNumbers,
      loneReturns: this.loneReturns,
      extendedCommands: this.extendedCommands.all,
      commandLines: lines,
      dangerousCommands: dangerous,
      vendorCommands: vendor,
      tools: tools.tools,
      toolUse: tools.uses((tool) => comments.filaments.nozzleOf(tool)),
      filaments,
      nozzleDiameters: comments.filaments.nozzleDiameters,
      bedType: comments.bedType,
      thumbnails: [],
      complete: this.complete(),
    };
  }

  /** By the slicer's closing mark; if it writes none, by the heaters. */
  private complete(): boolean | null {
    const whole = this.comments.whole(this.extrudingMoves);
    if (whole !== null) return whole;
    return this.extrudingMoves > 0 && this.heaters.offAfter(this.extrudingMoves) ? null : false;
  }

  private hold(chunk: Uint8Array, start: number, end: number): void {
    const kept = Math.min(end - start, longestCommand - this.heldBytes);
    if (kept > 0) {
      this.held.set(chunk.subarray(start, start + kept), this.heldBytes);
      this.heldBytes += kept;
    }
    this.lineBytes += end - start;
  }

  /** A line ends with a carriage return, a line feed, or both. Returns the start of the next one. */
  private pastReturn(chunk: Uint8Array, at: number): number {
    const next = chunk[at];
    if (next === 10) return at + 1;
    if (next !== undefined && next !== 13) this.loneReturns++;
    return at;
  }

  private refuseLongCommand(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[skipBlanks(bytes, start, end)] === 59) return;
    throw new UnreadableFileError(
      `the G-code has a command longer than ${longestCommand} characters`,
      'Slice the model again and send that file.',
    );
  }

  private line(bytes: Uint8Array, from: number, to: number, fullLength: number): void {
    this.lines++;
    if (fullLength > longestCommand) this.refuseLongCommand(bytes, from, to);
    const end = Math.min(to, from + longestCommand);
    let at = skipBlanks(bytes, this.lines === 1 ? pastByteOrderMark(bytes, from) : from, end);
    if (at >= end) return;
    if (bytes[at] === 59) {
      this.comments.read(textOf(bytes, at, Math.min(end, at + longestComment)), this.extrudingMoves);
      return;
    }
    // A line number; a name may start with N too.
    if (upper(bytes[at]) === 78 && !isNameByte(bytes[at + 1])) at = nextName(bytes, at + 1, end);
    const letter = upper(bytes[at]);
    const numberStart = skipBlanks(bytes, at + 1, end); // Marlin also reads "M 500"
    const numberEnd = endOfDigits(bytes, numberStart, end);
    if ((letter !== 71 && letter !== 77) || numberEnd === numberStart) {
      if ((letter >= 65 && letter <= 90) || letter === 95) this.namedCommand(textOf(bytes, at, end));
      else this.oddLine(textOf(bytes, at, Math.min(end, at + longestComment)));
      return;
    }
    const code = wholeNumber(bytes, numberStart, numberEnd);
    if (letter === 71 && code <= 3 && bytes[numberEnd] !== 46) {
      this.words.read(bytes, numberEnd, end, 'bad');
      this.move(code);
      return;
    }
    // A sub-code is a separate command: M201.2 is unrelated to M201.
    let wordsStart = numberEnd;
    let subCode = 0;
    if (bytes[numberEnd] === 46) {
      wordsStart = endOfDigits(bytes, numberEnd + 1, end);
      subCode = wholeNumber(bytes, numberEnd + 1, wordsStart);
    }
    const name = (letter === 71 ? 'G' : 'M') + code;
    this.machineCommands.see(name, subCode, '', this.extrudingMoves, this.comments.layerMarks > 0, this.lines);
    if (letter === 71) this.general(code, subCode, bytes, wordsStart, end);
    else if (subCode === 0) this.miscellaneous(code, bytes, wordsStart, end);
  }

  private general(code: number, subCode: number, bytes: Uint8Array, from: number, end: number): void {
    if (subCode > 0) {
      if (code === 92 && subCode === 1) this.shift.fill(0, X, E); // Marlin: G92.1 cancels the offsets of G92
      return;
    }
    switch (code) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.words.read(bytes, from, end, 'bad');
        this.move(code);
        return;
      case 4:
        this.words.read(bytes, from, end, 'bad');
        this.motion.pause(this.words.has(S) ? this.words.get(S) : this.words.has(P) ? this.words.get(P) / 1000 : 0);
        return;
      case 20:
        this.scale = millimetresPerInch;
        return;
      case 21:
        this.scale = 1;
        return;
      case 28:
        this.moves++;
        this.home(textOf(bytes, from, end).toUpperCase());
        return;
      case 90:
        this.relative = false;
        return;
      case 91:
        this.relative = true;
        return;
      case 92:
        this.words.read(bytes, from, end, 'zero');
        for (let axis = X; axis <= E; axis++) {
          if (this.words.has(axis)) {
            this.shift[axis] = (this.position[axis] ?? 0) - this.words.get(axis) * this.scale;
          }
        }
        return;
      default:
        return;
    }
  }

  private home(words: string): void {
    const named = /[XYZ]/.test(words.replace(/;.*/, ''));
    this.motion.pause(0);
    for (let axis = X; axis <= Z; axis++) {
      if (named && !words.includes('XYZ'.charAt(axis))) continue;
      this.position[axis] = 0;
      this.shift[axis] = 0;
    }
  }

  private move(code: number): void {
    this.moves++;
    const { position, target, words } = this;
    if (words.has(F)) this.feed = Math.min((words.get(F) * this.scale) / 60, 10_000);
    for (let axis = X; axis <= E; axis++) {
      const here = position[axis] ?? 0;
      if (!words.has(axis)) target[axis] = here;
      else if (this.relative || (axis === E && this.relativeExtrusion))
        target[axis] = here + words.get(axis) * this.scale;
      else target[axis] = words.get(axis) * this.scale + (this.shift[axis] ?? 0);
    }
    const [x0, y0, z0, e0] = position as unknown as FourNumbers;
    const [x1, y1, z1, e1] = target as unknown as FourNumbers;
    const push = e1 - e0;
    if (push !== 0) this.tools.push(push);
    const arc = code >= 2 && (words.has(I) || words.has(J) || words.has(R)) ? this.arc(code === 2) : undefined;
    const extruding = push > 0 && (x0 !== x1 || y0 !== y1 || arc !== undefined);
    if (extruding) {
      this.extrudingMoves++;
      this.tools.extrude();
      this.layers.add(z0, z1);
      const inPart = this.comments.layerMarks > 0;
      this.extruded.add(x0, y0, z0);
      this.extruded.add(x1, y1, z1);
      if (inPart) {
        this.part.add(x0, y0, z0);
        this.part.add(x1, y1, z1);
      }
      for (const [x, y] of arc?.extremes ?? []) {
        this.extruded.add(x, y, z1);
        if (inPart) this.part.add(x, y, z1);
      }
    } else if (words.has(X) || words.has(Y) || words.has(Z)) {
      this.travelled.add(x1, y1, z1);
    }
    if (arc) {
      let fromX = x0;
      let fromY = y0;
      const count = arc.points.length;
      for (const [x, y] of arc.points) {
        this.motion.move(x - fromX, y - fromY, (z1 - z0) / count, push / count, this.feed);
        fromX = x;
        fromY = y;
      }
    } else {
      this.motion.move(x1 - x0, y1 - y0, z1 - z0, push, this.feed);
    }
    position.set(target);
  }

  /** The arc from position to target. */
  private arc(clockwise: boolean): Arc | undefined {
    const { words, position, target } = this;
    const from = [position[X] ?? 0, position[Y] ?? 0] as const;
    const to = [target[X] ?? 0, target[Y] ?? 0] as const;
    const centre = words.has(R)
      ? centreByRadius(words.get(R) * this.scale, from, to, clockwise)
      : ([
          from[0] + (words.has(I) ? words.get(I) * this.scale : 0),
          from[1] + (words.has(J) ? words.get(J) * this.scale : 0),
        ] as const);
    return centre && arcAbout(centre[0], centre[1], from, to, clockwise);
  }

  private miscellaneous(code: number, bytes: Uint8Array, from: number, end: number): void {
    switch (code) {
      case 18:
      case 84:
        this.heaters.motorsOff(this.extrudingMoves);
        return;
      case 82:
        this.relativeExtrusion = false;
        return;
      case 83:
        this.relativeExtrusion = true;
        return;
      case 104:
      case 109:
      case 140:
      case 190:
      case 141:
      case 191:
        this.words.read(bytes, from, end, 'flag');
        this.heat(code);
        return;
      case 201:
      case 203:
      case 204:
      case 205:
        this.words.read(bytes, from, end, 'nothing');
        this.changeLimits(code);
        return;
      default:
        return;
    }
  }

  private heat(code: number): void {
    const { words, extrudingMoves } = this;
    if (!words.has(S) && !words.has(R)) {
      // Marlin uses the machine's stored value, which is unknown here.
      if (words.has(I)) words.badNumbers++;
      return;
    }
    const temperature = Math.max(words.has(S) ? words.get(S) : 0, words.has(R) ? words.get(R) : 0);
    const number = words.has(T) ? words.get(T) : undefined;
    const named = number !== undefined && number >= 0 && number < mostTools ? Math.trunc(number) : undefined;
    this.hottest.take(code === 141 || code === 191 ? 'chamber' : code > 109 ? 'bed' : 'nozzle', temperature);
    if (code === 141 || code === 191) {
      this.heaters.setChamber(temperature, extrudingMoves);
    } else if (code > 109) {
      this.maxBedTemperature = Math.max(this.maxBedTemperature, temperature);
      this.heaters.setBed(named, temperature, extrudingMoves);
    } else {
      // Bambu's "A" means all nozzles.
      const tool = words.has(A) ? 'all' : named;
      this.tools.heat(tool, temperature);
      this.heaters.setNozzle(tool ?? this.tools.active, temperature, extrudingMoves);
    }
  }

  private changeLimits(code: number): void {
    const { words } = this;
    const limits = this.motion.limits;
    const positive = (index: number, change: (value: number) => void) => {
      if (words.has(index) && words.get(index) > 0) change(words.get(index));
    };
    const perAxis =
      code === 201 ? limits.maxAcceleration : code === 203 ? limits.maxSpeed : code === 205 ? limits.jerk : [];
    if (code === 204) {
      positive(S, (value) => {
        limits.printAcceleration = value;
        limits.travelAcceleration = value;
      });
      positive(P, (value) => {
        limits.printAcceleration = value;
      });
      positive(T, (value) => {
        limits.travelAcceleration = value;
      });
      positive(R, (value) => {
        limits.retractAcceleration = value;
      });
      return;
    }
    for (let axis = X; axis <= E; axis++) {
      positive(axis, (value) => {
        perAxis[axis] = value;
      });
    }
    if (code === 205) {
      positive(J, (value) => {
        limits.junctionDeviation = value;
      });
    }
  }

  /** `T1`, and Klipper's commands and macros. */
  private namedCommand(text: string): void {
    const tool = /^T ?(\d{1,5})(?!\w)/i.exec(text)?.[1];
    if (tool !== undefined) {
      // Bambu's code uses T255, T1000 and T65535, which do not mean a nozzle.
      if (Number(tool) < mostTools) this.tools.active = Number(tool);
      return;
    }
    const name = /^\w+/.exec(text)?.[0].toUpperCase() ?? '';
    const words = text.slice(name.length);
    this.machineCommands.see(name, 0, words, this.extrudingMoves, this.comments.layerMarks > 0, this.lines);
    this.extendedCommands.see(name, this.lines);
    this.heaters.macro(name, this.extrudingMoves);
    if (name === 'ACTIVATE_EXTRUDER') {
      const extruder = /\bEXTRUDER=["']?extruder(\d{0,2})\b/i.exec(words)?.[1];
      if (extruder !== undefined) this.tools.active = Math.min(Number(extruder), mostTools - 1);
    } else if (name === 'SET_HEATER_TEMPERATURE') {
      this.setHeater(words);
    } else if (name === 'TEMPERATURE_WAIT') {
      this.waitForHeat(words);
    } else if (name === 'SET_VELOCITY_LIMIT') {
      const acceleration = Number(/\bACCEL=([\d.]+)/i.exec(words)?.[1] ?? Number.NaN);
      if (!(acceleration > 0)) return;
      this.motion.limits.printAcceleration = acceleration;
      this.motion.limits.travelAcceleration = acceleration;
    } else {
      this.heatByMacro(words);
    }
  }

  /** A line that starts with neither letter nor comment: some firmware looks for a command in it anyway. */
  private oddLine(text: string): void {
    const [command = ''] = text.split(';', 1);
    if (/[A-Za-z_]/.test(command)) this.extendedCommands.see(command.trim().toUpperCase(), this.lines);
  }

  /** The temperatures that the parameters of a macro request, as far as their names show it. */
  private heatByMacro(text: string): void {
    const words = klipperWords(text);
    // Versions of Klipper read quoted or escaped text differently, so the heated part is unknown.
    if (words === null && mayHeat(text)) this.words.badNumbers++;
    for (const [name, value] of words ?? []) {
      const part = heatedByWord(name);
      if (part === undefined) continue;
      const temperature = plainNumber(value);
      if (Number.isNaN(temperature)) this.words.badNumbers++;
      else if (temperature > 0) this.hottest.take(part, temperature);
    }
  }

  /** Klipper's TEMPERATURE_WAIT: it waits forever for a temperature that a heater may not reach. */
  private waitForHeat(text: string): void {
    const words = klipperWords(text);
    const least = words?.get('MINIMUM');
    if (words && least === undefined) return;
    const temperature = plainNumber(least);
    if (Number.isNaN(temperature)) this.words.badNumbers++;
    else this.hottest.take(heatedBy(words?.get('SENSOR') ?? ''), temperature);
  }

  /** Klipper's SET_HEATER_TEMPERATURE; without a target it switches off. */
  private setHeater(text: string): void {
    const words = klipperWords(text);
    const temperature = words ? plainNumber(words.get('TARGET') ?? '0') : Number.NaN;
    if (Number.isNaN(temperature)) {
      this.words.badNumbers++;
      return;
    }
    const name = words?.get('HEATER') ?? '';
    this.hottest.take(heatedBy(name), temperature);
    const [, heater, number] = /^(extruder|heater_bed)(\d{0,2})$/i.exec(name) ?? [];
    if (heater === undefined) return;
    if (/^h/i.test(heater)) {
      this.maxBedTemperature = Math.max(this.maxBedTemperature, temperature);
      this.heaters.setBed(undefined, temperature, this.extrudingMoves);
    } else {
      const tool = Math.min(Number(number), mostTools - 1);
      this.tools.heat(tool, temperature);
      this.heaters.setNozzle(tool, temperature, this.extrudingMoves);
    }
  }
}

type FourNumbers = [number, number, number, number];

const isNameByte = (byte: number | undefined): boolean => {
  const letter = upper(byte);
  return (letter >= 65 && letter <= 90) || letter === 95;
};

/** The position of the next letter, the comment, or the end. */
function nextName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && !isNameByte(bytes[at]) && bytes[at] !== 59) at++;
  return at;
}

const pastByteOrderMark = (bytes: Uint8Array, at: number): number =>
  bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? at + 3 : at;

/** null unless the file states it for each filament. */
function totalGrams(filaments: readonly FileFilament[]): number | null {
  const grams = filaments.map((filament) => filament.grams ?? Number.NaN).reduce((sum, each) => sum + each, 0);
  return grams > 0 ? grams : null;
}

/** Reads digits only; more than any code has are cut off. */
function wholeNumber(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end && value < 1e6; at++) value = value * 10 + ((bytes[at] ?? 48) - 48);
  return value;
}

/**
 * Analyses G-code from a file (read synchronously: for worker threads or small files) or from a stream.
 *
 * @throws UnreadableFileError
 */
export async function analyseGcode(source: string | Readable | AsyncIterable<Uint8Array>): Promise<GcodeAnalysis> {
  const reader = new GcodeReader();
  if (typeof source !== 'string') {
    for await (const chunk of source) reader.push(chunk as Uint8Array);
    return reader.finish();
  }
  readChunks(source, 0, chunkBytes, (chunk) => reader.push(chunk));
  const thumbnails = thumbnailsOfGcode(source).map(({ width, height, format }) => ({ width, height, format }));
  return { ...reader.finish(), thumbnails };
}

/** Whether the unreadable parameters of a macro may name a heater. */
function mayHeat(text: string): boolean {
  return [...text.matchAll(/([A-Za-z_]\w*)["'\\]*\s*=/g)].some(([, name = '']) => heatedByWord(name) !== undefined);
}
