import type { Clipper2 } from './clipper';
import type { SlicingSettings } from './defaults';
import { skirt } from './defaults';
import { fillSparsely, fillWithLines, type Stroke } from './infill';
import { middleOfLayer, type Paths64, perMm } from './layers';
import { refuseUnsupported } from './overhangs';

/** Everything that is drawn in one layer, in micrometres. */
export interface LayerPaths {
  skirt: Paths64;
  /** From the outermost to the innermost. */
  brim: Paths64;
  /** From the innermost to the outermost. */
  walls: Paths64[];
  solid: Stroke[][];
  sparse: Stroke[][];
}

/** Observations from planning all layers. */
export interface Findings {
  /** Layers with more than a line's width over air. */
  overhanging: number;
  /** Layers with parts too thin for a line. */
  tooThin: number;
}

/** Rounding of contours that no nozzle can show, µm. */
const simplification = 8;
/** The area over air above which a warning is given, mm². */
const notableOverhang = 4;

/**
 * A line of width w and height h has the cross-section h·(w − h(1 − π/4)); lines side by side overlap so that this
 * section is h·spacing.
 */
export function lineSpacing({ lineWidth }: Pick<SlicingSettings, 'lineWidth'>, layerHeight: number): number {
  return lineWidth - layerHeight * (1 - Math.PI / 4);
}

/** Plans walls, solid skins and sparse infill for all layers, one after the other. */
export function* planLayers(
  clipper: Clipper2,
  contours: Paths64[],
  settings: SlicingSettings,
  withSkirt: boolean,
  findings: Findings,
): Generator<LayerPaths> {
  const { FillRule, JoinType, EndType } = clipper;
  const width = settings.lineWidth * perMm;
  const grow = (paths: Paths64, by: number) =>
    paths.length === 0 ? paths : clipper.inflatePaths(paths, by, JoinType.Miter, EndType.Polygon, 2);
  const cut = (a: Paths64, b: Paths64) =>
    a.length === 0 || b.length === 0 ? [] : clipper.intersect(a, b, FillRule.NonZero);
  const without = (a: Paths64, b: Paths64) =>
    a.length === 0 || b.length === 0 ? a : clipper.difference(a, b, FillRule.NonZero);

  const regions = mapRuns(contours, (paths) =>
    clipper.simplifyPaths(clipper.union(paths, FillRule.NonZero), simplification, true),
  );
  const shellsOf = (spacing: number) => (region: Paths64) => {
    const walls: Paths64[] = [];
    // a line's edge is round: half a spacing from the contour it fills as much as a line with square edges would
    for (let wall = settings.walls - 1; wall >= 0; wall--) walls.push(grow(region, -(wall + 0.5) * spacing));
    return { walls, inner: grow(region, -settings.walls * spacing) };
  };
  const firstSpacing = lineSpacing(settings, settings.firstLayerHeight) * perMm;
  const usualSpacing = lineSpacing(settings, settings.layerHeight) * perMm;
  const firstShellsOf = shellsOf(firstSpacing);
  const usualShellsOf = memo(shellsOf(usualSpacing));

  for (const [index, region] of regions.entries()) {
    const spacing = index === 0 ? firstSpacing : usualSpacing;
    const { walls, inner } = index === 0 ? firstShellsOf(region) : usualShellsOf(region);
    if (region.length > 0 && (walls.at(-1)?.length ?? 0) === 0) findings.tooThin++;
    const below = regions[index - 1];
    if (below && below !== region) {
      const overAir = without(region, grow(below, width));
      if (clipper.areaPaths(overAir) > notableOverhang * perMm ** 2) {
        findings.overhanging++;
        refuseUnsupported(clipper, region, below, overAir, middleOfLayer(index, settings));
      }
    }
    let solid = inner;
    if (settings.infill < 1) {
      const exposed = without(inner, coverOf(regions, index, settings, cut));
      const anchored = grow(grow(exposed, -spacing / 4), spacing / 4 + spacing);
      solid = cut(inner, anchored);
    }
    const sparse = settings.infill >= 1 || settings.infill <= 0 ? [] : without(inner, solid);
    const angle = index % 2 === 0 ? Math.PI / 4 : (3 * Math.PI) / 4;
    yield {
      skirt: index === 0 && withSkirt ? skirtOf(grow, clipper, region, width, spacing, settings.brimWidth) : [],
      brim: index === 0 ? brimOf(grow, clipper, region, spacing, settings.brimWidth) : [],
      walls,
      solid: fillWithLines(solid, angle, spacing, width / 4),
      sparse: fillSparsely(sparse, settings.infillPattern, settings.infill, {
        ...{ index, spacing, shortest: width },
        height: middleOfLayer(index, settings) * perMm,
      }),
    };
  }
}

/** What lies under a layer in all layers of a floor, and over it in all of a roof: there no skin is needed. */
function coverOf(
  regions: Paths64[],
  index: number,
  { bottomLayers, topLayers }: SlicingSettings,
  cut: (a: Paths64, b: Paths64) => Paths64,
): Paths64 {
  if (index < bottomLayers || index + topLayers >= regions.length) return [];
  let cover = regions[index] ?? [];
  let last = cover;
  for (let distance = 1; distance <= Math.max(bottomLayers, topLayers); distance++) {
    const under = distance <= bottomLayers ? regions[index - distance] : undefined;
    const over = distance <= topLayers ? regions[index + distance] : undefined;
    for (const other of [under, over]) {
      if (other === undefined || other === last || other === regions[index]) continue;
      cover = cut(cover, other);
      last = other;
    }
  }
  return cover;
}

/** Loops around the first layer that touch it and one another, not inside of holes. */
function brimOf(
  grow: (paths: Paths64, by: number) => Paths64,
  clipper: Clipper2,
  region: Paths64,
  spacing: number,
  brimWidth: number,
): Paths64 {
  const loops: Paths64 = [];
  for (let loop = Math.round((brimWidth * perMm) / spacing) - 1; loop >= 0; loop--) {
    const around = clipper.union(grow(region, (loop + 0.5) * spacing), clipper.FillRule.NonZero);
    loops.push(...around.filter((path) => clipper.area(path) > 0));
  }
  return loops;
}

function skirtOf(
  grow: (paths: Paths64, by: number) => Paths64,
  clipper: Clipper2,
  region: Paths64,
  width: number,
  spacing: number,
  brimWidth: number,
): Paths64 {
  const loops: Paths64 = [];
  const distance = (brimWidth + skirt.distanceMm) * perMm;
  for (let loop = 0; loop < skirt.loops; loop++) {
    const around = clipper.union(grow(region, distance + width / 2 + loop * spacing), clipper.FillRule.NonZero);
    loops.push(...around.filter((path) => clipper.area(path) > 0)); // not inside of holes
  }
  return loops;
}

/** Maps a list in which neighbours are often the same object. */
function mapRuns<A extends object, B>(list: readonly A[], change: (item: A) => B): B[] {
  const remembered = memo(change);
  return list.map(remembered);
}

/** Remembers the last result. */
function memo<A extends object, B>(change: (item: A) => B): (item: A) => B {
  let last: { item: A; result: B } | undefined;
  return (item) => {
    if (last?.item !== item) last = { item, result: change(item) };
    return last.result;
  };
}
