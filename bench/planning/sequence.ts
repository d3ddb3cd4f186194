/** One machine, jobs with weights and due dates, setups that depend on the previous job. Any unit of time. */
export interface TardinessProblem {
  times: readonly number[];
  weights: readonly number[];
  due: readonly number[];
  /** Row-major (n + 1) × n: the setup of j after i; row n is the setup of j when it is first. Null: no setups. */
  setups: Float64Array | null;
}

/** A change has to gain more than this, so that rounding is never mistaken for a gain. */
const leastGain = 1e-6;
/** The resolution of the shift axis for looking up how many jobs a shift makes late. */
const cells = 256;

/**
 * An order of the jobs of one machine, and the cost of changing it.
 *
 * Moving jobs leaves stretches of the order whole and shifts each by its own amount. The cost of any stretch at any
 * shift is looked up (after Ergun & Orlin 2006): the positions are ranked by the shift at which they become late, and for
 * each rank the weights of the late ones are summed from the front. So a change is evaluated in a time that does not depend on the
 * number of jobs n; making it takes n² sums, which pays because some hundreds are evaluated for each one that is made.
 */
export class Sequence {
  readonly length: number;
  /** The job at each position. */
  readonly jobs: Int32Array;
  /** Total weighted tardiness. */
  cost = 0;
  /** The increase of the sum of setups by the last change. */
  setupAdded = 0;
  readonly times: Float64Array;
  readonly weights: Float64Array;
  readonly due: Float64Array;
  readonly setups: Float64Array;
  /** The setup of j after i at j × n + i: the predecessors run along a row. */
  private readonly setupsAfter: Float64Array;
  private readonly timeBefore: Float64Array;
  private readonly costBefore: Float64Array;
  /** The setup before each position, and the longest. */
  private readonly setupBefore: Float64Array;
  private longestSetup = 0;
  /** End minus due date of each position; positions by decreasing lateness, and the shifts at which they become late. */
  private readonly lateness: Float64Array;
  private readonly ranked: Int32Array;
  private readonly lateFrom: Float64Array;
  /** At r × (n + 1) + k, of the first r ranks those before position k: their weights, and weights × lateness. */
  private readonly lateWeight: Float64Array;
  private readonly lateCost: Float64Array;
  /** The first rank of each cell of the axis of shifts. */
  private readonly cellRank = new Int32Array(cells);
  private cellsPerShift = 0;
  private readonly carried: Int32Array;
  /** The best swap found by a scan. */
  private low = 0;
  private middle = 0;
  private end = 0;

  constructor(problem: TardinessProblem) {
    const n = problem.times.length;
    this.length = n;
    this.times = Float64Array.from(problem.times);
    this.weights = Float64Array.from(problem.weights);
    this.due = Float64Array.from(problem.due);
    this.setups = problem.setups ?? new Float64Array((n + 1) * n);
    this.setupsAfter = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) this.setupsAfter[j * n + i] = this.setups[i * n + j] as number;
    }
    this.jobs = Int32Array.from({ length: n }, (_, k) => k);
    this.ranked = Int32Array.from(this.jobs);
    this.carried = new Int32Array(n);
    this.timeBefore = new Float64Array(n + 1);
    this.costBefore = new Float64Array(n + 1);
    this.setupBefore = new Float64Array(n);
    this.lateness = new Float64Array(n);
    this.lateFrom = new Float64Array(n);
    this.lateWeight = new Float64Array((n + 1) * (n + 1));
    this.lateCost = new Float64Array((n + 1) * (n + 1));
    this.settle(0);
  }

  take(order: ArrayLike<number>): void {
    this.jobs.set(order);
    this.settle(0);
  }

  /** Swaps the neighbouring stretches low..middle and middle..end (exclusive). The caller must settle it from `low` on. */
  exchange(low: number, middle: number, end: number): void {
    const { jobs, carried } = this;
    const count = middle - low;
    for (let k = 0; k < count; k++) carried[k] = jobs[low + k] as number;
    jobs.copyWithin(low, middle, end);
    for (let k = 0; k < count; k++) jobs[low + end - middle + k] = carried[k] as number;
  }

  /** Updates all derived data after a change from position `from` on. */
  settle(from: number): void {
    const {
      length: n,
      jobs,
      times,
      weights,
      due,
      setups,
      timeBefore,
      costBefore,
      setupBefore,
      lateness,
      ranked,
    } = this;
    for (let k = from; k < n; k++) {
      const job = jobs[k] as number;
      const setup = setups[(k === 0 ? n : (jobs[k - 1] as number)) * n + job] as number;
      const done = (timeBefore[k] as number) + setup + (times[job] as number);
      const late = done - (due[job] as number);
      setupBefore[k] = setup;
      timeBefore[k + 1] = done;
      lateness[k] = late;
      costBefore[k + 1] = (costBefore[k] as number) + (late > 0 ? late * (weights[job] as number) : 0);
    }
    this.cost = costBefore[n] as number;
    let longest = 0;
    for (let k = 0; k < n; k++) longest = Math.max(longest, setupBefore[k] as number);
    this.longestSetup = longest;
    // The earlier ranks are nearly sorted, which insertion sort handles quickly.
    for (let i = 1; i < n; i++) {
      const position = ranked[i] as number;
      const late = lateness[position] as number;
      let j = i - 1;
      for (; j >= 0 && (lateness[ranked[j] as number] as number) < late; j--) ranked[j + 1] = ranked[j] as number;
      ranked[j + 1] = position;
    }
    this.sumByRank();
  }

  private sumByRank(): void {
    const { length: n, jobs, weights, lateness, ranked, lateFrom, lateWeight, lateCost, cellRank } = this;
    const width = n + 1;
    for (let rank = 0; rank < n; rank++) {
      const position = ranked[rank] as number;
      const late = lateness[position] as number;
      const weight = weights[jobs[position] as number] as number;
      lateFrom[rank] = -late;
      const row = rank * width;
      for (let k = row; k <= row + position; k++) {
        lateWeight[k + width] = lateWeight[k] as number;
        lateCost[k + width] = lateCost[k] as number;
      }
      for (let k = row + position + 1; k < row + width; k++) {
        lateWeight[k + width] = (lateWeight[k] as number) + weight;
        lateCost[k + width] = (lateCost[k] as number) + weight * late;
      }
    }
    const least = lateFrom[0] as number;
    const span = (lateFrom[n - 1] as number) - least;
    this.cellsPerShift = span > 0 ? (cells - 1) / span : 0;
    let rank = 0;
    for (let cell = 0; cell < cells; cell++) {
      while (rank < n && Math.floor(((lateFrom[rank] as number) - least) * this.cellsPerShift) < cell) rank++;
      cellRank[cell] = rank;
    }
  }

  /** The start of the sums of those that are late when everything is `shift` later. */
  private rowAt(shift: number): number {
    const { length: n, lateFrom } = this;
    const least = lateFrom[0] as number;
    if (shift <= least) return 0;
    if (shift > (lateFrom[n - 1] as number)) return n * (n + 1);
    let rank = this.cellRank[Math.floor((shift - least) * this.cellsPerShift)] as number;
    while ((lateFrom[rank] as number) < shift) rank++;
    return rank * (n + 1);
  }

  /** The cost of the positions from..to (exclusive) when they are done `shift` later. */
  private costOf(from: number, to: number, shift: number): number {
    return this.costInRow(this.rowAt(shift), from, to, shift);
  }

  private costInRow(row: number, from: number, to: number, shift: number): number {
    const { lateWeight, lateCost } = this;
    return (
      ((lateWeight[row + to] as number) - (lateWeight[row + from] as number)) * shift +
      (lateCost[row + to] as number) -
      (lateCost[row + from] as number)
    );
  }

  /**
   * Moves the stretch low..end (exclusive) to where it costs least, if that is a gain.
   *
   * @param reach the maximum number of places to move it by
   * @param mostSetup moves that lengthen the sum of setups by more are skipped
   */
  moveStretch(low: number, end: number, reach: number, mostSetup: number): boolean {
    const limit = this.cost - leastGain;
    const later = end < this.length ? this.scanLater(low, end, reach, mostSetup, limit) : limit;
    const best = low > 0 ? this.scanEarlier(low, end, reach, mostSetup, later) : later;
    if (best >= limit) return false;
    this.exchange(this.low, this.middle, this.end);
    this.settle(this.low);
    return true;
  }

  /** Swaps the job at position `i` with the later one that costs least, if that is a gain; see `moveStretch`. */
  swapLater(i: number, reach: number, mostSetup: number): boolean {
    const limit = this.cost - leastGain;
    if (i + 2 >= this.length || this.scanSwaps(i, reach, mostSetup, limit) >= limit) return false;
    const { jobs, end: j } = this;
    const job = jobs[i] as number;
    jobs[i] = jobs[j] as number;
    jobs[j] = job;
    this.settle(i);
    return true;
  }

  private scanLater(low: number, middle: number, reach: number, mostSetup: number, limit: number): number {
    const { length: n, jobs, setups, setupsAfter, setupBefore, timeBefore, costBefore } = this;
    const column = (jobs[low] as number) * n;
    const tail = (jobs[middle - 1] as number) * n;
    const next = jobs[middle] as number;
    const setupNext =
      (setups[(low === 0 ? n : (jobs[low - 1] as number)) * n + next] as number) - (setupBefore[middle] as number);
    const base = setupNext - (setupBefore[low] as number);
    const middleTime = timeBefore[middle] as number;
    const shiftPassed = (timeBefore[low] as number) - middleTime + setupNext;
    const rowPassed = this.rowAt(shiftPassed);
    const before = costBefore[low] as number;
    // Everything behind the stretch moves earlier by this much at most: this bounds the cost of every move from below.
    const earliest = Math.min(shiftPassed, base - this.longestSetup);
    const least = before + this.costOf(middle, n, earliest);
    const soonest = (timeBefore[middle + 1] as number) - middleTime + base;
    if (least + this.costOf(low, middle, soonest) >= limit) return limit;
    const last = Math.min(n, middle + reach);
    let hopelessFrom = Number.POSITIVE_INFINITY;
    let best = limit;
    for (let end = middle + 1; end <= last; end++) {
      const endTime = timeBefore[end] as number;
      if (endTime >= hopelessFrom) break;
      const setup = setupsAfter[column + (jobs[end - 1] as number)] as number;
      let added = base + setup;
      if (end < n) added += (setups[tail + (jobs[end] as number)] as number) - (setupBefore[end] as number);
      if (added > mostSetup) continue;
      const moved = this.costOf(low, middle, endTime - middleTime + base + setup);
      if (least + moved >= best) {
        hopelessFrom = Math.min(hopelessFrom, endTime + setup);
        continue;
      }
      let cost = before + moved + this.costInRow(rowPassed, middle, end, shiftPassed);
      if (cost >= best) continue;
      cost += this.costOf(end, n, added);
      if (cost < best) {
        best = cost;
        this.found(low, middle, end, added);
      }
    }
    return best;
  }

  private scanEarlier(middle: number, end: number, reach: number, mostSetup: number, limit: number): number {
    const { length: n, jobs, setups, setupsAfter, setupBefore, timeBefore, costBefore } = this;
    const head = jobs[middle] as number;
    const tail = (jobs[end - 1] as number) * n;
    const setupHead = setupBefore[middle] as number;
    const setupRest =
      end < n
        ? (setups[(jobs[middle - 1] as number) * n + (jobs[end] as number)] as number) - (setupBefore[end] as number)
        : 0;
    const duration = (timeBefore[end] as number) - (timeBefore[middle] as number) - setupHead;
    // Everything that is passed moves later by at least this much, and the rest earlier by at most that much.
    const delay = duration - this.longestSetup;
    const rowDelay = this.rowAt(delay);
    const leastRest = this.costOf(end, n, setupRest - setupHead - this.longestSetup);
    const first = Math.max(0, middle - reach);
    let best = limit;
    for (let low = middle - 1; low >= first; low--) {
      const setupMoved =
        low === 0 ? (setups[n * n + head] as number) : (setupsAfter[head * n + (jobs[low - 1] as number)] as number);
      const shift = setupMoved + (setups[tail + (jobs[low] as number)] as number) - (setupBefore[low] as number);
      const added = shift + setupRest - setupHead;
      if (added > mostSetup) continue;
      const before = costBefore[low] as number;
      if (before + leastRest + this.costInRow(rowDelay, low, middle, delay) >= best) {
        // Passing even more would only delay more, unless the setups take longer than the stretch.
        if (delay >= 0) break;
        continue;
      }
      let cost = before + this.costOf(low, middle, duration + shift);
      if (cost >= best) continue;
      cost += this.costOf(end, n, added);
      if (cost >= best) continue;
      cost += this.costOf(
        middle,
        end,
        (timeBefore[low] as number) - (timeBefore[middle] as number) + setupMoved - setupHead,
      );
      if (cost < best) {
        best = cost;
        this.found(low, middle, end, added);
      }
    }
    return best;
  }

  private scanSwaps(i: number, reach: number, mostSetup: number, limit: number): number {
    const { length: n, jobs, times, weights, due, setups, setupsAfter, setupBefore, timeBefore, costBefore } = this;
    const job = jobs[i] as number;
    const before = (i === 0 ? n : (jobs[i - 1] as number)) * n;
    const nextColumn = (jobs[i + 1] as number) * n;
    const setupsLost = (setupBefore[i] as number) + (setupBefore[i + 1] as number);
    const last = Math.min(n - 1, i + reach);
    let best = limit;
    for (let j = i + 2; j <= last; j++) {
      const other = jobs[j] as number;
      const setupOther = setups[before + other] as number;
      const setupNext = setupsAfter[nextColumn + other] as number;
      const setupJob = setupsAfter[job * n + (jobs[j - 1] as number)] as number;
      let added = setupOther + setupNext + setupJob - setupsLost - (setupBefore[j] as number);
      if (j + 1 < n) {
        added += (setups[job * n + (jobs[j + 1] as number)] as number) - (setupBefore[j + 1] as number);
      }
      if (added > mostSetup) continue;
      const otherDone = (timeBefore[i] as number) + setupOther + (times[other] as number);
      const shift = otherDone + setupNext - (timeBefore[i + 1] as number) - (setupBefore[i + 1] as number);
      const jobDone = (timeBefore[j] as number) + shift + setupJob + (times[job] as number);
      let cost =
        (costBefore[i] as number) +
        Math.max(0, otherDone - (due[other] as number)) * (weights[other] as number) +
        Math.max(0, jobDone - (due[job] as number)) * (weights[job] as number);
      if (cost >= best) continue;
      cost += this.costOf(j + 1, n, added);
      if (cost >= best) continue;
      cost += this.costOf(i + 1, j, shift);
      if (cost < best) {
        best = cost;
        this.found(i, i, j, added);
      }
    }
    return best;
  }

  private found(low: number, middle: number, end: number, setupAdded: number): void {
    this.low = low;
    this.middle = middle;
    this.end = end;
    this.setupAdded = setupAdded;
  }
}
