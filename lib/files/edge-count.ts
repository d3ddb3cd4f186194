const bucketCount = 256;
const firstKeys = 16;

/**
 * Counts how many triangles meet at each edge, exactly, for meshes of bounded size: 8 bytes an entry. Edges are strewn
 * over buckets while they come in, so that each bucket is counted in a table that fits a processor's cache.
 */
export class EdgeCount {
  private readonly buckets: Int32Array[];
  private readonly used = new Int32Array(bucketCount);

  /** @param triangles how many are expected; more may come */
  constructor(triangles = 0) {
    const keys = firstKeys + Math.ceil(((3 * triangles) / bucketCount) * 1.05);
    this.buckets = Array.from({ length: bucketCount }, () => new Int32Array(2 * keys));
  }

  /** Takes an edge between two vertices, by their hashes; `mixed` is a hash of both that is the same in both directions. */
  add(from: number, to: number, mixed: number): void {
    if (from === to) return;
    const index = mixed >>> 24;
    let bucket = this.buckets[index] as Int32Array;
    const at = this.used[index] as number;
    if (at === bucket.length) {
      const larger = new Int32Array(bucket.length + (bucket.length >> 2) * 2);
      larger.set(bucket);
      this.buckets[index] = larger;
      bucket = larger;
    }
    bucket[at] = Math.min(from, to);
    bucket[at + 1] = Math.max(from, to);
    this.used[index] = at + 2;
  }

  /** Whether every edge belongs to exactly two triangles. */
  get allPaired(): boolean {
    let size = 16;
    while (size < Math.max(...this.used)) size *= 2; // `used` counts two numbers an entry: at most half full
    const table = new Int32Array(2 * size);
    const counts = new Uint8Array(size);
    return this.buckets.every((bucket, index) => onlyPairs(bucket, this.used[index] as number, table, counts.fill(0)));
  }
}

function onlyPairs(keys: Int32Array, used: number, table: Int32Array, counts: Uint8Array): boolean {
  const mask = counts.length - 1;
  for (let i = 0; i < used; i += 2) {
    const first = keys[i] as number;
    const second = keys[i + 1] as number;
    let slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca77)) & mask;
    while (counts[slot] !== 0 && (table[2 * slot] !== first || table[2 * slot + 1] !== second)) {
      slot = (slot + 1) & mask;
    }
    table[2 * slot] = first;
    table[2 * slot + 1] = second;
    const count = (counts[slot] as number) + 1;
    if (count > 2) return false;
    counts[slot] = count;
  }
  return !counts.includes(1);
}
