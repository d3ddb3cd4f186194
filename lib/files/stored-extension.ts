import type { FileKind } from './analysis';
import type { StoredExtension } from './file-store';

/** The ending under which a file of this kind is stored. */
export const storedExtension: Readonly<Record<FileKind, StoredExtension>> = {
  stl: '.stl',
  '3mf': '.3mf',
  gcode: '.gcode',
  gcode_3mf: '.gcode.3mf',
};
