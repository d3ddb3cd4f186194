import type { PhotoType } from '../model/photo';
import type { FileKind } from './analysis';
import type { PrintExtension, StoredExtension } from './file-store';

/** The extension under which a file of this kind is stored. */
export const storedExtension: Readonly<Record<FileKind, PrintExtension>> = {
  stl: '.stl',
  '3mf': '.3mf',
  gcode: '.gcode',
  gcode_3mf: '.gcode.3mf',
};

/** The extension under which a picture of this kind is stored. */
export const photoExtension: Readonly<Record<PhotoType, StoredExtension>> = {
  'image/jpeg': '.jpg',
  'image/png': '.png',
};
