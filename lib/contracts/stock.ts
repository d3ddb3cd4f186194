import { type Static, Type } from '@sinclair/typebox';
import { Cursor } from './common';
import { Nullable, named } from './schema';

export const Material = named(
  'Material',
  Type.Object({
    material_id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    colour: Type.String(),
    colour_hex: Type.String(),
    brand: Type.String(),
    density_g_cm3: Type.Number(),
    diameter_mm: Type.Number(),
    usd_per_kg: Type.Number({ minimum: 0 }),
    nozzle_temp: Type.Integer({ description: '°C' }),
    bed_temp: Type.Integer({ description: '°C' }),
    grams_left: Type.Number({ minimum: 0 }),
    grams_promised: Type.Number({ minimum: 0 }),
  }),
);
export type Material = Static<typeof Material>;

export const MaterialChange = named(
  'MaterialChange',
  Type.Object(
    {
      name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
      type: Type.Optional(Type.String({ minLength: 1, maxLength: 20, description: 'PLA, PETG, …' })),
      colour: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
      colour_hex: Type.Optional(Type.String({ pattern: '^#?[0-9A-Fa-f]{6}$' })),
      brand: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
      density_g_cm3: Type.Optional(Type.Number({ minimum: 0.1, maximum: 25 })),
      diameter_mm: Type.Optional(Type.Number({ minimum: 0.5, maximum: 5, description: '1.75 unless given' })),
      usd_per_kg: Type.Optional(Type.Number({ minimum: 0, maximum: 100000 })),
      nozzle_temp: Type.Optional(Type.Integer({ minimum: 150, maximum: 450, description: '°C' })),
      bed_temp: Type.Optional(Type.Integer({ minimum: 0, maximum: 150, description: '°C' })),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
);
export type MaterialChange = Static<typeof MaterialChange>;

export const NewMaterial = named(
  'NewMaterial',
  Type.Object(
    {
      material_id: Type.String({ pattern: '^[a-z0-9][a-z0-9_.-]{0,49}$' }),
      name: Type.String({ minLength: 1, maxLength: 100 }),
      type: Type.String({ minLength: 1, maxLength: 20, description: 'PLA, PETG, …' }),
      colour: Type.String({ minLength: 1, maxLength: 50 }),
      colour_hex: Type.String({ pattern: '^#?[0-9A-Fa-f]{6}$' }),
      brand: Type.String({ minLength: 1, maxLength: 50 }),
      density_g_cm3: Type.Number({ minimum: 0.1, maximum: 25 }),
      diameter_mm: Type.Optional(Type.Number({ minimum: 0.5, maximum: 5, description: '1.75 unless given' })),
      usd_per_kg: Type.Number({ minimum: 0, maximum: 100000 }),
      nozzle_temp: Type.Integer({ minimum: 150, maximum: 450, description: '°C' }),
      bed_temp: Type.Integer({ minimum: 0, maximum: 150, description: '°C' }),
    },
    { additionalProperties: false },
  ),
);
export type NewMaterial = Static<typeof NewMaterial>;

export const ArchivedMaterial = named(
  'ArchivedMaterial',
  Type.Object({ material_id: Type.String(), archived: Type.Literal(true) }),
);
export type ArchivedMaterial = Static<typeof ArchivedMaterial>;

export const ArchivedSpool = named(
  'ArchivedSpool',
  Type.Object({ spool_id: Type.String({ format: 'uuid' }), archived: Type.Literal(true) }),
);
export type ArchivedSpool = Static<typeof ArchivedSpool>;

export const SpoolChange = named(
  'SpoolChange',
  Type.Object(
    {
      grams_left: Type.Optional(Type.Number({ minimum: 0, maximum: 100000 })),
      gross_grams: Type.Optional(
        Type.Number({ minimum: 0, maximum: 100000, description: 'The weight of the spool with its filament' }),
      ),
      tare_grams: Type.Optional(
        Type.Number({ minimum: 0, maximum: 100000, description: 'The weight of the empty spool' }),
      ),
    },
    {
      additionalProperties: false,
      minProperties: 1,
      dependentRequired: { gross_grams: ['tare_grams'], tare_grams: ['gross_grams'] },
      dependentSchemas: { grams_left: { maxProperties: 1 } },
    },
  ),
);
export type SpoolChange = Static<typeof SpoolChange>;

export const Spool = named(
  'Spool',
  Type.Object({
    spool_id: Type.String({ format: 'uuid' }),
    material_id: Type.String(),
    label: Nullable(Type.String()),
    initial_grams: Type.Number(),
    grams_left: Type.Number({ minimum: 0 }),
    printer_id: Nullable(Type.String()),
    slot: Nullable(Type.String()),
  }),
);
export type Spool = Static<typeof Spool>;

export const Materials = Type.Object({ materials: Type.Array(Material), next_cursor: Cursor });
export type Materials = Static<typeof Materials>;

export const Spools = Type.Object({ spools: Type.Array(Spool), next_cursor: Cursor });
export type Spools = Static<typeof Spools>;

export const NewSpool = Type.Object(
  {
    material_id: Type.String({ minLength: 1, maxLength: 50 }),
    grams: Type.Number({ minimum: 0.01, maximum: 100000 }),
    label: Type.Optional(Type.String({ maxLength: 100 })),
  },
  { additionalProperties: false },
);
export type NewSpool = Static<typeof NewSpool>;
