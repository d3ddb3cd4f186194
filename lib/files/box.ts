import type { Bounds } from './bounds';

/** The box around all points added to it. */
export class Box {
  readonly min = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  readonly max = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];

  add(x: number, y: number, z: number): void {
    const { min, max } = this;
    if (x < (min[0] as number)) min[0] = x;
    if (x > (max[0] as number)) max[0] = x;
    if (y < (min[1] as number)) min[1] = y;
    if (y > (max[1] as number)) max[1] = y;
    if (z < (min[2] as number)) min[2] = z;
    if (z > (max[2] as number)) max[2] = z;
  }

  get empty(): boolean {
    return (this.min[0] as number) > (this.max[0] as number);
  }

  get bounds(): Bounds {
    if (this.empty) return { min: { x: 0, y: 0, z: 0 }, max: { x: 0, y: 0, z: 0 } };
    const corner = (values: number[]) => ({ x: values[0] ?? 0, y: values[1] ?? 0, z: values[2] ?? 0 });
    return { min: corner(this.min), max: corner(this.max) };
  }
}
