import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { analyseFile, placeModel } from '../../lib/files/analyse-file';
import { slicedFacts } from '../../lib/files/facts';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { checkPrint } from '../../lib/slicing/check-print';
import { resolveSettings } from '../../lib/slicing/defaults';
import { placeOnBed } from '../../lib/slicing/placement';
import { fixture } from '../../test/fixtures';
import { artisan, pla } from '../../test/slicing/machines';
import { writeBoxes } from '../../test/support/models';

/**
 * Slices some models with the built-in slicer and draws the extruded lines for visual inspection.
 * usage: npm run bench:preview -- FOLDER [MODEL…]
 */
const size = 900;

/** A wall bracket: two plates with a stepped rib between them. */
function bracket(directory: string): string {
  return writeBoxes(join(directory, 'bracket.stl'), [
    { edges: [40, 30, 4] },
    { at: [0, 0, 0], edges: [4, 30, 35] },
    { at: [3, 13, 3], edges: [12, 4, 12] },
    { at: [3, 13, 3], edges: [6, 4, 22] },
  ]);
}

interface Line {
  from: [number, number, number];
  to: [number, number, number];
  kind: string;
}

function linesOf(gcode: string): Line[] {
  const lines: Line[] = [];
  let at: [number, number, number] = [0, 0, 0];
  let kind = '';
  for (const text of gcode.split('\n')) {
    if (text.startsWith(';TYPE:')) kind = text.slice(6);
    if (!/^G[01] /.test(text)) continue;
    const word = (letter: string) => {
      const found = new RegExp(`${letter}(-?[\\d.]+)`).exec(text)?.[1];
      return found === undefined ? undefined : Number(found);
    };
    const to: [number, number, number] = [word('X') ?? at[0], word('Y') ?? at[1], word('Z') ?? at[2]];
    if ((word('E') ?? 0) > 0 && (to[0] !== at[0] || to[1] !== at[1])) lines.push({ from: at, to, kind });
    at = to;
  }
  return lines;
}

const colours: Record<string, [number, number, number]> = {
  'External perimeter': [240, 150, 60],
  Perimeter: [250, 210, 90],
  'Solid infill': [190, 80, 200],
  'Internal infill': [160, 50, 50],
  Skirt: [120, 200, 120],
};

function draw(all: Line[], view: 'above' | 'whole'): Buffer {
  const lines = all.filter(({ kind }) => kind !== 'Skirt');
  const top = Math.max(...lines.map(({ to }) => to[2]));
  const shown = view === 'whole' ? lines : lines.filter(({ to }) => to[2] <= top / 2);
  const turn = -0.6;
  const tilt = 0.6;
  const project = ([x, y, z]: [number, number, number]): [number, number, number] => {
    const across = x * Math.cos(turn) - y * Math.sin(turn);
    const away = x * Math.sin(turn) + y * Math.cos(turn);
    return [across, z * Math.cos(tilt) + away * Math.sin(tilt), z * Math.sin(tilt) - away * Math.cos(tilt)];
  };
  const ends = shown.flatMap(({ from, to }) => [project(from), project(to)]);
  const low = [0, 1].map((axis) =>
    ends.reduce((least, end) => Math.min(least, end[axis] ?? 0), Number.POSITIVE_INFINITY),
  );
  const high = [0, 1].map((axis) =>
    ends.reduce((most, end) => Math.max(most, end[axis] ?? 0), Number.NEGATIVE_INFINITY),
  );
  const scale = (size * 0.92) / Math.max((high[0] ?? 0) - (low[0] ?? 0), (high[1] ?? 0) - (low[1] ?? 0));
  const png = new PNG({ width: size, height: size });
  png.data.fill(255);
  const depth = new Float32Array(size * size).fill(Number.NEGATIVE_INFINITY);
  const radius = Math.max(0.6, 0.11 * scale);
  for (const { from, to, kind } of shown) {
    const a = project(from);
    const b = project(to);
    const steps = Math.max(1, Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) * scale));
    const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
    const shade = 0.65 + 0.35 * Math.abs(Math.sin(angle + 0.5));
    const colour = colours[kind] ?? [80, 80, 80];
    for (let step = 0; step <= steps; step++) {
      const share = step / steps;
      const column = size * 0.04 + (a[0] + (b[0] - a[0]) * share - (low[0] ?? 0)) * scale;
      const row = size * 0.96 - (a[1] + (b[1] - a[1]) * share - (low[1] ?? 0)) * scale;
      const near = a[2] + (b[2] - a[2]) * share;
      for (let y = Math.floor(row - radius); y <= row + radius; y++) {
        for (let x = Math.floor(column - radius); x <= column + radius; x++) {
          if (x < 0 || y < 0 || x >= size || y >= size || near <= (depth[y * size + x] ?? 0)) continue;
          depth[y * size + x] = near;
          const edge = Math.abs(y - row) > radius * 0.6 ? 0.75 : 1;
          png.data.set([...colour.map((value) => value * shade * edge), 255], 4 * (y * size + x));
        }
      }
    }
  }
  return PNG.sync.write(png);
}

async function main(): Promise<void> {
  const [folder = 'previews', ...named] = process.argv.slice(2);
  mkdirSync(folder, { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'platewise-preview-'));
  const models =
    named.length > 0
      ? named
      : [fixture('models', '20mm-xyz-cube.stl'), fixture('models', '3DBenchy.3mf'), bracket(directory)];
  try {
    for (const [index, source] of models.entries()) {
      const name = source.replace(/^.*[\\/]/, '').replace(/\.\w+$/, '');
      const { bounds } = await analyseFile(source);
      const placement = placeOnBed(bounds, artisan);
      const modelPath = join(directory, `${index}.stl`);
      const outputPath = join(directory, `${index}.gcode`);
      await placeModel(source, modelPath, placement);
      const settings = resolveSettings(artisan, pla, {});
      const { warnings } = await new BuiltInSlicer().slice(
        { modelPath, outputPath, machine: artisan, material: pla, settings, quality: 'standard', bounds, skirt: true },
        { signal: new AbortController().signal, progress: () => {} },
      );
      const { print } = await analyseFile(outputPath);
      if (!print) throw new Error('There is no G-code.');
      const facts = slicedFacts(print);
      const demands = { facts: { sliced: facts, volumes: [] }, material: pla, acceptUnknownMachine: true };
      checkPrint(facts, artisan, demands, 'sliced here', 'gcode');
      const lines = linesOf(readFileSync(outputPath, 'utf8'));
      for (const view of ['whole', 'above'] as const)
        writeFileSync(join(folder, `${name}-${view}.png`), draw(lines, view));
      console.log(
        `${name}: ${print.layers} layers, ${(print.filamentMm / 1000).toFixed(2)} m, inside. ${warnings.join(' ')}`,
      );
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

void main();
