import assert from 'node:assert/strict';
import { PNG } from 'pngjs';
import { colPic } from '../../lib/files/colpic';
import { readColPic } from '../support/colpic';

describe("A picture for Elegoo's screens", () => {
  it('keeps long and short runs of one colour, and turns transparent pixels black', () => {
    const picture = new PNG({ width: 100, height: 8 });
    for (let at = 0; at < 800; at++) {
      const [red, opacity] = at < 500 ? [255, 255] : at % 3 === 0 ? [128, 255] : [255, 0];
      picture.data.set([red, 0, 0, opacity], 4 * at);
    }
    const { width, height, points } = readColPic(colPic(PNG.sync.write(picture)));
    assert.deepEqual([width, height], [100, 8]);
    const expected = points.map((_, at) => (at < 500 ? 31 << 11 : at % 3 === 0 ? 16 << 11 : 0));
    assert.deepEqual(points, expected);
  });

  it('has at most 1,024 colours, and replaces any other by the most similar one', () => {
    const picture = new PNG({ width: 64, height: 64 });
    for (let at = 0; at < 4096; at++) picture.data.set([(at >> 7) << 3, (at & 63) << 2, (at >> 3) & 255, 255], 4 * at);
    const { points } = readColPic(colPic(PNG.sync.write(picture)));
    const palette = [...new Set(points)];
    assert.ok(palette.length <= 1024);
    const distance = (one: number, red: number, green: number, blue: number): number =>
      Math.abs((one >> 11) - red) + Math.abs(((one >> 5) & 63) - green) + Math.abs((one & 31) - blue);
    for (let at = 0; at < 4096; at += 17) {
      const channels = [at >> 7, at & 63, (at >> 6) & 31] as const;
      const least = Math.min(...palette.map((one) => distance(one, ...channels)));
      assert.equal(distance(points[at] ?? 0, ...channels), least, `point ${at}`);
    }
  });
});
