import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { DELIVERY_FAULTS } from './delivery';
import { Faults, faultNumber, faultText } from './faults';
import { type Filament, type FilamentSpecification, filamentOf } from './filament';
import { estimateGcodeFile, type GcodeFacts } from './gcode-duration';
import { type EngineState, PrintEngine } from './print-engine';
import type { Interruption, PrintJob, Stage } from './print-run';
import { SimulatorRequestError } from './request-error';
import type { SimulatorOptions } from './simulator';
import { StateFile } from './state-file';
import type { Extrusion, ToolRules } from './tool-use';
import { type TruthLine, TruthLog } from './truth-log';

/** The faults that every make knows. */
const COMMON_FAULTS = [
  /** A start is accepted and answered as usual, but never happens. */
  'start_ignored',
  /** A start is carried out, but its answer is lost with the connection. */
  'start_reply_lost',
  /** A start takes `seconds` (wall, default 5) longer than usual. */
  'slow_start',
  /** Every connection is cut and every new one reset. */
  'offline',
  /** An upload is broken off after `after_bytes` (default 1024). */
  'upload_breaks',
  /** No storage: nothing can be uploaded. */
  'storage_missing',
  /** The storage is present but full: uploads do not arrive completely. */
  'storage_full',
  /** The present print, or else the next, fails at the fraction `at` (default 0.5) with `cause` (default fault). */
  'print_fails',
  /** The present print, or else the next, runs out of filament at the fraction `at` (default 0.5). */
  'runout',
  ...DELIVERY_FAULTS,
] as const;

interface StoredState<Extra> {
  engine: EngineState;
  /** The loaded filaments, by slot. Missing in the state of earlier versions. */
  filaments?: Record<string, Filament | null>;
  ports: Record<string, number>;
  /** Missing in what earlier versions have stored. */
  hardwareId?: string;
  extra: Extra;
  /** Events of this state that are perhaps not in the truth log yet. */
  truth: readonly TruthLine[];
}

export interface FileDigest {
  sha256: string;
  md5: string;
  size: number;
}

/** The common part of all makes: a data directory, a clock that runs fast, a plate, faults, a truth log. */
export class Machine<Extra> {
  readonly engine: PrintEngine;
  readonly truth: TruthLog;
  readonly faults: Faults;
  readonly filesDir: string;
  readonly host: string;
  readonly speed: number;
  /** The make's own part of the stored state; change it, then call `persist`. */
  readonly extra: Extra;
  readonly ports: Record<string, number>;
  /** Eight hexadecimal digits that no other simulated printer has, for as long as its data directory lasts. */
  readonly hardwareId: string;
  readonly #filaments: Record<string, Filament | null>;
  /** Nothing has ever been loaded: the loads of the options are the first. */
  readonly #untouched: boolean;
  readonly #file: StateFile<StoredState<Extra>>;
  readonly #facts = new Map<string, Promise<GcodeFacts>>();

  constructor(
    readonly options: SimulatorOptions,
    faults: readonly string[],
    initial: Extra,
  ) {
    this.host = options.host ?? '127.0.0.1';
    this.speed = options.speed ?? 60;
    if (!(this.speed > 0)) throw new SimulatorRequestError('The speed must be greater than 0.');
    this.filesDir = join(options.dataDir, 'files');
    mkdirSync(this.filesDir, { recursive: true });
    this.faults = new Faults([...COMMON_FAULTS, ...faults]);
    this.truth = new TruthLog(join(options.dataDir, 'truth.jsonl'));
    this.#file = new StateFile(join(options.dataDir, 'state.json'));
    const stored = this.#file.read();
    this.truth.restore(stored?.truth ?? []);
    this.extra = stored === undefined ? initial : { ...initial, ...stored.extra };
    this.ports = stored?.ports ?? {};
    this.hardwareId = stored === undefined ? randomBytes(4).toString('hex') : (stored.hardwareId ?? '12345678');
    this.#filaments = stored?.filaments ?? {};
    this.#untouched = stored?.filaments === undefined;
    this.engine = new PrintEngine({
      speed: this.speed,
      operator: options.operator ?? 'manual',
      truth: this.truth,
      state: stored?.engine,
      filamentIn: (slot) => this.filamentIn(slot),
      persist: () => this.persist(),
    });
    this.faults.onChange((name) => {
      if (this.engine.run === null || this.engine.run.job.interruptions.length > 0) return;
      const planned = name === 'print_fails' || name === 'runout' ? this.takeInterruptions() : [];
      for (const interruption of planned) this.engine.interrupt(interruption);
    });
  }

  /** Stores the whole state, and after it the events that it brought about. */
  persist(): void {
    const { engine, ports, hardwareId, extra, truth } = this;
    this.#file.write({
      engine: engine.state,
      filaments: this.#filaments,
      ports,
      hardwareId,
      extra,
      truth: truth.pending,
    });
    truth.flush();
  }

  /** The contents of a slot; null if it is empty. */
  filamentIn(slot: string): Filament | null {
    return this.#filaments[slot] ?? null;
  }

  /** Puts a filament into a slot, or takes it out. The only way in which filament comes into a printer. */
  load(slot: string, filament: string | FilamentSpecification | null): void {
    this.#filaments[slot] = filament === null ? null : filamentOf(filament);
    this.engine.refilled(slot);
    this.persist();
  }

  /** Loads the filaments of the options if this printer is new. */
  loadFirst(slots: readonly string[]): void {
    if (!this.#untouched) return;
    for (const [slot, filament] of Object.entries(this.options.loads ?? {})) {
      requireSlot(slot, slots);
      this.#filaments[slot] = filamentOf(filament);
    }
    this.persist();
  }

  /** The wanted port of a server, and the one it had at the last run. */
  portChoice(name: string): { wanted: number; last: number } {
    return { wanted: this.options.ports?.[name] ?? 0, last: this.ports[name] ?? 0 };
  }

  rememberPort(name: string, port: number): void {
    this.ports[name] = port;
    this.persist();
  }

  /** Reads a G-code file once; later calls with the same key answer from memory. */
  facts(sha256: string, path: string, rules: ToolRules): Promise<GcodeFacts> {
    const key = `${sha256} ${JSON.stringify(rules)}`;
    let facts = this.#facts.get(key);
    if (facts === undefined) {
      facts = estimateGcodeFile(path, rules);
      facts.catch(() => this.#facts.delete(key));
      this.#facts.set(key, facts);
    }
    return facts;
  }

  /** The interruptions that faults have planned for the print that begins now. */
  takeInterruptions(): Interruption[] {
    const planned: Interruption[] = [];
    const runout = this.faults.isOn('runout') ? this.faults.take('runout') : undefined;
    if (runout !== undefined) {
      planned.push({ stage: 'printing', at: faultNumber(runout, 'at', 0.5), kind: 'pause', cause: 'runout' });
    }
    const failure = this.faults.take('print_fails');
    if (failure !== undefined) {
      const cause = faultText(failure, 'cause', 'fault');
      planned.push({ stage: 'printing', at: faultNumber(failure, 'at', 0.5), kind: 'fail', cause });
    }
    return planned.sort((a, b) => a.at - b.at);
  }

  /** Writes the arrival of a start command to the truth log. */
  logStart(job: Pick<PrintJob, 'fileName' | 'sha256' | 'size' | 'identity'>, refused?: string): void {
    this.truth.note({
      event: 'start',
      file_name: job.fileName,
      sha256: job.sha256,
      size: job.size,
      identity: job.identity,
      bed: this.engine.plate,
      accepted: refused === undefined,
      ...(refused === undefined ? {} : { reason: refused }),
    });
    this.persist();
  }

  logUpload(fileName: string, digest: FileDigest): void {
    this.truth.note({
      event: 'upload',
      file_name: fileName,
      sha256: digest.sha256,
      size: digest.size,
      identity: { md5: digest.md5 },
      bed: this.engine.plate,
    });
    this.persist();
  }

  /**
   * A job started at the screen from a local file; `minutes` are printer minutes.
   * @param slot the slot that feeds tool 0, which prints it
   */
  foreignJob(
    fileName: string,
    minutes: number,
    { stages, slot }: { stages: (facts: GcodeFacts) => Stage[]; slot: string },
  ): PrintJob {
    if (this.engine.run !== null) throw new SimulatorRequestError('The printer is printing.');
    const extrusion: Extrusion = { tool: 0, millimetres: minutes * 100, from: 0, to: 1 };
    const facts: GcodeFacts = {
      seconds: minutes * 60,
      lines: Math.ceil(minutes * 600),
      bytes: Math.ceil(minutes * 18_000),
      layers: Math.max(1, Math.ceil(minutes)),
      filamentMillimetres: extrusion.millimetres,
      extrusions: [extrusion],
      nozzleTarget: 210,
      nozzleTargets: [210],
      bedTarget: 60,
      height: minutes * 0.2,
    };
    const sha256 = createHash('sha256').update(`foreign ${fileName}`).digest('hex');
    return {
      fileName,
      sha256,
      size: facts.bytes,
      identity: { file_name: fileName },
      foreign: true,
      facts,
      feeds: [{ ...extrusion, slot }],
      toolTargets: facts.nozzleTargets,
      stages: stages(facts),
      interruptions: this.takeInterruptions(),
    };
  }

  close(): void {
    this.engine.halt();
    this.truth.close();
  }
}

/** @throws SimulatorRequestError if the printer has no such slot */
export function requireSlot(slot: string, slots: readonly string[]): void {
  if (slots.includes(slot)) return;
  throw new SimulatorRequestError(`There is no slot "${slot}". Slots: ${slots.join(', ')}.`);
}

/** Reckons the digests of what passes through it. */
export class DigestTap extends Transform {
  readonly #sha256 = createHash('sha256');
  readonly #md5 = createHash('md5');
  #size = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#sha256.update(chunk);
    this.#md5.update(chunk);
    this.#size += chunk.length;
    done(null, chunk);
  }

  /** The digests of everything that has passed; call it once, at the end. */
  digest(): FileDigest {
    return { sha256: this.#sha256.digest('hex'), md5: this.#md5.digest('hex'), size: this.#size };
  }
}
