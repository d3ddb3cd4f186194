import assert from 'node:assert/strict';
import { costOf } from '../../lib/model/cost';
import { changedFor, failureKindOf, parseRetryPolicy } from '../../lib/model/retry-policy';
import { electricityUsd, parseTariff } from '../../lib/model/tariff';

const near = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);

describe('the price of electricity', () => {
  const tariff = parseTariff('0.30; 22:00-06:00 0.10; 17:00-20:00 0.50', 'Europe/Berlin');
  const at = (time: string) => Date.parse(time);

  it('follows the time of day, also across midnight', () => {
    near(electricityUsd(tariff, 1000, at('2026-01-10T12:00:00+01:00'), 2), 0.6);
    near(electricityUsd(tariff, 500, at('2026-01-10T23:30:00+01:00'), 1), 0.05);
    near(electricityUsd(tariff, 1000, at('2026-01-10T16:30:00+01:00'), 1), 0.15 + 0.25);
    near(electricityUsd(tariff, 1000, at('2026-01-10T12:00:00+01:00'), 24), 8 * 0.1 + 3 * 0.5 + 13 * 0.3);
    near(electricityUsd(tariff, 1000, at('2026-01-10T12:00:00+01:00'), 24 * 60), 60 * (8 * 0.1 + 3 * 0.5 + 13 * 0.3));
  });

  it('follows the local clock through a change', () => {
    // In this night the hour from 2 to 3 does not exist: cheap from 22 to 6 is seven hours.
    near(electricityUsd(tariff, 1000, at('2026-03-28T21:00:00+01:00'), 9), 0.3 + 7 * 0.1 + 0.3);
    near(electricityUsd(tariff, 1000, at('2026-10-24T21:00:00+02:00'), 11), 0.3 + 9 * 0.1 + 0.3);
  });

  it('is zero for a machine without watts or a print without hours', () => {
    assert.equal(electricityUsd(tariff, 0, Date.now(), 5), 0);
    assert.equal(electricityUsd(tariff, 100, Date.now(), 0), 0);
  });

  it('is rejected if it cannot be parsed', () => {
    for (const text of ['', 'cheap', '0.3; 22-06 0.1', '0.3; 22:00-25:00 0.1', '-1', '0.3; 22:00-06:00']) {
      assert.throws(() => parseTariff(text), /not understood/, text);
    }
    assert.throws(() => parseTariff('0.3', 'Mars/Olympus'), /Mars/);
  });

  it('is added to the cost of filament and machine', () => {
    const cost = costOf({
      grams: 500,
      material: { usdPerKg: 20 },
      hours: 3,
      printer: { usdPerHour: 1.5, watts: 200 },
      startedAt: at('2026-01-10T12:00:00+01:00'),
      tariff,
    });
    near(cost.filamentUsd, 10);
    near(cost.machineUsd, 4.5);
    near(cost.electricityUsd, 0.18);
    near(cost.totalUsd, 14.68);
  });
});

describe('the retry policy', () => {
  it('accepts its kinds, and rejects others', () => {
    assert.deepEqual([...parseRetryPolicy('adhesion run_out')], ['adhesion', 'run_out']);
    assert.equal(parseRetryPolicy('').size, 0);
    assert.equal(parseRetryPolicy('off').size, 0);
    assert.throws(() => parseRetryPolicy('adhesion, magic'), /"magic"/);
  });

  it("classifies failures by the printers' messages", () => {
    assert.equal(failureKindOf('the print failed: Filament runout detected'), 'run_out');
    assert.equal(failureKindOf('AMS filament ran out'), 'run_out');
    assert.equal(failureKindOf('Possible spaghetti defect'), 'spaghetti');
    assert.equal(failureKindOf('Poor bed adhesion'), 'adhesion');
    assert.equal(failureKindOf('heater extruder not heating at expected rate'), null);
  });

  it('starts from the last try, within limits', () => {
    const policy = parseRetryPolicy('adhesion');
    let settings = {};
    for (let i = 0; i < 10; i++) settings = changedFor('adhesion', policy, settings)?.settings ?? {};
    assert.deepEqual(settings, { first_layer_speed_factor: 0.25, bed_temp_offset: 15 });
    assert.equal(changedFor('spaghetti', policy, {}), null);
    assert.equal(changedFor(null, policy, {}), null);
  });
});
