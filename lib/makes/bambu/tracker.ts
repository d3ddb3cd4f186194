import type { PrinterReport } from '../../model/printer';
import { type JsonObject, listOf, numberOf, objectOf, textOf } from '../values';
import { bambuCode } from './codes';
import { EndingJudge, type EndingTiming, jobKey } from './endings';
import {
  currentErrorCode,
  gcodeState,
  isRunning,
  mapFaults,
  mapJob,
  mapProgress,
  mapSlots,
  mapState,
  mapTemperatures,
  mapToolHead,
  storageState,
} from './report-mapping';
import { applyStatus } from './report-merge';

/** The printer's state, and how its job ended if that is known. */
export interface TrackedPrinter
  extends Pick<
    PrinterReport,
    | 'state'
    | 'job'
    | 'ending'
    | 'message'
    | 'remedy'
    | 'progress'
    | 'remainingMinutes'
    | 'layer'
    | 'layers'
    | 'temperatures'
    | 'slots'
    | 'toolHead'
    | 'storage'
    | 'faults'
    | 'firmware'
    | 'model'
  > {
  /** How the job ended is known only later; in this many ms at the latest. */
  undecidedForMs?: number;
}

/**
 * The state machine of the driver without its connection: takes the printer's reports in order and derives the
 * printer's state and how its jobs ended. Times are of the monotonic clock (ms).
 */
export class ReportTracker {
  readonly #judge: EndingJudge;
  #print: JsonObject = {};
  #firmware: string | undefined;
  #model: string | undefined;
  /** The task id of ours that may be there. */
  #expected: string | undefined;
  /** Whether this run of the job was seen at less than 100 %. */
  #progressBegan = false;

  constructor(timing: EndingTiming) {
    this.#judge = new EndingJudge(timing);
  }

  /** Everything that the printer has reported. */
  get print(): JsonObject {
    return this.#print;
  }

  /** Handles a new connection: events in between were not observed. */
  restart(): void {
    this.#print = {};
    this.#progressBegan = false;
    this.#judge.restart();
  }

  expect(taskId: number): void {
    this.#expected = String(taskId);
  }

  /** Remembers that we requested the end of the current job. */
  askedToStop(): void {
    this.#judge.askedToStop(jobKey(this.#job()));
  }

  /** Whether the current job was seen running. */
  hasRun(): boolean {
    return this.#judge.hasRun(jobKey(this.#job()));
  }

  takeStatus(message: { full: boolean; fields: JsonObject }): void {
    this.#print = applyStatus(this.#print, message);
    const percent = numberOf(this.#print.mc_percent);
    if (!isRunning(gcodeState(this.#print))) this.#progressBegan = false;
    else if (percent !== undefined && percent < 100) this.#progressBegan = true;
  }

  /**
   * The printer's report without the 100 % of the previous job, which an A1 shows for the first seconds of the next
   * one.
   */
  get #current(): JsonObject {
    const print = this.#print;
    const isLeftOver = !this.#progressBegan && isRunning(gcodeState(print)) && numberOf(print.mc_percent) === 100;
    if (!isLeftOver) return print;
    const { mc_percent: _percent, mc_remaining_time: _minutes, ...others } = print;
    return others;
  }

  /** The product name that the printer reports; undefined if it does not. */
  get product(): string | undefined {
    return this.#model;
  }

  /** Takes the answer to `get_version`. */
  takeVersion(fields: JsonObject): void {
    for (const entry of listOf(fields.module)) {
      const module = objectOf(entry);
      if (module.name !== 'ota') continue;
      this.#firmware = textOf(module.sw_ver) ?? this.#firmware;
      this.#model = textOf(module.product_name) || this.#model;
    }
  }

  /** The printer's word for its state if it is unknown to us. */
  get unknownWord(): string | undefined {
    return gcodeState(this.#print) === undefined ? (textOf(this.#print.gcode_state) ?? 'none') : undefined;
  }

  at(now: number): TrackedPrinter {
    const print = this.#current;
    const job = this.#job();
    const { ending, undecidedForMs } = this.#judge.judge(print, job, now);
    const state = mapState(print);
    const faults = mapFaults(print);
    const code = currentErrorCode(print);
    const storage = storageState(print);
    const layer = numberOf(print.layer_num);
    const layers = numberOf(print.total_layer_num);
    const told = code === undefined ? undefined : bambuCode(code);
    const blocking = faults.find((fault) => fault.blocking);
    const message = told?.words ?? blocking?.message;
    const remedy = told?.remedy ?? blocking?.remedy;
    return {
      state: undecidedForMs !== undefined && state === 'idle' ? 'busy' : state,
      job,
      ending,
      ...(undecidedForMs === undefined ? {} : { undecidedForMs }),
      ...(message === undefined ? {} : { message }),
      ...(remedy === undefined ? {} : { remedy }),
      ...mapProgress(print),
      ...(layer === undefined ? {} : { layer }),
      ...(layers === undefined ? {} : { layers }),
      temperatures: mapTemperatures(print),
      slots: mapSlots(print),
      toolHead: mapToolHead(print),
      ...(storage === undefined ? {} : { storage: { state: storage } }),
      faults,
      ...(this.#firmware === undefined ? {} : { firmware: this.#firmware }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
    };
  }

  #job(): PrinterReport['job'] {
    return mapJob(this.#print, this.#expected);
  }
}
