import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Sequence, type TardinessProblem } from '../../bench/planning/sequence';
import { leastTardiness } from '../../bench/planning/tardiness';

const problems = (most: number): fc.Arbitrary<TardinessProblem> =>
  fc.integer({ min: 1, max: most }).chain((n) => {
    const each = (max: number): fc.Arbitrary<number[]> =>
      fc.array(fc.integer({ min: 0, max }), { minLength: n, maxLength: n });
    return fc.record({
      times: each(20),
      weights: each(10),
      due: each(12 * n),
      setups: fc.option(
        fc
          .array(fc.integer({ min: 0, max: 25 }), { minLength: (n + 1) * n, maxLength: (n + 1) * n })
          .map((values) => Float64Array.from(values)),
      ),
    });
  });

interface Measured {
  cost: number;
  setup: number;
}

function measure(problem: TardinessProblem, order: ArrayLike<number>): Measured {
  const n = problem.times.length;
  let time = 0;
  let cost = 0;
  let setup = 0;
  let before = n;
  for (const job of Array.from(order)) {
    const between = problem.setups?.[before * n + job] ?? 0;
    setup += between;
    time += between + (problem.times[job] ?? 0);
    cost += (problem.weights[job] ?? 0) * Math.max(0, time - (problem.due[job] ?? 0));
    before = job;
  }
  return { cost, setup };
}

const moved = (order: number[], low: number, end: number, to: number): number[] => {
  const rest = [...order];
  const stretch = rest.splice(low, end - low);
  rest.splice(to, 0, ...stretch);
  return rest;
};

const swapped = (order: number[], i: number, j: number): number[] => {
  const other = [...order];
  other[i] = order[j] ?? 0;
  other[j] = order[i] ?? 0;
  return other;
};

function permutations(items: number[]): number[][] {
  if (items.length < 2) return [items];
  return items.flatMap((first) =>
    permutations(items.filter((one) => one !== first)).map((others) => [first, ...others]),
  );
}

describe('A sequence of one machine', () => {
  it('makes the change within reach that a full recount finds cheapest', () => {
    const draws = fc.record({
      problem: problems(14),
      ranks: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 14, maxLength: 14 }),
      changes: fc.array(
        fc.record({
          at: fc.nat(),
          length: fc.integer({ min: 0, max: 6 }),
          reach: fc.integer({ min: 1, max: 14 }),
          mostSetup: fc.constantFrom(Number.POSITIVE_INFINITY, 0, 10),
        }),
        { minLength: 1, maxLength: 12 },
      ),
    });
    fc.assert(
      fc.property(draws, ({ problem, ranks, changes }) => {
        const n = problem.times.length;
        const sequence = new Sequence(problem);
        sequence.take(Array.from({ length: n }, (_, job) => job).sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0)));
        for (const { at, length, reach, mostSetup } of changes) {
          const low = at % n;
          const end = Math.min(n, low + length);
          const order = Array.from(sequence.jobs);
          const before = measure(problem, order);
          const others: number[][] = [];
          if (length === 0) {
            // Neighbours are exchanged as a stretch of one.
            for (let j = low + 2; j < n && j <= low + reach; j++) others.push(swapped(order, low, j));
          } else {
            for (let to = low - reach; to <= low + reach; to++) {
              if (to >= 0 && to !== low && to + end - low <= n) others.push(moved(order, low, end, to));
            }
          }
          const allowed = others
            .map((other) => measure(problem, other))
            .filter((other) => other.setup - before.setup <= mostSetup);
          const cheapest = Math.min(before.cost, ...allowed.map((other) => other.cost));
          const gained =
            length === 0 ? sequence.swapLater(low, reach, mostSetup) : sequence.moveStretch(low, end, reach, mostSetup);
          const after = measure(problem, sequence.jobs);
          assert.equal(gained, cheapest < before.cost);
          assert.equal(after.cost, cheapest);
          assert.equal(sequence.cost, after.cost);
          if (gained) assert.equal(sequence.setupAdded, after.setup - before.setup);
          assert.equal(new Set(sequence.jobs).size, n);
        }
      }),
      { numRuns: 2000, seed: 20261126 },
    );
  });
});

describe('The least tardiness', () => {
  it('is that of the best order if all orders can be enumerated', () => {
    fc.assert(
      fc.property(problems(6), (problem) => {
        const all = permutations(problem.times.map((_, job) => job));
        const { order, cost } = leastTardiness(problem, { seed: 3, rounds: 400 });
        assert.equal(cost, Math.min(...all.map((one) => measure(problem, one).cost)));
        assert.equal(cost, measure(problem, order).cost);
        assert.equal(new Set(order).size, problem.times.length);
      }),
      { numRuns: 60, seed: 20261126 },
    );
  });

  it('is found by the same order for the same seed and rounds', () => {
    fc.assert(
      fc.property(problems(30), fc.integer(), (problem, seed) => {
        const found = (): unknown => leastTardiness(problem, { seed, rounds: 40 });
        assert.deepEqual(found(), found());
      }),
      { numRuns: 10, seed: 20261126 },
    );
  });
});
