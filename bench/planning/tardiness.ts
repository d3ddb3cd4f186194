import { seeded } from '../../lib/planning/random';
import { Sequence, type TardinessProblem } from './sequence';

/** Stretches of up to this many jobs are moved, by up to this many places. */
const longestStretch = 8;
const reach = 25;
/** The number of sequences that are kept and crossed with each other. */
const kept = 10;
/** A sequence is abandoned after this many kicks in a row without an improvement. */
const patience = 60;
/** A kick swaps two neighbouring stretches of up to this many jobs. */
const longestKick = 12;
/** Descents that record the setup added by gaining moves; later, moves that add more than most did are skipped. */
const learning = 30;
const learnedShare = 0.95;

/**
 * A sequence of small total weighted tardiness. Some are started by a randomised rule, and each is improved by iterated
 * local search. Then two at a time are crossed, the child is improved, and kept if it is better than the worst (Xu, Lü, Yin,
 * Shen & Buscher 2014); when that no longer helps, the search restarts. The local search moves stretches and swaps jobs
 * (Subramanian, Battarra & Potts 2014), and skips moves that add unusually much setup (Subramanian & Farias 2017).
 *
 * @param budget `rounds` of local search, and a clock that may end it early; by rounds alone the same seed gives the same
 */
export function leastTardiness(
  problem: TardinessProblem,
  budget: { seed: number; rounds: number; expired?: () => boolean },
): { order: number[]; cost: number } {
  const sequence = new Sequence(problem);
  const best = { order: Array.from(sequence.jobs), cost: sequence.cost };
  if (sequence.length < 2) return best;
  const random = seeded(budget.seed);
  const descent = new Descent(sequence, random);
  let rounds = 0;
  const over = (): boolean => rounds >= budget.rounds || best.cost === 0 || budget.expired?.() === true;
  const descend = (): void => {
    rounds++;
    descent.run();
    if (sequence.cost >= best.cost) return;
    best.cost = sequence.cost;
    best.order = Array.from(sequence.jobs);
  };
  const from = new Int32Array(sequence.length);
  const improve = (): void => {
    descend();
    let cost = sequence.cost;
    from.set(sequence.jobs);
    for (let stuck = 0; stuck < patience && !over(); ) {
      kick(sequence, random);
      descend();
      if (sequence.cost < cost) stuck = 0;
      else stuck++;
      if (sequence.cost <= cost) {
        cost = sequence.cost;
        from.set(sequence.jobs);
      } else sequence.take(from);
    }
  };
  while (!over()) {
    const family = new Family();
    while (family.size < kept && !over()) {
      sequence.take(byRule(problem, random));
      improve();
      family.add(sequence);
    }
    for (let barren = 0; barren < 3 * kept && !over(); ) {
      sequence.take(family.child(random));
      improve();
      if (family.replaceWorst(sequence)) barren = 0;
      else barren++;
    }
  }
  return best;
}

/** Descends to an order that no move of a stretch and no swap improves. */
class Descent {
  /** Per neighbourhood (0: swaps, else the length of a stretch): the setup that a move may add, and that gaining moves added. */
  private readonly mostSetup: Float64Array;
  private readonly added: number[][];
  private readonly neighbourhoods: Int32Array;
  private runs = 0;

  constructor(
    private readonly sequence: Sequence,
    private readonly random: () => number,
  ) {
    const count = 1 + Math.min(longestStretch, sequence.length - 1);
    this.mostSetup = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    this.added = Array.from({ length: count }, () => []);
    this.neighbourhoods = Int32Array.from({ length: count }, (_, k) => k);
  }

  /** Tries the neighbourhoods in random order, repeatedly, until none has helped since the last gain. */
  run(): void {
    const { neighbourhoods } = this;
    const count = neighbourhoods.length;
    shuffle(neighbourhoods, this.random);
    for (let k = 0, idle = 0; idle < count; k = (k + 1) % count) {
      idle = this.pass(neighbourhoods[k] as number) ? 0 : idle + 1;
    }
    if (++this.runs === learning) this.learn();
  }

  private pass(neighbourhood: number): boolean {
    const { sequence } = this;
    const most = this.mostSetup[neighbourhood] as number;
    let helped = false;
    for (let k = 0; k + neighbourhood <= sequence.length; k++) {
      const gained =
        neighbourhood === 0
          ? sequence.swapLater(k, reach, most)
          : sequence.moveStretch(k, k + neighbourhood, reach, most);
      if (!gained) continue;
      helped = true;
      if (this.runs < learning) this.added[neighbourhood]?.push(sequence.setupAdded);
    }
    return helped;
  }

  private learn(): void {
    this.added.forEach((added, neighbourhood) => {
      added.sort((a, b) => a - b);
      this.mostSetup[neighbourhood] = added[Math.floor(learnedShare * added.length)] ?? 0;
    });
  }
}

interface Member {
  order: Int32Array;
  cost: number;
}

/** Good sequences, no two of the same cost once the set is full. */
class Family {
  private readonly members: Member[] = [];

  get size(): number {
    return this.members.length;
  }

  add(sequence: Sequence): void {
    this.members.push({ order: Int32Array.from(sequence.jobs), cost: sequence.cost });
  }

  replaceWorst(sequence: Sequence): boolean {
    let worst = 0;
    for (let k = 0; k < this.members.length; k++) {
      const cost = this.members[k]?.cost ?? 0;
      if (cost === sequence.cost) return false;
      if (cost > (this.members[worst]?.cost ?? 0)) worst = k;
    }
    if (sequence.cost > (this.members[worst]?.cost ?? 0)) return false;
    this.members[worst] = { order: Int32Array.from(sequence.jobs), cost: sequence.cost };
    return true;
  }

  /** Keeps a stretch of one parent in place, and the rest around it in the order of the other parent (linear order crossover). */
  child(random: () => number): Int32Array {
    const a = Math.floor(random() * this.members.length);
    const b = (a + 1 + Math.floor(random() * (this.members.length - 1))) % this.members.length;
    const child = Int32Array.from(this.members[a]?.order ?? []);
    const n = child.length;
    const one = Math.floor(random() * n);
    const two = Math.floor(random() * n);
    const from = Math.min(one, two);
    const to = Math.max(one, two);
    const inherited = new Uint8Array(n);
    for (let k = from; k <= to; k++) inherited[child[k] as number] = 1;
    let k = 0;
    for (const job of this.members[b]?.order ?? []) {
      if (inherited[job]) continue;
      if (k === from) k = to + 1;
      child[k++] = job;
    }
    return child;
  }
}

/** The apparent tardiness cost with setups (Lee, Bhaskaran & Pinedo 1997), with random scales and a random share of the index. */
function byRule(problem: TardinessProblem, random: () => number): number[] {
  const n = problem.times.length;
  const { times, weights, due, setups } = problem;
  const setup = (i: number, j: number): number => setups?.[i * n + j] ?? 0;
  const mean = (values: Iterable<number>, count: number): number => {
    let sum = 0;
    for (const value of values) sum += value;
    return sum / count || 1;
  };
  const slackScale = (0.5 + 4 * random()) * mean(times, n);
  const setupScale = (0.1 + random()) * mean(setups ?? [], n * (n + 1));
  const left = new Set(Array.from({ length: n }, (_, job) => job));
  const order: number[] = [];
  for (let time = 0, before = n; left.size > 0; ) {
    let next = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (const job of left) {
      const duration = times[job] as number;
      const index =
        Math.log(((weights[job] as number) + 1e-6) / (duration + 1e-6)) -
        Math.max(0, (due[job] as number) - duration - time) / slackScale -
        setup(before, job) / setupScale +
        0.3 * random();
      if (index > highest) {
        highest = index;
        next = job;
      }
    }
    order.push(next);
    left.delete(next);
    time += setup(before, next) + (times[next] as number);
    before = next;
  }
  return order;
}

/** Swaps two neighbouring stretches once or twice. */
function kick(sequence: Sequence, random: () => number): void {
  const n = sequence.length;
  const longest = Math.min(longestKick, Math.ceil(n / 3));
  const times = random() < 0.5 ? 1 : 2;
  for (let k = 0; k < times; k++) {
    const left = 1 + Math.floor(random() * longest);
    const right = 1 + Math.floor(random() * longest);
    const low = Math.floor(random() * Math.max(1, n - left - right + 1));
    sequence.exchange(low, low + left, low + left + right);
  }
  sequence.settle(0);
}

function shuffle(values: Int32Array, random: () => number): void {
  for (let k = values.length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    const value = values[k] as number;
    values[k] = values[other] as number;
    values[other] = value;
  }
}
