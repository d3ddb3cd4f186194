import type { PrinterReport } from '../../model/printer';
import type { PrintFile } from '../driver';
import { issueCode } from './codes';
import {
  type BedZone,
  commandKey,
  commands,
  type FileInfo,
  type MachineFault,
  type Module,
  type Nozzle,
  readBed,
  readCounter,
  readExtruders,
  readFault,
  readFileInfo,
  readHeartbeat,
} from './commands';
import type { Frame } from './frame';
import { RunJudge } from './run-judge';
import {
  hasJob,
  lineProgress,
  mapFault,
  mapSlots,
  mapStatus,
  mapTemperatures,
  mapToolHead,
  remainingMinutes,
} from './state-mapping';

/** What a frame reported. */
export type FrameNews =
  /** The machine's state. */
  | 'heartbeat'
  /** Which job runs or ran last. */
  | 'job'
  /** Why the job ended. */
  | 'ending'
  /** A detail of the machine that can wait for the next report. */
  | 'detail'
  /** Nothing about the state of the machine. */
  | 'other';

/** The machine's state, and how its job ended if that is known. */
export interface TrackedMachine
  extends Pick<
    PrinterReport,
    | 'state'
    | 'job'
    | 'ending'
    | 'message'
    | 'remedy'
    | 'progress'
    | 'remainingMinutes'
    | 'temperatures'
    | 'slots'
    | 'toolHead'
    | 'faults'
  > {
  /** How the job ended is known only later; in this many ms at the latest. */
  undecidedForMs?: number;
}

/** The properties of a file that are needed to count its progress. */
export type CountedFile = Pick<PrintFile, 'lines' | 'estimatedSeconds'>;

const rememberedFiles = 16;
const rememberedFaults = 64;

/**
 * The state machine of the driver without its connection: takes the machine's frames in order and derives the machine's
 * state and how its jobs ended. Times are of the monotonic clock (ms).
 */
export class MachineTracker {
  readonly #judge: RunJudge;
  readonly #files = new Map<string, CountedFile>();
  #status: number | undefined;
  #file: FileInfo | undefined;
  #jobIsFresh = false;
  #line: number | undefined;
  #lineAt: number | undefined;
  #seconds: number | undefined;
  #nozzles: Nozzle[] = [];
  #zones: BedZone[] = [];
  #faults: MachineFault[] = [];
  #lastIssue: number | undefined;
  #modules: readonly Module[] | undefined;

  /** @param noticeMs how long the reason of an ending may come after the ending */
  constructor(noticeMs: number) {
    this.#judge = new RunJudge(noticeMs);
  }

  /** The machine's status byte; undefined before its first report. */
  get status(): number | undefined {
    return this.#status;
  }

  /** The last reported line. */
  get line(): number | undefined {
    return this.#line;
  }

  /** Whether the job was reported since the last event that may have changed it. */
  get jobIsFresh(): boolean {
    return this.#jobIsFresh;
  }

  /** Handles a new connection: events in between were not observed. */
  restart(): void {
    this.#status = undefined;
    this.#file = undefined;
    this.#jobIsFresh = false;
    this.#judge.restart();
  }

  /** Remembers how long a file is, so that its progress can be counted. */
  remember(fileName: string, file: CountedFile): void {
    this.#files.set(fileName, file);
    for (const name of this.#files.keys()) {
      if (this.#files.size <= rememberedFiles) break;
      this.#files.delete(name);
    }
  }

  /** Takes the mounted modules. */
  modulesAre(modules: readonly Module[]): void {
    this.#modules = modules;
  }

  faultsAre(faults: MachineFault[]): void {
    this.#faults = faults.slice(-rememberedFaults);
  }

  take(frame: Frame, now: number): FrameNews {
    const { payload } = frame;
    switch (commandKey({ set: frame.commandSet, id: frame.commandId })) {
      case commandKey(commands.heartbeat):
        return this.#takeHeartbeat(payload, now);
      case commandKey(commands.fileInfo):
        this.#file = readFileInfo(payload);
        this.#jobIsFresh = true;
        return 'job';
      case commandKey(commands.issue): {
        this.#lastIssue = payload[0] ?? 255;
        if (!this.#judge.issue(this.#lastIssue)) return 'detail';
        this.#jobIsFresh = false;
        return 'ending';
      }
      case commandKey(commands.extruders):
        this.#nozzles = readExtruders(payload);
        return 'detail';
      case commandKey(commands.bed):
        this.#zones = readBed(payload);
        return 'detail';
      case commandKey(commands.line): {
        const line = readCounter(payload);
        if (line === undefined) return 'detail';
        this.#line = line;
        this.#lineAt = now;
        return 'detail';
      }
      case commandKey(commands.printTime):
        this.#seconds = readCounter(payload) ?? this.#seconds;
        return 'detail';
      case commandKey(commands.faultRaised):
        this.#takeFault(payload, true);
        return 'detail';
      case commandKey(commands.faultCleared):
        this.#takeFault(payload, false);
        return 'detail';
      default:
        return 'other';
    }
  }

  at(now: number): TrackedMachine {
    const status = this.#status;
    const file = this.#file;
    const known = file === undefined ? undefined : this.#files.get(file.name);
    const facts = { file, line: this.#line, lineAt: this.#lineAt, totalLines: known?.lines, now };
    const { ending, undecidedForMs } = this.#judge.judge(facts);
    const faults = this.#faults.map(mapFault);
    let state = status === undefined ? 'unknown' : mapStatus(status);
    if (state === 'idle' && faults.some((fault) => fault.blocking)) state = 'fault';
    if (state === 'idle' && undecidedForMs !== undefined) state = 'busy';
    const runs = status !== undefined && hasJob(status);
    const issue = this.#lastIssue === undefined ? undefined : issueCode(this.#lastIssue);
    const progress = runs ? lineProgress(this.#line, known?.lines) : null;
    return {
      state,
      job: file === undefined ? null : { name: file.name, ...(file.md5 === '' ? {} : { md5: file.md5 }) },
      ending,
      ...(undecidedForMs === undefined ? {} : { undecidedForMs }),
      ...(issue && { message: issue.words }),
      ...(issue?.remedy !== undefined && { remedy: issue.remedy }),
      progress,
      remainingMinutes: runs ? remainingMinutes(progress, this.#seconds, known?.estimatedSeconds ?? null) : null,
      temperatures: mapTemperatures(this.#nozzles, this.#zones),
      slots: mapSlots(this.#nozzles),
      ...(this.#modules === undefined ? {} : { toolHead: mapToolHead(this.#modules, this.#nozzles) }),
      faults,
    };
  }

  #takeHeartbeat(payload: Buffer, now: number): FrameNews {
    const status = readHeartbeat(payload);
    if (status === undefined) return 'detail';
    this.#status = status;
    const changed = this.#judge.status(status, now);
    if (hasJob(status) && changed) this.#lastIssue = undefined;
    // A job's name is read again whenever another one may have begun.
    if (changed || status === 1) this.#jobIsFresh = false;
    return 'heartbeat';
  }

  #takeFault(payload: Buffer, raised: boolean): void {
    const fault = readFault(payload);
    const others = this.#faults.filter((known) => known.owner !== fault.owner || known.state !== fault.state);
    this.faultsAre(raised ? [...others, fault] : others);
  }
}
