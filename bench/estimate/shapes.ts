import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BoxAt, facesOf } from '../../test/support/models';

type Corner = [number, number, number];
type Triangle = Corner[];

/** A body of revolution about a vertical axis through (x, y): its outline as (radius, height), counter-clockwise, closed. */
function revolved(outline: [radius: number, height: number][], steps: number, x = 0, y = 0): Triangle[] {
  const at = (radius: number, height: number, step: number): Corner => {
    const angle = (2 * Math.PI * (step % steps)) / steps;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle), height];
  };
  const triangles: Triangle[] = [];
  for (const [index, [r0, z0]] of outline.entries()) {
    const [r1, z1] = outline[(index + 1) % outline.length] as [number, number];
    for (let step = 0; step < steps; step++) {
      if (r0 > 0) triangles.push([at(r0, z0, step), at(r0, z0, step + 1), at(r1, z1, step + 1)]);
      if (r1 > 0) triangles.push([at(r0, z0, step), at(r1, z1, step + 1), at(r1, z1, step)]);
    }
  }
  return triangles;
}

const circle = (centre: number, radius: number, steps: number): [number, number][] =>
  Array.from({ length: steps }, (_, step) => {
    const angle = (2 * Math.PI * step) / steps;
    return [centre + radius * Math.cos(angle), radius + radius * Math.sin(angle)];
  });

const sphere = (radius: number, steps: number): [number, number][] =>
  Array.from({ length: steps + 1 }, (_, step) => {
    const angle = (Math.PI * step) / steps - Math.PI / 2;
    return [step % steps === 0 ? 0 : radius * Math.cos(angle), radius + radius * Math.sin(angle)];
  });

const cylinder = (radius: number, height: number): [number, number][] => [
  [0, 0],
  [radius, 0],
  [radius, height],
  [0, height],
];

/** The outline of a wall that is thinner at its top, as (radius, height). */
const taperedWall = (radius: number): [number, number][] => [
  [radius - 4, 0],
  [radius, 0],
  [radius, 24],
  [radius - 0.8, 24],
];

const boxes = (...all: BoxAt[]): Triangle[] => all.flatMap(facesOf);

/** A wedge that rises from zero along x. */
function wedge(x: number, y: number, z: number): Triangle[] {
  const [a, b, c, d]: Corner[] = [
    [0, 0, 0],
    [x, 0, 0],
    [x, y, 0],
    [0, y, 0],
  ] as const as [Corner, Corner, Corner, Corner];
  const [e, f]: Corner[] = [
    [x, 0, z],
    [x, y, z],
  ] as const as [Corner, Corner];
  if (!a || !b || !c || !d || !e || !f) return [];
  return [
    [a, c, b],
    [a, d, c],
    [a, b, e],
    [d, f, c],
    [b, c, f],
    [b, f, e],
    [a, e, f],
    [a, f, d],
  ];
}

/** Shapes of commonly printed kinds, for fitting constants in addition to the models of the fitting half. */
const shapes: Record<string, () => Triangle[]> = {
  sphere: () => revolved(sphere(14, 40), 80),
  'ring-lying': () => revolved(circle(9, 2.5, 40), 90),
  tube: () =>
    revolved(
      [
        [17, 0],
        [19, 0],
        [19, 30],
        [17, 30],
      ],
      100,
    ),
  'tube-thin': () =>
    revolved(
      [
        [9, 0],
        [10, 0],
        [10, 20],
        [9, 20],
      ],
      60,
    ),
  cups: () =>
    [0, 30, 60].flatMap((x) =>
      revolved(
        [
          [0, 0],
          [8, 0],
          [12, 25],
          [10, 25],
          [6.5, 2],
          [0, 2],
        ],
        60,
        x,
      ),
    ),
  // Walls between one and many lines thick, round and with corners.
  'tube-tapered': () => revolved(taperedWall(18), 80),
  'tube-square': () => revolved(taperedWall(20), 4),
  'tube-hexagonal': () =>
    revolved(
      [
        [12, 0],
        [14.4, 0],
        [14.4, 18],
        [12, 18],
      ],
      6,
    ),
  fins: () =>
    boxes(...[0.9, 1.3, 1.7, 2.1, 2.7, 3.4].map((x, at): BoxAt => ({ at: [8 * at, 0, 0], edges: [x, 25, 12] }))),
  bowl: () =>
    revolved(
      [
        [0, 0],
        [10, 0],
        [28, 14],
        [26, 14],
        [9.5, 2],
        [0, 2],
      ],
      90,
    ),
  cone: () =>
    revolved(
      [
        [0, 0],
        [16, 0],
        [3, 24],
        [0, 24],
      ],
      64,
    ),
  dome: () =>
    revolved(
      [
        ...sphere(25, 60)
          .slice(30)
          .map(([r, z]): [number, number] => [r, z - 25]),
        [0, 0],
      ],
      100,
    ),
  pins: () => [
    ...boxes({ at: [-4, -4, 0], edges: [38, 28, 3] }),
    ...[0, 15, 30].flatMap((x) =>
      [0, 20].flatMap((y) =>
        revolved(
          cylinder(2.5, 14).map(([r, z]) => [r, z + 3]),
          32,
          x,
          y,
        ),
      ),
    ),
  ],
  'cylinders-apart': () => [0, 22].flatMap((x) => [0, 22, 44].flatMap((y) => revolved(cylinder(7, 16), 48, x, y))),
  plate: () => boxes({ edges: [70, 45, 2] }),
  block: () => boxes({ edges: [60, 40, 25] }),
  'block-small': () => boxes({ edges: [8, 6, 5] }),
  'block-tiny': () => boxes({ edges: [4, 2, 2] }),
  steps: () =>
    boxes({ edges: [40, 30, 5] }, { at: [5, 5, 5], edges: [30, 20, 5] }, { at: [10, 10, 10], edges: [20, 10, 5] }),
  table: () =>
    boxes({ edges: [6, 6, 15] }, { at: [14, 0, 0], edges: [6, 6, 15] }, { at: [0, 0, 15], edges: [20, 6, 3] }),
  wedge: () => wedge(50, 20, 14),
  frame: () =>
    boxes(
      { edges: [60, 4, 8] },
      { at: [0, 46, 0], edges: [60, 4, 8] },
      { at: [0, 4, 0], edges: [4, 42, 8] },
      { at: [56, 4, 0], edges: [4, 42, 8] },
    ),
};

/** Writes the shapes as STL into a folder, which is created. */
export function writeShapes(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, make] of Object.entries(shapes)) {
    const triangles = make();
    const bytes = Buffer.alloc(84 + 50 * triangles.length);
    bytes.writeUInt32LE(triangles.length, 80);
    triangles.forEach((triangle, index) => {
      triangle.forEach((corner, at) => {
        corner.forEach((value, axis) => {
          bytes.writeFloatLE(value, 84 + 50 * index + 12 + 12 * at + 4 * axis);
        });
      });
    });
    writeFileSync(join(directory, `shape-${name}.stl`), bytes);
  }
}
