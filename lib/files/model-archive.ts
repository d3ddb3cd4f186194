import type { FileAnalysis, PlateAnalysis, ProjectDemands } from './analysis';
import type { Archive } from './archive';
import type { Bounds } from './bounds';
import { ofModel } from './describe';
import { MeshMeasure } from './mesh-measure';
import { bothBounds, removedBy, TriangleList } from './negative-volume';
import { pictureIn } from './plate-picture';
import { severalPlates } from './plates';
import type { VolumeRole } from './project';
import { openThreeMf, type ThreeMf } from './three-mf';
import { UnreadableFileError } from './unreadable';

/**
 * Analyses a 3MF that is not sliced: the solid that a slicer would make of it, plate by plate.
 *
 * @throws UnreadableFileError
 */
export async function analyseModelArchive(archive: Archive, sizeBytes: number): Promise<FileAnalysis> {
  const model = await openThreeMf(archive);
  const { plates, warnings } = model;
  const solids = [];
  for (const items of plates.length > 0 ? plates.map((plate) => plate.items) : [model.items]) {
    solids.push(await measure(model, items, sizeBytes));
  }
  const demands = demandsOf(model, new Set(solids.flatMap(({ roles }) => [...roles])));
  const common = [...warnings, ...(demands?.ignored ?? [])];
  const analysis =
    plates.length === 0 && solids[0]
      ? { ...solids[0].analysis, warnings: [...common, ...solids[0].analysis.warnings] }
      : severalPlates('3mf', sizeBytes, await platesOf(archive, model, solids), common);
  return { ...analysis, ...(demands && { project: demands }) };
}

interface Solid {
  analysis: FileAnalysis;
  roles: Set<VolumeRole>;
}

async function platesOf(archive: Archive, model: ThreeMf, solids: readonly Solid[]): Promise<PlateAnalysis[]> {
  const analysed: PlateAnalysis[] = [];
  for (const [index, { plate, name, picture }] of model.plates.entries()) {
    const solid = solids[index];
    if (!solid) continue;
    const { kind: _kind, sizeBytes: _size, ...figures } = solid.analysis;
    const member = picture ?? `Metadata/plate_${plate}.png`;
    analysed.push({ ...figures, plate, name, picture: (await pictureIn(archive, member)) ? member : null });
  }
  return analysed;
}

function demandsOf(model: ThreeMf, roles: Set<VolumeRole>): ProjectDemands | undefined {
  if (!model.notes.isProject) return undefined;
  return model.notes.demands(model.items.map(model.objectOf), roles, model.paint);
}

async function measure(model: ThreeMf, items: readonly number[], sizeBytes: number): Promise<Solid> {
  const mesh = new MeshMeasure();
  const roles = new Set<VolumeRole>();
  model.place(items, ({ role }) => {
    roles.add(role);
    return role === 'part' ? mesh : undefined;
  });
  const warnings: string[] = [];
  const printed = roles.has('negative') ? await withoutNegatives(model, items, mesh, warnings) : undefined;
  return { analysis: ofModel('3mf', sizeBytes, mesh, warnings, printed), roles };
}

/** Box and volume of the parts after subtracting negative volumes; each affects only the parts of its own object. */
async function withoutNegatives(
  model: ThreeMf,
  items: readonly number[],
  mesh: MeshMeasure,
  warnings: string[],
): Promise<{ bounds: Bounds; volumeMm3: number }> {
  let { volumeMm3 } = mesh;
  let bounds: Bounds | undefined;
  for (const item of items) {
    const parts = new TriangleList();
    const negatives = new TriangleList();
    const own = new MeshMeasure();
    own.expect(Number.POSITIVE_INFINITY); // only its box is needed
    model.place([item], ({ role }) => {
      if (role === 'negative') return negatives;
      if (role !== 'part') return undefined;
      return {
        take(coordinates, triangles) {
          own.take(coordinates, triangles);
          parts.take(coordinates, triangles);
        },
      };
    });
    if (own.triangles === 0) continue;
    if (negatives.triangles.length === 0) {
      bounds = bothBounds(bounds, own.bounds);
      continue;
    }
    const removed = await removedBy(negatives.triangles, parts.triangles, own.bounds, 4 / Math.max(4, items.length));
    volumeMm3 -= removed.volumeMm3;
    bounds = bothBounds(bounds, removed.bounds);
    if (!removed.sound) warnings.push('The mesh of a negative volume, or of what it is taken from, has holes.');
  }
  if (!bounds || !(volumeMm3 > 0)) {
    throw new UnreadableFileError(
      'its negative volumes leave nothing to print',
      'Move or shrink the negative volumes and export the project again.',
    );
  }
  return { bounds, volumeMm3 };
}
