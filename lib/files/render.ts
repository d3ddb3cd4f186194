import { writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { dimensionsOf } from './analysis';
import type { Bounds } from './bounds';
import { MeshMeasure } from './mesh-measure';
import type { TriangleSink } from './triangle-batch';
import { forEachTriangle } from './triangles';

/** The view from the front, the right and above: its rotation about Z, and its tilt. */
const turn = -Math.PI / 5;
const tilt = Math.PI / 5;
/** The oversampling factor: pictures are drawn larger and then averaged, so that edges are smooth. */
const oversampling = 2;
const margin = 0.06;
const light = normalised([-0.4, -0.6, 0.7]);
const background = [0, 0, 0, 0] as const;

/**
 * Draws a model as square PNGs, largest to smallest, seen from the front and above, and writes each to its path.
 *
 * @param plate of a project with several
 * @throws UnreadableFileError
 */
export async function renderModel(
  source: string,
  outputs: { path: string; size: number }[],
  plate?: number,
): Promise<void> {
  const largest = Math.max(...outputs.map(({ size }) => size));
  const measure = new MeshMeasure();
  measure.expect(Number.POSITIVE_INFINITY); // only its box is needed
  await forEachTriangle(source, measure, plate);
  const canvas = new ModelCanvas(largest * oversampling, measure.bounds);
  await forEachTriangle(source, canvas, plate);
  for (const { path, size } of outputs) writeFileSync(path, canvas.png(size));
}

/** A picture with a depth per pixel; the nearest triangle is visible. */
class ModelCanvas implements TriangleSink {
  private readonly depth: Float32Array;
  private readonly shade: Uint8Array;
  private readonly scale: number;
  private readonly centre: readonly [number, number, number];

  constructor(
    private readonly size: number,
    { min, max }: Bounds,
  ) {
    this.depth = new Float32Array(size * size).fill(Number.NEGATIVE_INFINITY);
    this.shade = new Uint8Array(size * size);
    const { x, y, z } = dimensionsOf({ min, max });
    this.centre = [(min.x + max.x) / 2, (min.y + max.y) / 2, (min.z + max.z) / 2];
    const width = Math.abs(x * Math.cos(turn)) + Math.abs(y * Math.sin(turn));
    const depth = Math.abs(x * Math.sin(turn)) + Math.abs(y * Math.cos(turn));
    const height = z * Math.cos(tilt) + depth * Math.sin(tilt);
    this.scale = (size * (1 - 2 * margin)) / Math.max(width, height, 1e-9);
  }

  take(coordinates: Float64Array, triangles: number): void {
    for (let i = 0; i < 9 * triangles; i += 9) this.triangle(coordinates, i);
  }

  private triangle(c: Float64Array, i: number): void {
    const a = this.project(c, i);
    const b = this.project(c, i + 3);
    const d = this.project(c, i + 6);
    const area = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0]);
    if (Math.abs(area) < 1e-12) return;
    const shade = shadeOf(c, i);
    const left = Math.max(0, Math.ceil(Math.min(a[0], b[0], d[0]) - 0.5));
    const right = Math.min(this.size - 1, Math.floor(Math.max(a[0], b[0], d[0]) - 0.5));
    const top = Math.max(0, Math.ceil(Math.min(a[1], b[1], d[1]) - 0.5));
    const bottom = Math.min(this.size - 1, Math.floor(Math.max(a[1], b[1], d[1]) - 0.5));
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const x = column + 0.5;
        const y = row + 0.5;
        const shareB = ((x - a[0]) * (d[1] - a[1]) - (y - a[1]) * (d[0] - a[0])) / area;
        const shareD = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area;
        if (shareB < -1e-9 || shareD < -1e-9 || shareB + shareD > 1 + 1e-9) continue;
        const depth = a[2] + shareB * (b[2] - a[2]) + shareD * (d[2] - a[2]);
        const at = row * this.size + column;
        if (depth <= (this.depth[at] ?? 0)) continue;
        this.depth[at] = depth;
        this.shade[at] = shade;
      }
    }
  }

  /** The projection of a vertex: column, row, and depth. */
  private project(c: Float64Array, at: number): [number, number, number] {
    const x = (c[at] ?? 0) - this.centre[0];
    const y = (c[at + 1] ?? 0) - this.centre[1];
    const z = (c[at + 2] ?? 0) - this.centre[2];
    const across = x * Math.cos(turn) - y * Math.sin(turn);
    const away = x * Math.sin(turn) + y * Math.cos(turn);
    const up = z * Math.cos(tilt) + away * Math.sin(tilt);
    const near = z * Math.sin(tilt) - away * Math.cos(tilt);
    return [this.size / 2 + across * this.scale, this.size / 2 - up * this.scale, near];
  }

  png(size: number): Buffer {
    const png = new PNG({ width: size, height: size });
    const step = this.size / size;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        let covered = 0;
        let sum = 0;
        let count = 0;
        for (let y = Math.floor(row * step); y < Math.ceil((row + 1) * step); y++) {
          for (let x = Math.floor(column * step); x < Math.ceil((column + 1) * step); x++) {
            const at = y * this.size + x;
            count++;
            if (this.depth[at] === Number.NEGATIVE_INFINITY) continue;
            covered++;
            sum += this.shade[at] ?? 0;
          }
        }
        const shade = covered === 0 ? 0 : sum / covered;
        const pixel = covered === 0 ? background : [shade * 0.55, shade * 0.75, shade, (255 * covered) / count];
        png.data.set(pixel.map(Math.round), 4 * (row * size + column));
      }
    }
    return PNG.sync.write(png);
  }
}

/** The brightness of a triangle (60 to 255), whichever way it faces. */
function shadeOf(c: Float64Array, i: number): number {
  const edge = (from: number, to: number, axis: number) => (c[i + to + axis] ?? 0) - (c[i + from + axis] ?? 0);
  const [ux, uy, uz] = [edge(0, 3, 0), edge(0, 3, 1), edge(0, 3, 2)];
  const [vx, vy, vz] = [edge(0, 6, 0), edge(0, 6, 1), edge(0, 6, 2)];
  const normal = normalised([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]);
  const facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2];
  return Math.round(60 + 195 * (0.25 + 0.75 * Math.max(facing, 0)));
}

function normalised([x, y, z]: [number, number, number]): [number, number, number] {
  const length = Math.sqrt(x * x + y * y + z * z) || 1;
  return [x / length, y / length, z / length];
}
