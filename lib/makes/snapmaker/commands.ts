/** A command by its two bytes, with a name for the log. */
export interface Command {
  set: number;
  id: number;
}

/** The commands of SACP that the driver sends or receives. */
export const commands = {
  subscribe: { set: 0x01, id: 0x00 },
  hello: { set: 0x01, id: 0x05 },
  farewell: { set: 0x01, id: 0x06 },
  moduleList: { set: 0x01, id: 0x20 },
  machineInfo: { set: 0x01, id: 0x21 },
  heartbeat: { set: 0x01, id: 0xa0 },
  faultRaised: { set: 0x04, id: 0x00 },
  faultCleared: { set: 0x04, id: 0x01 },
  faultList: { set: 0x04, id: 0x02 },
  extruders: { set: 0x10, id: 0xa0 },
  bed: { set: 0x14, id: 0xa0 },
  fileInfo: { set: 0xac, id: 0x00 },
  issue: { set: 0xac, id: 0x01 },
  pause: { set: 0xac, id: 0x04 },
  resume: { set: 0xac, id: 0x05 },
  stop: { set: 0xac, id: 0x06 },
  powerLoss: { set: 0xac, id: 0x07 },
  pauseResult: { set: 0xac, id: 0x15 },
  resumeResult: { set: 0xac, id: 0x16 },
  stopResult: { set: 0xac, id: 0x17 },
  line: { set: 0xac, id: 0xa0 },
  printTime: { set: 0xac, id: 0xa5 },
  uploadStart: { set: 0xb0, id: 0x00 },
  uploadChunk: { set: 0xb0, id: 0x01 },
  uploadResult: { set: 0xb0, id: 0x02 },
  startPrint: { set: 0xb0, id: 0x08 },
} as const satisfies Record<string, Command>;

/** How a command is written in logs and used as a key: `ac/00`. */
export function commandKey(command: Command): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  return `${hex(command.set)}/${hex(command.id)}`;
}

/** Reads a payload from front to back; beyond its end, values read as zero and empty. */
class PayloadReader {
  #offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return Math.max(0, this.bytes.length - this.#offset);
  }

  u8(): number {
    return this.#number(1, (offset) => this.bytes.readUInt8(offset));
  }

  u16(): number {
    return this.#number(2, (offset) => this.bytes.readUInt16LE(offset));
  }

  u32(): number {
    return this.#number(4, (offset) => this.bytes.readUInt32LE(offset));
  }

  /** A decimal number in thousandths. */
  milli(): number {
    return this.#number(4, (offset) => this.bytes.readInt32LE(offset)) / 1000;
  }

  /** A text with its length in front; NULs at its end are padding. */
  text(): string {
    const length = Math.min(this.u16(), this.left);
    const text = this.bytes.toString('utf8', this.#offset, this.#offset + length);
    this.#offset += length;
    return text.replace(/\0+$/, '');
  }

  #number(size: number, read: (offset: number) => number): number {
    const offset = this.#offset;
    this.#offset += size;
    return offset + size <= this.bytes.length ? read(offset) : 0;
  }
}

const u8 = (value: number): Buffer => Buffer.from([value & 0xff]);

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u16(bytes.length), bytes]);
}

/** The payload of `hello`: the screen asks its user to allow the token once. */
export function helloPayload(hostName: string, clientName: string, token: string): Buffer {
  return Buffer.concat([text(hostName), text(clientName), text(token)]);
}

/** The payload of `subscribe`: the machine pushes the command every `periodMs`. */
export function subscribePayload(command: Command, periodMs: number): Buffer {
  return Buffer.concat([u8(command.set), u8(command.id), u16(periodMs)]);
}

/** Constants that client and screen share by convention. */
export const chunkBytes = 61_440;

/** The number of chunks of a file of this size (bytes). */
export function chunkCount(size: number): number {
  return Math.ceil(size / chunkBytes);
}

/** The payload of `uploadStart`, after which the screen requests the chunks. @param md5 lower-case hex of the file */
export function uploadStartPayload(name: string, size: number, md5: string): Buffer {
  return Buffer.concat([text(name), u32(size), u16(chunkCount(size)), text(md5)]);
}

/** The answer with a chunk of this length, and the part of it for the chunk's bytes. */
export function chunkAnswer(md5: string, index: number, length: number): { payload: Buffer; bytes: Buffer } {
  const head = Buffer.concat([u8(0), text(md5), u16(index), u16(length)]);
  const payload = Buffer.allocUnsafe(head.length + length);
  head.copy(payload);
  return { payload, bytes: payload.subarray(head.length) };
}

/** The answer to a chunk request that cannot be fulfilled. */
export function noChunkPayload(md5: string, index: number): Buffer {
  return Buffer.concat([u8(200), text(md5), u16(index), u16(0)]);
}

/** Reads which chunk, from 0, of which file the screen requests. */
export function readChunkRequest(payload: Buffer): { md5: string; index: number } {
  const reader = new PayloadReader(payload);
  return { md5: reader.text(), index: reader.u16() };
}

/** The payload of `startPrint` for an uploaded file. */
export function startPayload(name: string, md5: string): Buffer {
  const fdm = 0;
  return Buffer.concat([u8(fdm), text(name), text(md5)]);
}

/** A file as the machine names it. */
export interface FileInfo {
  md5: string;
  name: string;
}

/**
 * The job that runs or ran last; undefined if there was none since the machine was switched on. The Artisan omits
 * the result byte that every other answer begins with; both forms are read.
 */
export function readFileInfo(payload: Buffer): FileInfo | undefined {
  const plain = new PayloadReader(payload);
  let md5 = plain.text();
  let name = plain.text();
  const fits = payload.length >= 2 && payload.readUInt16LE(0) <= 64 && plain.left === 0;
  if (!fits && payload.length > 0 && payload.readUInt8(0) === 0) {
    const regular = new PayloadReader(payload.subarray(1));
    md5 = regular.text();
    name = regular.text();
  }
  return name === '' && md5 === '' ? undefined : { md5, name };
}

/** The model and firmware of the machine. */
export interface MachineInfo {
  model: string;
  firmware: string;
  /** The serial number of its board, eight hexadecimal digits; undefined: none is set. */
  board: string | undefined;
}

const models = [
  'Snapmaker 2 A150',
  'Snapmaker 2 A250',
  'Snapmaker 2 A350',
  'Snapmaker Artisan',
  'Snapmaker J1',
  'Snapmaker Ray',
];

/** Reads the answer to `machineInfo`; undefined if the machine reported an error instead. */
export function readMachineInfo(payload: Buffer): MachineInfo | undefined {
  const reader = new PayloadReader(payload);
  if (reader.u8() !== 0) return undefined;
  const model = reader.u8();
  reader.u8();
  const board = reader.u32();
  const unset = board === 0 || board === 0xffffffff;
  return {
    model: models[model] ?? `Snapmaker (model ${model})`,
    firmware: reader.text(),
    board: unset ? undefined : board.toString(16).padStart(8, '0'),
  };
}

/** A module that is attached to the machine, for example a tool head. */
export interface Module {
  key: number;
  id: number;
  status: number;
}

/** The tool head with two extruders. */
export const dualExtruderModule = 13;
export const moduleNormal = 2;

/** Reads the attached modules; empty if the machine reported an error instead. */
export function readModules(payload: Buffer): Module[] {
  const reader = new PayloadReader(payload);
  if (reader.u8() !== 0) return [];
  const modules: Module[] = [];
  for (let count = reader.u8(); count > 0 && reader.left > 0; count--) {
    const key = reader.u8();
    const id = reader.u16();
    reader.u8();
    const status = reader.u8();
    reader.u32();
    reader.u8();
    reader.text();
    modules.push({ key, id, status });
  }
  return modules;
}

/** A nozzle of the tool head: mm and °C. */
export interface Nozzle {
  index: number;
  /** Null if the sensor is switched off. */
  filament: boolean | null;
  diameter: number;
  current: number;
  target: number;
}

/** Reads the nozzles of the tool head; empty if the machine reported an error instead. */
export function readExtruders(payload: Buffer): Nozzle[] {
  const reader = new PayloadReader(payload);
  if (reader.u8() !== 0) return [];
  reader.u8();
  const nozzles: Nozzle[] = [];
  for (let count = reader.u8(); count > 0 && reader.left > 0; count--) {
    const index = reader.u8();
    const filament = reader.u8();
    const detection = reader.u8();
    reader.u8();
    reader.u8();
    const diameter = reader.milli();
    const current = reader.milli();
    const target = reader.milli();
    nozzles.push({ index, filament: detection === 0 ? filament !== 1 : null, diameter, current, target });
  }
  return nozzles;
}

/** A heated zone of the bed (°C). */
export interface BedZone {
  zone: number;
  current: number;
  target: number;
}

/** Reads the zones of the bed; empty if the machine reported an error instead. */
export function readBed(payload: Buffer): BedZone[] {
  const reader = new PayloadReader(payload);
  if (reader.u8() !== 0) return [];
  reader.u8();
  const zones: BedZone[] = [];
  for (let count = reader.u8(); count > 0 && reader.left > 0; count--) {
    zones.push({ zone: reader.u8(), current: reader.milli(), target: reader.u16() });
  }
  return zones;
}

/** The status byte of a heartbeat; undefined if the machine reported an error instead. */
export function readHeartbeat(payload: Buffer): number | undefined {
  if (payload.length < 2 || payload.readUInt8(0) !== 0) return undefined;
  return payload.readUInt8(1);
}

/** The number behind the result byte, as lines and seconds are pushed. */
export function readCounter(payload: Buffer): number | undefined {
  return payload.length >= 5 && payload.readUInt8(0) === 0 ? payload.readUInt32LE(1) : undefined;
}

/** A fault in the numbers of the machine. */
export interface MachineFault {
  level: number;
  owner: number;
  state: number;
}

/** One fault as it is raised or cleared. */
export function readFault(payload: Buffer): MachineFault {
  const reader = new PayloadReader(payload);
  return { level: reader.u8(), owner: reader.u16(), state: reader.u8() };
}

/** The lasting faults. The rest of the payload is unreliable. */
export function readFaultList(payload: Buffer): MachineFault[] {
  const reader = new PayloadReader(payload);
  if (reader.u8() !== 0) return [];
  const faults: MachineFault[] = [];
  for (let count = reader.u8(); count > 0 && reader.left >= 4; count--) {
    faults.push({ level: reader.u8(), owner: reader.u16(), state: reader.u8() });
  }
  return faults;
}

/** The job that a power cut interrupted, if the machine kept one. */
export function readPowerLoss(payload: Buffer): FileInfo | undefined {
  if (payload.length < 3 || payload.readUInt8(0) !== 0) return undefined;
  return readFileInfo(payload.subarray(1));
}
