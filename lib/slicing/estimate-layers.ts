import { type Shape, type ShapeIsland, type ShapeSlice, slopeCotangents } from '../files/shape';
import type { Dimensions } from '../model/printer';
import { type SlicingSettings, skirt } from './defaults';
import type { Habits } from './estimate-habits';
import { eroded } from './estimate-shape';
import { layerCountOf, middleOfLayer } from './layers';
import { lineSpacing } from './toolpaths';

/** The lines of one layer in mm, and the other factors of its time. */
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
  /** Around the first layer. */
  skirt: number;
  brim: number;
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
  /** Pieces of the cross-section, and their outlines with those of their holes. */
  islands: number;
  outlines: number;
  /** Corners of pieces so thin that their walls meet. */
  oddCorners: number;
  /** mm of a usual travel within a piece, and from one to the next. */
  travel: number;
  apart: number;
  /** mm of a part's usual thickness. */
  thickness: number;
}

/** PrusaSlicer's: a loop of 6.5 mm radius. */
const smallLoopMm = 2 * Math.PI * 6.5;

/** Directions that lines of a pattern have in each layer, and how much longer its lines are than straight ones. */
const patterns: Readonly<Record<SlicingSettings['infillPattern'], { directions: number; stretch: number }>> = {
  grid: { directions: 2, stretch: 1 },
  gyroid: { directions: 1, stretch: 1 },
  honeycomb: { directions: 1, stretch: 1.15 },
  cubic: { directions: 3, stretch: 1 },
  rectilinear: { directions: 1, stretch: 1 },
  lines: { directions: 1, stretch: 1 },
  triangles: { directions: 3, stretch: 1 },
};

/**
 * Lines from the innermost wall to the middle of a part below which walls become wider instead of leaving room for
 * infill.
 */
const narrowestInside = 0.6;

/** Everything that is the same in all layers of one height within a slice of the model. */
interface SliceAmounts {
  area: number;
  islands: number;
  outlines: number;
  oddCorners: number;
  /** mm of all outlines. */
  perimeter: number;
  outerWalls: number;
  innerWalls: number;
  smallOuterWalls: number;
  smallInnerWalls: number;
  loops: number;
  corners: number;
  pieces: number;
  /** mm² that walls fill by being wider. */
  widened: number;
  /** mm² inside of the walls, and of that what is too small for sparse infill. */
  inner: number;
  small: number;
  /** mm around the inside. */
  innerOutline: number;
  travel: number;
}

const nothing: SliceAmounts = {
  area: 0,
  islands: 0,
  outlines: 0,
  oddCorners: 0,
  perimeter: 0,
  outerWalls: 0,
  innerWalls: 0,
  smallOuterWalls: 0,
  smallInnerWalls: 0,
  loops: 0,
  corners: 0,
  pieces: 0,
  widened: 0,
  inner: 0,
  small: 0,
  innerOutline: 0,
  travel: 0,
};

/** Computes the lines of each layer of a model, from the first to the last. */
export function layerAmounts(
  { slices }: Shape,
  box: Dimensions,
  settings: SlicingSettings,
  habits: Habits,
): LayerAmounts[] {
  const height = box.z;
  const count = Math.min(Math.max(1, layerCountOf(height, settings)), mostLayers);
  const sliceOf = (layer: number) =>
    Math.min(slices.length - 1, Math.floor((middleOfLayer(layer, settings) / height) * slices.length));
  const { layerHeight, firstLayerHeight } = settings;
  const usual = slices.map((slice) => sliceAmounts(slice, layerHeight, settings, habits));
  const first = sliceAmounts(slices[0] as ShapeSlice, firstLayerHeight, settings, habits);
  const skins = skinsOf(slices, usual, count, sliceOf, settings, habits);
  const supports = supportAreas(slices, settings);
  const around = aroundFirstLayer(slices[0] as ShapeSlice, box, settings, habits);
  return Array.from({ length: count }, (_, layer) => {
    const at = sliceOf(layer);
    const amounts = layer === 0 ? first : (usual[at] as SliceAmounts);
    return amountsOf(
      amounts,
      layer,
      skins,
      supports[at] ?? 0,
      layer === 0 ? around : { skirt: 0, brim: 0 },
      Math.hypot(box.x, box.y),
      settings,
      habits,
    );
  });
}

/** mm of skirt and brim. */
function aroundFirstLayer(
  { islands }: ShapeSlice,
  { x, y }: { x: number; y: number },
  settings: SlicingSettings,
  habits: Habits,
): { skirt: number; brim: number } {
  const spacing = lineSpacing(settings, settings.firstLayerHeight);
  const width = settings.brimWidth;
  const box = 2 * (x + y);
  const only = islands.length === 1 && islands[0]?.count === 1 ? islands[0] : undefined;
  const hull = only ? Math.min(box, Math.max(only.outline, 2 * Math.hypot(x, y))) : box;
  /** By how much a line around something is longer than its outline for each mm that it is away. */
  const turn = (corners: number) => (habits.mitres && corners >= 3 ? 8 : 2 * Math.PI);
  const distance = width + skirt.distanceMm + (skirt.loops * spacing) / 2;
  const loops = Math.round(width / spacing);
  const alone = islands.reduce(
    (sum, { outline, corners, count }) => sum + count * loops * (outline + (turn(corners) * loops * spacing) / 2),
    0,
  );
  // brims of pieces that stand close to one another are one: together they have no more room than around the box
  const footprint = islands.reduce((sum, { area, count }) => sum + area * count, 0);
  const cut = habits.mitres ? 0 : (4 - Math.PI) * width ** 2;
  const room = (x + 2 * width) * (y + 2 * width) - cut - footprint;
  return {
    skirt: skirt.loops * (hull + turn(only?.corners ?? 4) * distance),
    brim: Math.min(alone, Math.max(0, room) / spacing),
  };
}

/** More than any slicer makes. */
const mostLayers = 20_000;
/** How many kinds of slopes that look downwards are so gentle that a slicer supports them: of less than 51°. */
const needingSupport = slopeCotangents.indexOf(0.8) + 1;

function sliceAmounts(
  { islands }: ShapeSlice,
  layerHeight: number,
  settings: SlicingSettings,
  habits: Habits,
): SliceAmounts {
  const spacing = lineSpacing(settings, layerHeight);
  const outside = habits.outlineByWidth ? (settings.lineWidth - spacing) / 2 : 0;
  const walls = outside + settings.walls * spacing;
  const sum = { ...nothing };
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
      const small = habits.slowSmallLoops ? length * shareOfSmallLoops(island, depth) : 0;
      if (wall === 0) sum.outerWalls += count * length;
      else sum.innerWalls += count * length;
      if (wall === 0) sum.smallOuterWalls += count * small;
      else sum.smallInnerWalls += count * small;
      // the innermost wall of a thin part is there in places only
      const share = Math.min(1, length / Math.max(perimeterAt(depth), 1e-9));
      sum.loops += count * outlines * share;
      sum.corners += count * (island.corners + habits.cornersPerLoop * outlines) * share;
    }
    const inner = areaAt(walls - habits.overlap * spacing);
    if (habits.fillsThinParts && areaAt(walls + narrowestInside * spacing) <= 0) {
      sum.widened += count * areaAt(walls);
    } else if (areaAt(walls) > 0) {
      sum.inner += count * inner;
      sum.innerOutline += count * perimeterAt(walls);
      sum.pieces += count;
      if (inner < habits.solidBelowMm2) sum.small += count * inner;
    }
    sum.area += count * island.area;
    sum.perimeter += count * island.perimeter;
    sum.islands += count;
    sum.outlines += count * outlines;
    if (areaAt(walls + narrowestInside * spacing) <= 0) sum.oddCorners += count * island.corners;
    sum.travel += (count * island.outline) / (2 * Math.PI);
  }
  return sum;
}

/**
 * How much of a wall so deep in an island belongs to loops so short that they are drawn slowly: a loop within the
 * outline is shorter than it by 2π for each mm, one around a hole longer by as much.
 */
function shareOfSmallLoops({ outline, perimeter, holes }: ShapeIsland, depth: number): number {
  const outer = Math.max(0, outline - 2 * Math.PI * depth);
  const around = holes > 0 ? (perimeter - outline) / holes + 2 * Math.PI * depth : 0;
  const small = (outer < smallLoopMm ? outer : 0) + (around < smallLoopMm ? holes * around : 0);
  return small / Math.max(outer + holes * around, 1e-9);
}

/** mm² inside of the walls, in each layer, that must be solid because nothing, or too little, lies over or under it. */
interface Skins {
  solid: Float64Array;
  /** Of these, what is seen from above. */
  top: Float64Array;
  /** Of these, what lies over air or over sparse infill. */
  bridge: Float64Array;
}

/**
 * The skins of roofs and floors. A level face needs them as large as it is, less what walls cover of it. A slope leaves
 * a ledge of each layer open, as wide as the layer is high times the slope's cotangent; within a number of layers these
 * make a band along the outline, of which the walls cover their own width. Slicers make skins wider than that, so that
 * they have something to hold on to: where the face goes on inside of the part, and bands on their inner side.
 */
function skinsOf(
  slices: readonly ShapeSlice[],
  usual: readonly SliceAmounts[],
  count: number,
  sliceOf: (layer: number) => number,
  settings: SlicingSettings,
  habits: Habits,
): Skins {
  const skins: Skins = {
    solid: new Float64Array(count),
    top: new Float64Array(count),
    bridge: new Float64Array(count),
  };
  const add = (to: Float64Array, layer: number, area: number) => {
    if (layer >= 0 && layer < count) to[layer] = (to[layer] ?? 0) + area;
  };
  const { topLayers, bottomLayers, layerHeight, lineWidth } = settings;
  const walls = settings.walls * lineSpacing(settings, layerHeight);
  const margin = settings.infill > 0 ? habits.skinMargin : 0;
  /** How wide the band of a slope is inside of the walls, when the ledges of so many layers make it. */
  const bandOf = (ledge: number, layers: number) => {
    const open = layers * ledge - walls;
    if (open <= (settings.infill > 0 ? 0 : habits.narrowestHollowSkin * lineWidth)) return 0;
    if (ledge > walls) return open + margin;
    return open < 2 * habits.bandMargin * lineWidth ? open + habits.bandMargin * lineWidth : open;
  };
  /**
   * How far the skin of a level face reaches under what rises from it: no further than that is thick, less the walls on
   * its other side. Of how thick it is only the mean is known; thicknesses are taken to be spread exponentially about
   * it.
   */
  const reachUnder = (rising: SliceAmounts | undefined) => {
    if (margin === 0 || !rising || rising.perimeter === 0) return 0;
    const thickness = (2 * rising.area) / rising.perimeter;
    return margin * (1 - Math.exp(-Math.max(0, thickness - walls) / margin));
  };
  let begin = 0;
  for (const [index, { up, down, upBorder, downBorder }] of slices.entries()) {
    let end = begin;
    while (end < count && sliceOf(end) === index) end++;
    // a slice thinner than a layer belongs to the one that is next
    const first = Math.min(begin, count - 1);
    const last = Math.max(first, end - 1);
    const roofArea = up[0] ?? 0;
    const floorArea = down[0] ?? 0;
    // a level face ends the part of the slice that is nearer to it, whose cross-section holds it
    const [here, below, above] = [usual[index], usual[index - 1], usual[index + 1]];
    const endsBelow = (below?.area ?? 0) - (here?.area ?? 0) > roofArea / 2;
    const beginsAbove = (above?.area ?? 0) - (here?.area ?? 0) > floorArea / 2;
    const roof = roofArea * insideOf(endsBelow ? below : here) + reachUnder(endsBelow ? here : above) * upBorder;
    const floor =
      floorArea * insideOf(beginsAbove ? above : here) + reachUnder(beginsAbove ? here : below) * downBorder;
    const highest = endsBelow ? Math.max(0, begin - 1) : last;
    const lowest = beginsAbove ? Math.min(count - 1, end) : first;
    for (let depth = 0; depth < topLayers; depth++) add(skins.solid, highest - depth, roof);
    for (let depth = 0; depth < bottomLayers; depth++) add(skins.solid, lowest + depth, floor);
    if (topLayers > 0) add(skins.top, highest, roof);
    if (topLayers > 1 && highest >= topLayers + bottomLayers - 1) add(skins.bridge, highest - topLayers + 1, roof);
    if (bottomLayers > 0 && lowest > 0) add(skins.bridge, lowest, floor);
    for (let kind = 1; kind < slopeCotangents.length; kind++) {
      const ledge = layerHeight * meanCotangent(kind);
      for (let layer = first; layer <= last; layer++) {
        const [upwards, downwards] = [up, down].map((areas) => (areas[kind] ?? 0) / ledge / (last - first + 1)) as [
          number,
          number,
        ];
        add(skins.solid, layer, upwards * bandOf(ledge, topLayers) + downwards * bandOf(ledge, bottomLayers));
        if (ledge > walls) add(skins.top, layer, upwards * bandOf(ledge, 1));
      }
    }
    begin = end;
  }
  return skins;
}

/** Which share of a cross-section lies inside of the walls. */
const insideOf = (slice: SliceAmounts | undefined) => (slice && slice.area > 0 ? slice.inner / slice.area : 0);

/** Of a kind of slope, between its steepest and its gentlest. */
const meanCotangent = (kind: number) => Math.sqrt((slopeCotangents[kind] ?? 1) * (slopeCotangents[kind - 1] ?? 1));

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
    if (index > 0) hanging += down.reduce((sum, area, kind) => sum + (kind < needingSupport ? area : 0), 0);
  }
  return supports;
}

function amountsOf(
  slice: SliceAmounts,
  layer: number,
  skins: Skins,
  supportArea: number,
  { skirt, brim }: { skirt: number; brim: number },
  diagonal: number,
  settings: SlicingSettings,
  habits: Habits,
): LayerAmounts {
  const layerHeight = layer === 0 ? settings.firstLayerHeight : settings.layerHeight;
  const spacing = lineSpacing(settings, layerHeight);
  const section = layerHeight * spacing;
  const full = settings.infill >= 1;
  const skin = (of: Float64Array) => Math.min(slice.inner, of[layer] ?? 0);
  const solidArea = full
    ? slice.inner
    : Math.min(slice.inner, skin(skins.solid) + (settings.infill > 0 ? slice.small : 0));
  const topArea = Math.min(solidArea, skin(skins.top));
  const bridgeArea = habits.bridges && !full ? Math.min(solidArea - topArea, skin(skins.bridge)) : 0;
  const sparseArea = full ? 0 : slice.inner - solidArea;
  const bridgeSection = (Math.PI / 4) * settings.nozzleDiameter ** 2;
  const bridgeSpacing = settings.nozzleDiameter + 0.05;
  const { directions, stretch } = patterns[settings.infillPattern];
  const innerShare = slice.inner > 0 ? sparseArea / slice.inner : 0;
  const ends = habits.lineEnds * spacing * slice.innerOutline * innerShare;
  const straight = (Math.max(0, sparseArea - ends) * settings.infill * stretch) / spacing;
  const anchors = settings.infill > 0 ? habits.anchors * slice.innerOutline * innerShare : 0;
  const chord = slice.innerOutline > 0 ? Math.max(spacing, (Math.PI * slice.inner) / slice.innerOutline) : 1;
  const solid = (solidArea - topArea - bridgeArea) / spacing;
  const top = topArea / spacing;
  const bridge = bridgeArea / bridgeSpacing;
  const support = (supportArea * supportDensity) / spacing;
  const sparse = straight + anchors;
  const lines = slice.outerWalls + slice.innerWalls + solid + top + sparse + support + skirt + brim;
  return {
    ...{ outerWalls: slice.outerWalls, innerWalls: slice.innerWalls, solid, top, bridge, sparse, support, skirt, brim },
    ...{ smallOuterWalls: slice.smallOuterWalls, smallInnerWalls: slice.smallInnerWalls },
    volume: slice.widened * layerHeight + lines * section + bridge * bridgeSection,
    loops: slice.loops,
    corners: slice.corners,
    pieces: slice.pieces * (Number(solidArea > 0.01) + Number(sparse > 0)),
    solidLines: (solid + top + bridge) / chord,
    sparseLines: straight / chord,
    sparseSpacing: settings.infill > 0 ? (spacing * directions) / settings.infill : 0,
    islands: slice.islands,
    outlines: slice.outlines,
    oddCorners: slice.oddCorners,
    travel: slice.islands > 0 ? slice.travel / slice.islands : 0,
    thickness: slice.perimeter > 0 ? (2 * slice.area) / slice.perimeter : 0,
    apart: slice.islands > 1 ? (0.7 * diagonal) / Math.sqrt(slice.islands) : 0,
  };
}

/**
 * mm of line for each mm² of support times the lines' spacing: sparse lines and what is dense where it touches the
 * part.
 */
const supportDensity = 0.3;
