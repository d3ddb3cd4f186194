import assert from 'node:assert/strict';
import { judge } from '../../bench/soak/judge';
import { growthOf, type Point, slopeOf } from '../../bench/soak/slopes';
import { Random } from './random';

/** Fifty minutes of samples, one every 10 s. */
function series(value: (hours: number, index: number) => number): Point[] {
  return Array.from({ length: 301 }, (_, index) => ({ at: index / 360, value: value(index / 360, index) }));
}

/** The number of series out of 100 that are called flat. */
function flatOf(value: (hours: number, index: number, random: Random) => number): number {
  let flat = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    if (slopeOf(series((hours, index) => value(hours, index, random))).flat) flat++;
  }
  return flat;
}

const noise = (random: Random): number => random.between(-1, 1);

describe('The slopes of the soak run', () => {
  it('finds the slope of a line, per hour', () => {
    const { slope_per_hour, low, high, flat } = slopeOf(series((hours) => 7 + 3 * hours));
    for (const bound of [slope_per_hour, low, high]) assert.ok(Math.abs(bound - 3) < 1e-9);
    assert.equal(flat, false);
  });

  it('calls a constant series flat', () => {
    assert.deepEqual(slopeOf(series(() => 42)), { slope_per_hour: 0, low: 0, high: 0, flat: true });
  });

  it('calls noise flat nineteen times out of twenty', () => {
    const flat = flatOf((_hours, _index, random) => noise(random));
    assert.ok(flat >= 90 && flat <= 99, `${flat} of 100`);
  });

  it('is not misled by samples that resemble their neighbours', () => {
    // Each sample keeps nine tenths of the previous one: a line through the samples themselves would call most of these sloped.
    let last = 0;
    const flat = flatOf((_hours, index, random) => {
      last = index === 0 ? 0 : 0.9 * last + noise(random);
      return last;
    });
    assert.ok(flat >= 85, `${flat} of 100`);
  });

  it('calls a saw-tooth flat, wherever it begins and ends', () => {
    for (const minutes of [1, 1.7, 3.3]) {
      for (const phase of [0, 0.3, 0.8]) {
        const { flat } = slopeOf(series((hours) => 500 * (((hours * 60) / minutes + phase) % 1)));
        assert.equal(flat, true, `${minutes} min from ${phase}`);
      }
    }
  });

  it('detects a leak below a saw-tooth', () => {
    const { low, high, flat } = slopeOf(series((hours) => 40 * ((hours * 60) % 1) + 100 * hours));
    assert.equal(flat, false);
    assert.ok(low > 80 && high < 120, `${low} to ${high}`);
  });

  it('returns no verdict for a series that is too short', () => {
    assert.throws(() => slopeOf(series(() => 1).slice(0, 2)), RangeError);
  });
});

describe('The growth per ended job', () => {
  const grown = (value: (ended: number) => number) =>
    growthOf(series(() => 0).map(({ at }, index) => ({ at, ended: 3 * index, value: value(3 * index) })));

  it('is constant for a history that grows by whole pages', () => {
    const { per_job, flat } = grown((ended) => 8192 * Math.floor((ended * 5000) / 8192));
    assert.ok(Math.abs(per_job - 5000) < 50);
    assert.equal(flat, true);
  });

  it('is not constant if a late job costs more than an early one', () => {
    const { low, flat } = grown((ended) => 5000 * ended + 3 * ended ** 2);
    assert.equal(flat, false);
    assert.ok(low > 0);
  });
});

describe('The judgement of a soak run', () => {
  it('judges a figure that was not always sampled by the samples that have it', () => {
    const samples = series(() => 0).map(({ at }, index) => ({
      at,
      kept: { ended: index, failed: 0, table_bytes: 9000 * index, file_bytes: 0 },
      figures: { heap_mb: 80 + 5 * at, ...(index % 3 === 0 && { rabbitmq_channels: 44 }) },
    }));
    const { ended, figures } = judge(samples);
    assert.equal(ended, 300);
    assert.deepEqual([figures['rabbitmq_channels']?.mean, figures['rabbitmq_channels']?.flat], [44, true]);
    assert.equal(figures['heap_mb']?.flat, false);
    assert.ok(Math.abs((figures['table_bytes_per_ended_job']?.mean ?? 0) - 9000) < 1);
    assert.equal(figures['file_bytes_per_ended_job']?.flat, true);
  });
});
