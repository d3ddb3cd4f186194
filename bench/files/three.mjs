// One process: the cost of reading an STL with three's STLLoader, with box and volume from its positions.
import { readFileSync } from 'node:fs';
import { STLLoader } from 'three/examples/jsm/loaders/STLLoader.js';

const file = readFileSync(process.argv[2] ?? '');
const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
const positions = new STLLoader().parse(buffer).attributes.position.array;
const min = [Infinity, Infinity, Infinity];
const max = [-Infinity, -Infinity, -Infinity];
let volume = 0;
for (let i = 0; i < positions.length; i += 9) {
  for (let k = 0; k < 9; k++) {
    const value = positions[i + k];
    if (value < min[k % 3]) min[k % 3] = value;
    if (value > max[k % 3]) max[k % 3] = value;
  }
  const [ax, ay, az, bx, by, bz, cx, cy, cz] = positions.subarray(i, i + 9);
  volume += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
}
console.log(
  JSON.stringify({
    triangles: positions.length / 9,
    volumeMm3: volume / 6,
    rss: process.resourceUsage().maxRSS / 1024,
  }),
);
