import { type Static, Type } from '@sinclair/typebox';
import { Dimensions } from './common';
import { Nullable, named } from './schema';

export const StoredFile = named(
  'StoredFile',
  Type.Object({
    stl_path: Type.String(),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    dimensions_mm: Dimensions,
    volume_mm3: Type.Number(),
    triangles: Type.Integer(),
    plates: Type.Optional(
      Type.Array(
        Type.Object({
          plate: Type.Integer({ minimum: 1 }),
          name: Nullable(Type.String()),
          thumbnail: Nullable(Type.String({ description: 'A PNG as a data URL' })),
          minutes: Nullable(Type.Number({ minimum: 0 })),
          grams: Nullable(Type.Number({ minimum: 0 })),
        }),
        { description: 'The plates of a file with several; a job names one of them' },
      ),
    ),
    filaments: Type.Optional(
      Type.Array(
        Type.Object({
          filament: Type.Integer({ minimum: 1 }),
          type: Nullable(Type.String()),
          colour_hex: Nullable(Type.String()),
          grams: Nullable(Type.Number({ minimum: 0 })),
        }),
        { description: 'The filaments of a sliced file, numbered as in the file' },
      ),
    ),
    made_for: Type.Optional(
      Nullable(Type.String({ description: 'The machine model that a sliced file names; null if it names none' })),
    ),
    warnings: Type.Array(Type.String()),
  }),
);
export type StoredFile = Static<typeof StoredFile>;
