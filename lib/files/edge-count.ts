const bucketCount = 256;
const firstKeys = 16;

/**
 * Finds out whether any edge is met twice in the same direction, for meshes of bounded size: 12 bytes a triangle. Of a
 * million triangles two edges are taken for one by chance once in ten million times.
 *
 * Of each edge only the direction from the smaller to the larger vertex is kept: in a closed mesh the other one is met as
 * often. Edges are strewn over buckets while they come in, so that each bucket is searched in a table that fits a
 * processor's cache.
 */
export class EdgeCount {
  private readonly buckets: Int32Array[];
  private readonly used = new Int32Array(bucketCount);

  /** @param triangles how many are expected; more may come */
  constructor(triangles = 0) {
    const keys = firstKeys + Math.ceil(((1.5 * triangles) / bucketCount) * 1.05);
    this.buckets = Array.from({ length: bucketCount }, () => new Int32Array(2 * keys));
  }

  /**
   * Takes an edge from one vertex to another of greater hash.
   * @param from the hash of the first
   * @param other a hash of the second that is independent of the first kind
   */
  add(from: number, other: number): void {
    const index = Math.imul(from ^ other, 0x9e3779b1) >>> 24;
    let bucket = this.buckets[index] as Int32Array;
    const at = this.used[index] as number;
    if (at === bucket.length) {
      const larger = new Int32Array(bucket.length + (bucket.length >> 2) * 2);
      larger.set(bucket);
      this.buckets[index] = larger;
      bucket = larger;
    }
    bucket[at] = from;
    bucket[at + 1] = other;
    this.used[index] = at + 2;
  }

  /** Whether no edge was met twice in the same direction. */
  get allSingle(): boolean {
    let size = 16;
    while (size < Math.max(...this.used)) size *= 2; // `used` counts two numbers an edge: at most half full
    const table = new Int32Array(2 * size);
    const taken = new Uint8Array(size);
    return this.buckets.every((bucket, index) => allDiffer(bucket, this.used[index] as number, table, taken.fill(0)));
  }
}

function allDiffer(keys: Int32Array, used: number, table: Int32Array, taken: Uint8Array): boolean {
  const mask = taken.length - 1;
  for (let i = 0; i < used; i += 2) {
    const from = keys[i] as number;
    const other = keys[i + 1] as number;
    let slot = (from ^ (other >>> 7)) & mask; // hashes already
    while (taken[slot] !== 0) {
      if (table[2 * slot] === from && table[2 * slot + 1] === other) return false;
      slot = (slot + 1) & mask;
    }
    taken[slot] = 1;
    table[2 * slot] = from;
    table[2 * slot + 1] = other;
  }
  return true;
}
