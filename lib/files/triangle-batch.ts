/** Receives the triangles of a model in batches. */
export interface TriangleSink {
  /** Called before the first batch by a reader that knows the number of triangles. */
  expect?(triangles: number): void;
  /**
   * @param coordinates nine numbers per triangle (mm), counter-clockwise seen from outside; reused afterwards: copy
   * values to keep them
   * @param triangles the number of triangles in the batch
   */
  take(coordinates: Float64Array, triangles: number): void;
}

/** Small enough to stay in a processor's cache. */
const batchTriangles = 512;

/** Collects single triangles for a sink. */
export class TriangleBatch {
  private readonly coordinates = new Float64Array(9 * batchTriangles);
  private used = 0;

  constructor(private readonly sink: TriangleSink) {}

  add(
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    cx: number,
    cy: number,
    cz: number,
  ): void {
    const { coordinates } = this;
    let at = this.used;
    coordinates[at++] = ax;
    coordinates[at++] = ay;
    coordinates[at++] = az;
    coordinates[at++] = bx;
    coordinates[at++] = by;
    coordinates[at++] = bz;
    coordinates[at++] = cx;
    coordinates[at++] = cy;
    coordinates[at++] = cz;
    this.used = at;
    if (at === coordinates.length) this.flush();
  }

  /** Flushes the remaining triangles. */
  flush(): void {
    if (this.used > 0) this.sink.take(this.coordinates, this.used / 9);
    this.used = 0;
  }
}
