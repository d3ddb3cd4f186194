import type { Shape, ShapeSlice } from '../files/shape';
import type { SlicingSettings } from './defaults';
import type { Habits } from './estimate-habits';
import { eroded } from './estimate-shape';
import { layerCountOf, middleOfLayer } from './layers';
import { lineSpacing } from './toolpaths';

/** What is drawn in one layer: mm of line, and what costs time beside it. */
export interface LayerAmounts {
  outerWalls: number;
  innerWalls: number;
  /** Of both, what belongs to loops short enough to be drawn slowly. */
  smallOuterWalls: number;
  smallInnerWalls: number;
  solid: number;
  top: number;
  bridge: number;
  sparse: number;
  support: number;
  /** mm³ of everything. */
  volume: number;
  loops: number;
  corners: number;
  /** Pieces of infill. */
  pieces: number;
  /** Lines of solid infill, and of sparse. */
  solidLines: number;
  sparseLines: number;
  /** mm from one line of sparse infill to the next. */
  sparseSpacing: number;
  /** mm of a usual travel. */
  travel: number;
}

/** PrusaSlicer's: a loop of 6.5 mm radius. */
const smallLoopMm = 2 * Math.PI * 6.5;
/** Cotangents that stand for a gentle and a steep slope. */
const slopeCotangents = [2.2, 0.7] as const;

/** Directions that lines of a pattern have in each layer, and how much longer its lines are than straight ones. */
const patterns: Readonly<Record<SlicingSettings['infillPattern'], { directions: number; stretch: number }>> = {
  grid: { directions: 2, stretch: 1 },
  gyroid: { directions: 1, stretch: 1.05 },
  honeycomb: { directions: 1, stretch: 1.15 },
  cubic: { directions: 3, stretch: 1 },
  rectilinear: { directions: 1, stretch: 1 },
  lines: { directions: 1, stretch: 1 },
  triangles: { directions: 3, stretch: 1 },
};

/** Everything that is the same in all layers of one height within a slice of the model. */
interface SliceAmounts {
  area: number;
  outerWalls: number;
  innerWalls: number;
  smallOuterWalls: number;
  smallInnerWalls: number;
  loops: number;
  corners: number;
  pieces: number;
  /** mm² inside of the walls, and of that what is too small for sparse infill. */
  inner: number;
  small: number;
  /** mm around the inside. */
  innerOutline: number;
  travel: number;
}

/** What is drawn in each layer of a model, from the first to the last. */
export function layerAmounts(shape: Shape, height: number, settings: SlicingSettings, habits: Habits): LayerAmounts[] {
  const { slices } = shape;
  const count = Math.min(Math.max(1, layerCountOf(height, settings)), mostLayers);
  const sliceOf = (layer: number) =>
    Math.min(slices.length - 1, Math.floor((middleOfLayer(layer, settings) / height) * slices.length));
  const { layerHeight, firstLayerHeight } = settings;
  const usual = slices.map((slice) => sliceAmounts(slice, layerHeight, settings, habits));
  const first = sliceAmounts(slices[0] as ShapeSlice, firstLayerHeight, settings, habits);
  const exposed = exposures(slices, count, sliceOf, settings, habits);
  const supports = supportAreas(slices, settings);
  return Array.from({ length: count }, (_, layer) => {
    const at = sliceOf(layer);
    const amounts = layer === 0 ? first : (usual[at] as SliceAmounts);
    return amountsOf(amounts, layer, exposed, supports[at] ?? 0, settings, habits);
  });
}

/** More than any slicer makes. */
const mostLayers = 20_000;

function sliceAmounts(
  { islands }: ShapeSlice,
  layerHeight: number,
  settings: SlicingSettings,
  habits: Habits,
): SliceAmounts {
  const spacing = lineSpacing(settings, layerHeight);
  const outside = habits.outlineByWidth ? (settings.lineWidth - spacing) / 2 : 0;
  const walls = outside + settings.walls * spacing;
  const sum: SliceAmounts = {
    ...{ area: 0, outerWalls: 0, innerWalls: 0, smallOuterWalls: 0, smallInnerWalls: 0, loops: 0, corners: 0 },
    ...{ pieces: 0, inner: 0, small: 0, innerOutline: 0, travel: 0 },
  };
  for (const island of islands) {
    const { areaAt, perimeterAt } = eroded(island);
    const count = island.count;
    const outlines = 1 + island.holes;
    for (let wall = 0; wall < settings.walls; wall++) {
      const depth = outside + wall * spacing;
      const length = habits.fillsThinParts
        ? (areaAt(depth) - areaAt(depth + spacing)) / spacing
        : perimeterAt(depth + spacing / 2);
      if (length <= 0) break;
      const isSmall = habits.slowSmallLoops && perimeterAt(depth + spacing / 2) / outlines < smallLoopMm;
      if (wall === 0) sum.outerWalls += count * length;
      else sum.innerWalls += count * length;
      if (isSmall && wall === 0) sum.smallOuterWalls += count * length;
      else if (isSmall) sum.smallInnerWalls += count * length;
      sum.loops += count * outlines;
      sum.corners += count * (island.corners + habits.cornersPerLoop * outlines);
    }
    const inner = areaAt(walls - habits.overlap * spacing);
    if (areaAt(walls) > 0) {
      sum.inner += count * inner;
      sum.innerOutline += count * perimeterAt(walls);
      sum.pieces += count;
      if (inner < habits.solidBelowMm2) sum.small += count * inner;
    }
    sum.area += count * island.area;
    sum.travel += count * Math.sqrt(island.area);
  }
  return sum;
}

/** mm² of each layer that must be solid because nothing, or too little, lies over or under it. */
interface Exposures {
  /** Solid layers of roofs, of these the uppermost one, and the lowest one. */
  top: Float64Array;
  uppermost: Float64Array;
  lowest: Float64Array;
  /** Solid layers of floors, and of these the one over air. */
  bottom: Float64Array;
  overAir: Float64Array;
}

function exposures(
  slices: readonly ShapeSlice[],
  count: number,
  sliceOf: (layer: number) => number,
  settings: SlicingSettings,
  habits: Habits,
): Exposures {
  const zeros = () => new Float64Array(count);
  const found: Exposures = { top: zeros(), uppermost: zeros(), lowest: zeros(), bottom: zeros(), overAir: zeros() };
  const firstOf = new Int32Array(slices.length + 1).fill(-1);
  for (let layer = count - 1; layer >= 0; layer--) firstOf[sliceOf(layer)] = layer;
  firstOf[slices.length] = count;
  for (let slice = slices.length - 1; slice >= 0; slice--) {
    if (firstOf[slice] === -1) firstOf[slice] = firstOf[slice + 1] ?? count;
  }
  const add = (to: Float64Array, layer: number, area: number) => {
    if (layer >= 0 && layer < count) to[layer] = (to[layer] ?? 0) + area;
  };
  const wallWidth = settings.walls * lineSpacing(settings, settings.layerHeight);
  for (const [index, { up, down }] of slices.entries()) {
    const begin = Math.min(count - 1, firstOf[index] ?? 0);
    const end = Math.min(count, Math.max(begin + 1, firstOf[index + 1] ?? count));
    const { topLayers, bottomLayers } = settings;
    const middle = index === slices.length - 1 ? count - 1 : index === 0 ? 0 : Math.floor((begin + end - 1) / 2);
    for (let depth = 0; depth < topLayers; depth++) add(found.top, middle - depth, up[0]);
    if (topLayers > 0) {
      add(found.uppermost, middle, up[0]);
      add(found.lowest, middle - topLayers + 1, up[0]);
    }
    for (let depth = 0; depth < bottomLayers; depth++) add(found.bottom, middle + depth, down[0]);
    if (bottomLayers > 0 && index > 0) add(found.overAir, middle, down[0]);
    for (const [at, cotangent] of slopeCotangents.entries()) {
      const ledge = settings.layerHeight * cotangent;
      // a slope shows a ledge of each layer; what the walls cover of it needs no infill
      const share = (layers: number) => (habits.slopes[at] ?? 1) * Math.max(0, layers - wallWidth / ledge);
      const layers = end - begin;
      for (let layer = begin; layer < end; layer++) {
        add(found.top, layer, ((up[at + 1] ?? 0) / layers) * share(topLayers));
        add(found.bottom, layer, ((down[at + 1] ?? 0) / layers) * share(bottomLayers));
      }
    }
  }
  return found;
}

/** mm² of support in the layers of each slice: under what hangs over, where nothing of the part is in between. */
function supportAreas(slices: readonly ShapeSlice[], settings: SlicingSettings): number[] {
  if (settings.supports === 'none') return slices.map(() => 0);
  const areas = slices.map(({ islands }) => islands.reduce((sum, { area, count }) => sum + area * count, 0));
  const widest = Math.max(...areas);
  const supports: number[] = [];
  let hanging = 0;
  for (let index = slices.length - 1; index >= 0; index--) {
    const { down } = slices[index] as ShapeSlice;
    supports[index] = hanging * (1 - (0.5 * (areas[index] ?? 0)) / Math.max(widest, 1e-9));
    if (index > 0) hanging += down[0] + down[1] * 0.7;
  }
  return supports;
}

function amountsOf(
  slice: SliceAmounts,
  layer: number,
  exposed: Exposures,
  supportArea: number,
  settings: SlicingSettings,
  habits: Habits,
): LayerAmounts {
  const layerHeight = layer === 0 ? settings.firstLayerHeight : settings.layerHeight;
  const spacing = lineSpacing(settings, layerHeight);
  const section = layerHeight * spacing;
  const full = settings.infill >= 1;
  const share = slice.area > 0 ? slice.inner / slice.area : 0;
  const within = (area: Float64Array) => Math.min(slice.inner, (area[layer] ?? 0) * share);
  const solidArea = full
    ? slice.inner
    : Math.min(slice.inner, within(exposed.top) + within(exposed.bottom) + (settings.infill > 0 ? slice.small : 0));
  const topArea = Math.min(solidArea, within(exposed.uppermost));
  const overSparse = !full && settings.infill > 0 ? within(exposed.lowest) : 0;
  const bridgeArea = habits.bridges
    ? Math.min(solidArea - topArea, Math.max(0, overSparse + within(exposed.overAir)))
    : 0;
  const sparseArea = full ? 0 : slice.inner - solidArea;
  const bridgeSection = (Math.PI / 4) * settings.nozzleDiameter ** 2;
  const bridgeSpacing = settings.nozzleDiameter + 0.05;
  const { directions, stretch } = patterns[settings.infillPattern];
  const innerShare = slice.inner > 0 ? sparseArea / slice.inner : 0;
  const straight = (sparseArea * settings.infill * stretch) / spacing;
  const anchors = settings.infill > 0 ? habits.anchors * slice.innerOutline * innerShare : 0;
  const chord = slice.innerOutline > 0 ? Math.max(spacing, (Math.PI * slice.inner) / slice.innerOutline) : 1;
  const solid = (solidArea - topArea - bridgeArea) / spacing;
  const top = topArea / spacing;
  const bridge = bridgeArea / bridgeSpacing;
  const support = (supportArea * supportDensity) / spacing;
  const sparse = straight + anchors;
  const lines = slice.outerWalls + slice.innerWalls + solid + top + sparse + support;
  return {
    ...{ outerWalls: slice.outerWalls, innerWalls: slice.innerWalls, solid, top, bridge, sparse, support },
    ...{ smallOuterWalls: slice.smallOuterWalls, smallInnerWalls: slice.smallInnerWalls },
    volume: lines * section + bridge * bridgeSection,
    loops: slice.loops,
    corners: slice.corners,
    pieces: slice.pieces * (Number(solidArea > 0.01) + Number(sparse > 0)),
    solidLines: (solid + top + bridge) / chord,
    sparseLines: straight / chord,
    sparseSpacing: settings.infill > 0 ? (spacing * directions) / settings.infill : 0,
    travel: slice.travel,
  };
}

/** mm of line for each mm² of support times the lines' spacing: sparse lines and what is dense where it touches the part. */
const supportDensity = 0.3;
