import { MotionEstimator, usualLimits } from '../../lib/files/motion';

/** The lines of one kind: as G-code names it after `;TYPE:`, and `travel`. */
export interface Drawn {
  /** mm of travel along the lines. */
  mm: number;
  /** mm of filament. */
  filamentMm: number;
  moves: number;
  /** The number of lines without a travel in between. */
  runs: number;
  /** Of our own estimator, as if the machine stood still between one kind and the next. */
  seconds: number;
}

/** Sums up G-code by kind of line, so that a bench can show which part of an estimate is wrong. Reads the G-code of our slicers. */
export function drawnByKind(gcode: string): Record<string, Drawn> {
  const kinds: Record<string, Drawn> = {};
  const estimator = new MotionEstimator({ ...usualLimits, maxSpeed: [300, 300, 30, 60] });
  const at: Record<string, number> = { X: 0, Y: 0, Z: 0 };
  let [kind, last, feed, before] = ['other', '', 0, 0];
  const of = (name: string) => {
    kinds[name] ??= { mm: 0, filamentMm: 0, moves: 0, runs: 0, seconds: 0 };
    return kinds[name];
  };
  for (const line of gcode.split('\n')) {
    if (line.startsWith(';TYPE:')) kind = line.slice(6).trim();
    if (!/^G[01] /.test(line)) continue;
    const words = Object.fromEntries(
      [...line.replace(/;.*/, '').matchAll(/([XYZEF])(-?[\d.]+)/g)].map((word) => [word[1], Number(word[2])]),
    );
    feed = words.F === undefined ? feed : words.F / 60;
    const way = ['X', 'Y', 'Z'].map((axis) => (words[axis] ?? at[axis] ?? 0) - (at[axis] ?? 0)) as [
      number,
      number,
      number,
    ];
    for (const axis of ['X', 'Y', 'Z']) at[axis] = words[axis] ?? at[axis] ?? 0;
    const mm = Math.hypot(...way);
    const name = (words.E ?? 0) > 0 && mm > 0 ? kind : mm > 0 ? 'travel' : 'retraction';
    if (name !== last && last !== '') {
      const now = estimator.seconds();
      of(last).seconds += now - before;
      before = now;
    }
    const found = of(name);
    if (name !== last) found.runs++;
    last = name;
    found.mm += mm;
    found.filamentMm += words.E ?? 0;
    found.moves++;
    estimator.move(...way, words.E ?? 0, feed);
  }
  if (last !== '') of(last).seconds += estimator.seconds() - before;
  return kinds;
}
