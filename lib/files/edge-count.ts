const fewestEdges = 1024;
/** So many bits for each edge that is expected: one in sixteen finds its bit taken by another. */
const bitsPerEdge = 8;
const mostBits = 2 ** 24;

/**
 * Finds out whether any edge is met twice in the same direction, for meshes of bounded size: 12 bytes a triangle. Of
 * a million triangles two edges are taken for one by chance once in ten million times.
 * Of each edge only the direction from the smaller to the larger vertex is kept: in a closed mesh the other one is met as
 * often. While edges come in, a bit of a small table is set for each; only edges whose bit was met twice are compared, at the
 * end.
 */
export class EdgeCount {
  private keys: Int32Array;
  private used = 0;
  private readonly met: Int32Array;
  private readonly metTwice: Int32Array;
  /** Brings a hash down to the number of a bit. */
  private readonly shift: number;
  private doubtful = 0;

  /** @param triangles how many are expected; more may come */
  constructor(triangles = 250_000) {
    const edges = Math.max(fewestEdges, Math.ceil(1.5 * triangles));
    const bits = Math.min(mostBits, 2 ** Math.ceil(Math.log2(bitsPerEdge * edges)));
    this.shift = 32 - Math.log2(bits);
    this.met = new Int32Array(bits / 32);
    this.metTwice = new Int32Array(bits / 32);
    this.keys = new Int32Array(2 * edges);
  }

  /** Takes an edge from one vertex to another, by their hashes and by a hash of the other that is independent of both. */
  add(from: number, to: number, other: number): void {
    if (from >= to) return;
    if (this.used === this.keys.length) this.grow();
    this.keys[this.used++] = from;
    this.keys[this.used++] = other;
    const bit = bitOf(from, other, this.shift);
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    if (((this.met[word] as number) & mask) === 0) {
      this.met[word] = (this.met[word] as number) | mask;
    } else {
      this.metTwice[word] = (this.metTwice[word] as number) | mask;
      this.doubtful++;
    }
  }

  /** Whether no edge was met twice in the same direction. */
  get allSingle(): boolean {
    // Of those that share a bit the first was not counted as doubtful: at most half of the table is taken.
    let size = 16;
    while (size < 4 * this.doubtful) size *= 2;
    const table = new Int32Array(2 * size);
    const taken = new Uint8Array(size);
    const { keys, metTwice, shift, used } = this;
    for (let i = 0; i < used; i += 2) {
      const from = keys[i] as number;
      const other = keys[i + 1] as number;
      const bit = bitOf(from, other, shift);
      if (((metTwice[bit >>> 5] as number) & (1 << (bit & 31))) === 0) continue;
      let slot = (from ^ (other >>> 7)) & (size - 1); // hashes already
      while (taken[slot] !== 0) {
        if (table[2 * slot] === from && table[2 * slot + 1] === other) return false;
        slot = (slot + 1) & (size - 1);
      }
      taken[slot] = 1;
      table[2 * slot] = from;
      table[2 * slot + 1] = other;
    }
    return true;
  }

  private grow(): void {
    const larger = new Int32Array(this.keys.length + (this.keys.length >> 2) * 2);
    larger.set(this.keys);
    this.keys = larger;
  }
}

function bitOf(from: number, other: number, shift: number): number {
  return Math.imul(from ^ Math.imul(other, 0x85ebca77), 0x9e3779b1) >>> shift;
}
