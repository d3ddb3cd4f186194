import { type Static, Type } from '@sinclair/typebox';
import { makes } from '../model/printer';
import { Action, Cursor, Time } from './common';
import { MapOf, Nullable, named, OneOf } from './schema';

export const Bed = named(
  'Bed',
  Type.Object({
    state: OneOf(['clear', 'occupied']),
    cause: Type.Optional(OneOf(['attempt', 'foreign', 'unknown', null])),
    attempt_id: Nullable(Type.String({ format: 'uuid' })),
    version: Type.Integer(),
    since: Time,
  }),
);
export type Bed = Static<typeof Bed>;

export const Printer = named(
  'Printer',
  Type.Object({
    printer_id: Type.String(),
    name: Type.String(),
    make: OneOf(makes),
    accepts_models: Type.Optional(
      Type.Array(Type.String(), { description: 'Models that a sliced file may have been made for' }),
    ),
    online: Type.Boolean(),
    state: OneOf([
      'offline',
      'wrong_machine',
      'needs_attention',
      'unknown',
      'idle',
      'preparing',
      'printing',
      'paused',
      'busy',
      'fault',
    ]),
    problem: Nullable(Type.String()),
    remedy: Nullable(Type.String({ description: 'What an operator can do about it' })),
    since: Nullable(Type.String({ format: 'date-time' })),
    identity: Type.Object({
      ids: MapOf(Type.String(), { description: 'The ids of the machine by kind: `serial`, `mcu`, `host`, `board`' }),
      status: OneOf(['verified', 'unverified', 'wrong_machine']),
      found: Nullable(MapOf(Type.String(), { description: 'Another machine found at its address' })),
    }),
    actions: Type.Array(Action),
    job_id: Nullable(Type.String({ format: 'uuid' })),
    current_job_id: Type.Optional(Nullable(Type.String({ format: 'uuid' }))),
    job_name: Type.Optional(Nullable(Type.String())),
    progress: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
    remaining_minutes: Nullable(Type.Number({ minimum: 0 })),
    time_scale: Type.Number({ exclusiveMinimum: 0 }),
    temperatures: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), current: Type.Number(), target: Type.Number() })),
    ),
    bed: Bed,
    slots: Type.Array(
      Type.Object({
        slot: Type.String(),
        tool: Type.Optional(
          Type.Integer({
            minimum: 0,
            description: 'The nozzle or head that it feeds; on a Bambu with two nozzles 0 is the right one',
          }),
        ),
        material_id: Nullable(Type.String()),
        colour_hex: Type.Optional(Nullable(Type.String())),
        spool_id: Type.Optional(Nullable(Type.String({ format: 'uuid' }))),
        grams_left: Nullable(Type.Number({ minimum: 0 })),
      }),
    ),
  }),
);
export type Printer = Static<typeof Printer>;

export const PauseAnswer = named('PauseAnswer', Type.Object({ printer_id: Type.String(), state: Type.String() }));
export type PauseAnswer = Static<typeof PauseAnswer>;

export const SlotAnswer = named(
  'SlotAnswer',
  Type.Object({
    printer_id: Type.String(),
    slot: Type.String(),
    spool_id: Nullable(Type.String({ format: 'uuid' })),
    material_id: Nullable(Type.String()),
    grams_left: Nullable(Type.Number()),
  }),
);
export type SlotAnswer = Static<typeof SlotAnswer>;

export const Printers = Type.Object({ printers: Type.Array(Printer), next_cursor: Cursor });
export type Printers = Static<typeof Printers>;

export const BedClearance = Type.Object(
  {
    bed_version: Type.Optional(Type.Integer({ minimum: 0, description: 'The version of the bed that you have seen' })),
  },
  { additionalProperties: false },
);
export type BedClearance = Static<typeof BedClearance>;

export const ClearedBed = Type.Object({ printer_id: Type.String(), bed: Bed });
export type ClearedBed = Static<typeof ClearedBed>;

export const IdentityAcceptance = Type.Object(
  {
    found: Type.Optional(
      MapOf(Type.String({ maxLength: 200 }), {
        maxProperties: 10,
        description:
          'The ids that you have seen (`identity.found` of the printer); without them, those of the machine there now',
      }),
    ),
    shared: Type.Optional(
      Type.Boolean({
        description:
          'Confirms that another printer reports the same ids and is a different machine: they identify neither from then on. Needs `found`',
      }),
    ),
  },
  { additionalProperties: false },
);
export type IdentityAcceptance = Static<typeof IdentityAcceptance>;

export const AcceptedIdentity = Type.Object({ printer_id: Type.String(), identity: MapOf(Type.String()), bed: Bed });
export type AcceptedIdentity = Static<typeof AcceptedIdentity>;

export const RemovedPrinter = Type.Object({ printer_id: Type.String(), removed: Type.Literal(true) });
export type RemovedPrinter = Static<typeof RemovedPrinter>;

export const SlotChange = Type.Object(
  { spool_id: Nullable(Type.String({ format: 'uuid' })) },
  { additionalProperties: false },
);
export type SlotChange = Static<typeof SlotChange>;
