import { strict as assert } from 'node:assert';
import { GcodeEstimator, heatUpSeconds } from '../../lib/simulators/gcode-duration';

function estimate(...lines: string[]) {
  const estimator = new GcodeEstimator();
  for (const line of lines) estimator.line(line);
  return estimator.finish(0);
}

describe('G-code duration of the simulators', () => {
  it('uses the distance at speed and the ramps at both ends', () => {
    // 500 mm at 100 mm/s with 5000 mm/s²: 5 s, and v/a = 0.02 s for the two ramps together.
    assert.ok(Math.abs(estimate('G1 X500 F6000').seconds - 5.02) < 1e-6);
  });

  it('does not brake on a straight line, but does at a corner', () => {
    const straight = estimate('M204 S1000', 'G1 X500 F6000', 'G1 X1000').seconds;
    const corner = estimate('M204 S1000', 'G1 X500 F6000', 'G1 Y500').seconds;
    assert.ok(Math.abs(straight - 10.1) < 1e-6, String(straight));
    assert.ok(Math.abs(corner - 10.2) < 1e-6, String(corner));
  });

  it('honours dwells in seconds and milliseconds, relative moves and the last feed rate', () => {
    assert.equal(estimate('G4 S7', 'G4 P500').seconds, 7.5);
    const there = estimate('G91', 'G1 X250 F6000', 'G1 X250');
    assert.ok(Math.abs(there.seconds - 5.02) < 1e-6);
  });

  it('counts lines, layers, filament and the highest temperatures', () => {
    const facts = estimate('; c', 'M140 S60', 'M109 S215', 'M83', 'G1 Z0.2', 'G1 X9 E1', 'G1 Z0.4', 'G1 X0 E1', '');
    assert.equal(facts.lines, 9);
    assert.equal(facts.layers, 2);
    assert.equal(facts.filamentMillimetres, 2);
    assert.equal(facts.nozzleTarget, 215);
    assert.equal(facts.bedTarget, 60);
    assert.ok(heatUpSeconds(facts) > 60);
  });

  it('tolerates invalid input', () => {
    assert.equal(estimate('G1 X nonsense', 'G4', 'G2 X').seconds, 1);
    assert.equal(estimate('G4 S999999999').seconds, 30 * 24 * 3600);
    assert.ok(Number.isFinite(estimate('G1 X1e300 F0.0001').seconds));
  });
});
