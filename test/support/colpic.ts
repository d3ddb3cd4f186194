/** Reads a ColPic, written from the description of the format and not from the code that writes it. */
export function readColPic(text: string): { width: number; height: number; points: number[] } {
  const bits = [...text].map((character) => (character === '~' ? 92 : character.charCodeAt(0)) - 48);
  const bytes: number[] = [];
  for (let at = 0; at + 3 < bits.length; at += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = bits.slice(at, at + 4);
    bytes.push((a * 4 + Math.floor(b / 16)) % 256, ((b % 16) * 16 + Math.floor(c / 4)) % 256, (c % 4) * 64 + d);
  }
  const word = (at: number, size: number): number =>
    Array.from({ length: size }, (_, k) => (bytes[at + k] ?? 0) * 256 ** k).reduce((sum, part) => sum + part, 0);
  if (bytes[0] !== 3 || word(12, 4) !== 0x05ddc33c) throw new Error('This is no ColPic.');
  const [width, height, colourBytes, runBytes] = [word(4, 4), word(8, 4), word(16, 4), word(20, 4)];
  const colours = Array.from({ length: colourBytes / 2 }, (_, index) => word(32 + 2 * index, 2));
  const points: number[] = [];
  let block = 0;
  for (let at = 32 + colourBytes; at < 32 + colourBytes + runBytes; at++) {
    const high = Math.floor((bytes[at] ?? 0) / 32);
    const low = (bytes[at] ?? 0) % 32;
    if (high === 7) {
      block = low;
      continue;
    }
    const length = high === 0 ? (bytes[++at] ?? 0) : high;
    for (let k = 0; k < length; k++) points.push(colours[block * 32 + low] ?? -1);
  }
  if (points.length !== width * height) throw new Error(`${points.length} points of ${width} x ${height}`);
  return { width, height, points };
}
