/** More would speed up the search but slow down the distribution. */
const bucketBits = 7;
const bucketCount = 2 ** bucketBits;

/** Determines whether any edge of a closed mesh occurs twice. An edge is identified by two hashes, 64 bits: of a
 * million triangles two edges are mistaken for one by chance once in seven million times.
 *
 * The edges are distributed over buckets as they arrive, so that each bucket can be searched in a table that fits a
 * processor's cache. The unused part of a bucket occupies only address space, not memory.
 */
export class EdgeCount {
  /** Two numbers per edge, bucket after bucket. */
  private readonly hashes: Int32Array;
  private readonly bucketLength: number;
  /** The position of the next edge of each bucket. */
  private readonly ends: Int32Array;
  private overflown = false;

  /** @param triangles the maximum number; a closed mesh has 1.5 times as many edges */
  constructor(triangles: number) {
    const mean = (1.5 * triangles) / bucketCount;
    // Hashes fill a bucket by eight standard deviations more than the mean only if many of them are equal.
    this.bucketLength = 2 * Math.ceil(mean + 8 * Math.sqrt(mean) + 8);
    // It is not shared between threads, but V8 would start a garbage collection for an ordinary buffer of this size.
    this.hashes = new Int32Array(new SharedArrayBuffer(4 * bucketCount * this.bucketLength));
    this.ends = Int32Array.from({ length: bucketCount }, (_, bucket) => bucket * this.bucketLength);
  }

  /** @param edges two hashes for each of `count` edges, well mixed in their upper bits */
  add(edges: Int32Array, count: number): void {
    const { hashes, ends, bucketLength } = this;
    for (let i = 0; i < 2 * count; i += 2) {
      const hash = edges[i] as number;
      const bucket = hash >>> (32 - bucketBits);
      const end = ends[bucket] as number;
      if (end === (bucket + 1) * bucketLength) {
        this.overflown = true;
        return;
      }
      hashes[end] = hash;
      hashes[end + 1] = edges[i + 1] as number;
      ends[bucket] = end + 2;
    }
  }

  /** Whether no edge occurred twice. False also for more edges than the triangles of a closed mesh have. */
  get allSingle(): boolean {
    if (this.overflown) return false;
    let slots = 2;
    while (slots < this.bucketLength) slots *= 2; // at most half of them are used
    const table = new Uint16Array(slots);
    for (const [bucket, end] of this.ends.entries()) {
      if (!allDiffer(this.hashes.subarray(bucket * this.bucketLength, end), table.fill(0))) return false;
    }
    return true;
  }
}

/** @param table empty; stores for each edge its position in the bucket, counted from one */
function allDiffer(edges: Int32Array, table: Uint16Array): boolean {
  const mask = table.length - 1;
  const shift = Math.clz32(mask);
  for (let i = 0, place = 1; i < edges.length; i += 2, place++) {
    const first = edges[i];
    const second = edges[i + 1] as number;
    let slot = second >>> shift;
    for (let other = table[slot] as number; other !== 0; other = table[slot] as number) {
      if (edges[2 * other - 2] === first && edges[2 * other - 1] === second) return false;
      slot = (slot + 1) & mask;
    }
    table[slot] = place;
  }
  return true;
}
