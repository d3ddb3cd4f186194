import { type Static, Type } from '@sinclair/typebox';
import { Cursor, Dimensions, JobStatus, Priority, Time } from './common';
import { FarmPause } from './farm';
import { PromiseOfJob, Shift } from './jobs';
import { AnyObject, MapOf, Nullable, named, OneOf } from './schema';

export const Scheduled = named(
  'Scheduled',
  Type.Object({
    scheduled_jobs: Type.Integer({ minimum: 0 }),
    assignments: Type.Array(
      Type.Object({
        job_id: Type.String(),
        printer_id: Type.String(),
        attempt_id: Type.String(),
        status: Type.Literal('scheduled'),
      }),
    ),
    refused: Type.Array(Type.Object({ job_id: Type.String(), printer_id: Type.String(), reason: Type.String() })),
  }),
);
export type Scheduled = Static<typeof Scheduled>;

export const Plan = named(
  'Plan',
  Type.Object({
    paused: Nullable(FarmPause, { description: 'The pause, during which nothing new starts; null: not paused' }),
    version: Type.Number(),
    lines: Type.Array(
      Type.Object({
        job_id: Type.String(),
        job_name: Type.String(),
        printer_id: Type.String(),
        slot: Nullable(Type.String()),
        start: Nullable(Type.String({ format: 'date-time' })),
        end: Nullable(Type.String({ format: 'date-time' })),
        setups: Type.Array(Type.String()),
        ready: Type.Boolean(),
        setup_at: Nullable(Type.String({ format: 'date-time' })),
        deadline_at: Nullable(Type.String({ format: 'date-time' })),
        slack_minutes: Nullable(Type.Number()),
      }),
    ),
    total_lines: Type.Integer({
      minimum: 0,
      description: 'The number of all lines, including those that were not requested',
    }),
    running: Type.Array(
      Type.Object({ printer_id: Type.String(), job_id: Nullable(Type.String()), job_name: Type.String(), until: Time }),
    ),
    operator_hours: Nullable(
      Type.Array(Type.Object({ from: Time, until: Time }), {
        description: 'When an operator is present in the coming week; null if unknown',
      }),
    ),
    positions: MapOf(Type.Integer({ minimum: 1 })),
    waiting: MapOf(Type.String()),
    value: Type.Optional(
      Type.Object({ cost: Type.Number(), lower_bound: Type.Number(), gap: Type.Number(), rule_cost: Type.Number() }),
    ),
    alerts: Type.Array(
      Type.Object({ job_id: Type.String(), deadline_at: Time, late_minutes: Type.Number(), remedy: Type.String() }),
    ),
  }),
);
export type Plan = Static<typeof Plan>;

export const WhatIf = named(
  'WhatIf',
  Type.Object(
    {
      jobs: Type.Optional(
        Type.Array(
          Type.Object(
            {
              name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
              like: Type.Optional(Type.String({ format: 'uuid' })),
              material_id: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
              hours: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000 })),
              grams: Type.Optional(Type.Number({ minimum: 0, maximum: 100000 })),
              dimensions_mm: Type.Optional(Type.Composite([Dimensions], { additionalProperties: false })),
              priority: Type.Optional(Priority),
              deadline_at: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
              copies: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000000 })),
              force_printer: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 50 }))),
            },
            { additionalProperties: false },
          ),
          { maxItems: 100 },
        ),
      ),
      printers_down: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { maxItems: 1000 })),
      operator_hours: Type.Optional(
        Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' }),
      ),
      spools: Type.Optional(
        Type.Array(
          Type.Object(
            {
              material_id: Type.String({ minLength: 1, maxLength: 50 }),
              grams: Type.Number({ exclusiveMinimum: 0, maximum: 100000 }),
              printer_id: Type.Optional(Type.String({ minLength: 1, maxLength: 50 })),
              slot: Type.Optional(Type.String({ minLength: 1, maxLength: 20 })),
            },
            { additionalProperties: false },
          ),
          { maxItems: 100 },
        ),
      ),
    },
    { additionalProperties: false },
  ),
);
export type WhatIf = Static<typeof WhatIf>;

export const WhatIfAnswer = named(
  'WhatIfAnswer',
  Type.Object({
    plan: Plan,
    jobs: Type.Array(Type.Union([PromiseOfJob, Type.Object({ job_id: Type.String(), waiting_reason: Type.String() })])),
    shifts: Type.Array(Shift),
  }),
);
export type WhatIfAnswer = Static<typeof WhatIfAnswer>;

export const JobWhy = named(
  'JobWhy',
  Type.Object({
    job_id: Type.String(),
    status: JobStatus,
    because: Type.String(),
    would_help: Type.Array(Type.String()),
    start: Nullable(Type.String({ format: 'date-time' })),
    end: Nullable(Type.String({ format: 'date-time' })),
    owed_at: Nullable(Type.String({ format: 'date-time' })),
    after: Type.Array(Type.String()),
    printers: Type.Array(
      Type.Object({
        printer_id: Type.String(),
        possible: Type.Boolean(),
        because: Type.String(),
        until: Nullable(Type.String()),
      }),
    ),
  }),
);
export type JobWhy = Static<typeof JobWhy>;

export const PrinterWhy = named(
  'PrinterWhy',
  Type.Object({
    printer_id: Type.String(),
    idle: Type.Boolean(),
    because: Type.String(),
    would_help: Type.Array(Type.String()),
    next: Nullable(
      Type.Object({
        job_id: Type.String(),
        start: Nullable(Type.String({ format: 'date-time' })),
        setups: Type.Array(Type.String()),
      }),
    ),
  }),
);
export type PrinterWhy = Static<typeof PrinterWhy>;

export const PromisesKept = named(
  'PromisesKept',
  Type.Object({
    promises: Type.Integer({ minimum: 0 }),
    covered_percent: Nullable(Type.Number()),
    by_situation: MapOf(Nullable(Type.Number())),
  }),
);
export type PromisesKept = Static<typeof PromisesKept>;

export const Setups = named(
  'Setups',
  Type.Object({
    next_cursor: Cursor,
    setups: Type.Array(
      Type.Object({
        id: Type.String(),
        kind: OneOf(['clear_bed', 'change_filament', 'change_hardware', 'attend']),
        printer_id: Type.String(),
        at: Nullable(Type.String({ format: 'date-time' })),
        slot: Nullable(Type.String()),
        take_out: Nullable(Type.String()),
        put_in: Nullable(Type.String()),
        grams_needed: Nullable(Type.Number()),
        spool_id: Nullable(Type.String()),
        job_id: Nullable(Type.String()),
        bed_version: Nullable(
          Type.Integer({ description: 'The version of a bed, to be sent when it is confirmed clear' }),
        ),
        text: Type.String(),
      }),
    ),
  }),
);
export type Setups = Static<typeof Setups>;

export const Closure = named(
  'Closure',
  Type.Object({ id: Type.String(), printer_id: Type.String(), from: Time, until: Time, reason: Type.String() }),
);
export type Closure = Static<typeof Closure>;

export const SetupDone = Type.Object(
  {
    spool_id: Type.Optional(Type.String({ format: 'uuid', description: 'A spool other than the one in the list' })),
    bed_version: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The version of a bed that you have seen, from the list; required (422)',
      }),
    ),
  },
  { additionalProperties: false },
);
export type SetupDone = Static<typeof SetupDone>;

export const SetupDoneAnswer = AnyObject();
export type SetupDoneAnswer = Static<typeof SetupDoneAnswer>;

export const Closures = Type.Object({ closures: Type.Array(Closure), next_cursor: Cursor });
export type Closures = Static<typeof Closures>;

export const ReopenedPrinter = Type.Object({ id: Type.String() });
export type ReopenedPrinter = Static<typeof ReopenedPrinter>;

export const NewClosure = Type.Object(
  { from: Time, until: Time, reason: Type.String({ minLength: 1, maxLength: 500 }) },
  { additionalProperties: false },
);
export type NewClosure = Static<typeof NewClosure>;
