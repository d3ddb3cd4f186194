import { readFile } from 'node:fs/promises';
import { luban } from '../../files/slicer-endings';
import { thumbnailsOfGcode } from '../../files/thumbnail';
import type { SlicedPrint } from '../../slicing/pack';
import { prependHeader, snapmakerHeader } from './header';

/** Writes the header that the screen reads before the G-code; a file of Snapmaker's own slicer already has one. */
export async function packForSnapmaker(sliced: SlicedPrint, output: string): Promise<{ lines: number } | null> {
  const { analysis, machine, material, pictures } = sliced;
  if (analysis.slicer === luban) return null;
  const own = thumbnailsOfGcode(sliced.path).find(({ format }) => format === 'png');
  const header = snapmakerHeader({
    analysis,
    machine,
    material,
    layerHeight: analysis.layerHeight || sliced.layerHeight,
    estimatedSeconds: sliced.estimatedSeconds,
    picture: own?.bytes ?? (pictures[0] && (await readFile(pictures[0].path))),
  });
  await prependHeader(header, sliced.path, output);
  return { lines: analysis.lines + header.split('\n').length };
}
