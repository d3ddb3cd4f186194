import { type Static, Type } from '@sinclair/typebox';
import { Cursor, JobStatus, Priority, Time } from './common';
import { AnyObject, Nullable, named, OneOf } from './schema';

export const FarmPause = named(
  'FarmPause',
  Type.Object({ since: Time, by: Type.String(), reason: Nullable(Type.String()) }),
);
export type FarmPause = Static<typeof FarmPause>;

export const Queue = named(
  'Queue',
  Type.Object({
    paused: Nullable(FarmPause, { description: 'The pause, during which nothing new starts; null: not paused' }),
    total_jobs: Type.Integer({ minimum: 0 }),
    queued: Type.Integer({ minimum: 0 }),
    printing: Type.Integer({ minimum: 0 }),
    next_cursor: Cursor,
    jobs: Type.Array(
      Type.Object({
        job_id: Type.String({ format: 'uuid' }),
        job_name: Type.String(),
        status: JobStatus,
        priority: Priority,
        estimated_duration_hours: Nullable(Type.Number()),
        queue_position: Nullable(Type.Integer({ minimum: 1 })),
        material_id: Type.String(),
        assigned_printer_id: Type.Optional(Nullable(Type.String())),
        deadline_at: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
        kit_id: Type.Optional(Nullable(Type.String())),
        copies: Type.Optional(Type.Integer({ minimum: 1 })),
        copies_done: Type.Optional(Type.Integer({ minimum: 0 })),
        hold: Type.Optional(Type.Boolean()),
        estimated_start_time: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
        estimated_end_time: Type.Optional(
          Nullable(Type.String({ format: 'date-time', description: 'The end of its last copy' })),
        ),
        waiting_reason: Type.Optional(Nullable(Type.String())),
        status_reason: Type.Optional(Nullable(Type.String())),
        created_at: Type.Optional(Time),
      }),
    ),
  }),
);
export type Queue = Static<typeof Queue>;

export const NumbersOfGroup = named(
  'NumbersOfGroup',
  Type.Object({
    prints: Type.Integer({ minimum: 0 }),
    completed: Type.Integer({ minimum: 0 }),
    failed: Type.Integer({ minimum: 0 }),
    cancelled: Type.Integer({ minimum: 0 }),
    swaps: Type.Integer({ minimum: 0, description: 'Changes of filament' }),
    deadlines: Type.Integer({ minimum: 0 }),
    deadlines_kept: Type.Integer({ minimum: 0 }),
    print_hours: Type.Number({ minimum: 0, description: 'Printer time' }),
    busy_hours: Type.Number({ minimum: 0, description: 'Wall time with a print in progress' }),
    available_hours: Type.Number({ minimum: 0, description: 'Wall time since each printer was first seen' }),
    grams: Type.Number({ minimum: 0 }),
    filament_usd: Type.Number({ minimum: 0 }),
    machine_usd: Type.Number({ minimum: 0 }),
    electricity_usd: Type.Number({ minimum: 0 }),
    cost_usd: Type.Number({ minimum: 0 }),
    utilisation_percent: Nullable(Type.Number({ minimum: 0 })),
    deadlines_kept_percent: Nullable(Type.Number({ minimum: 0 })),
    eta_error_percent: Nullable(
      Type.Number({ minimum: 0, description: 'Deviation of durations from their estimates' }),
    ),
  }),
);
export type NumbersOfGroup = Static<typeof NumbersOfGroup>;

export const Numbers = named(
  'Numbers',
  Type.Object({
    from: Time,
    to: Time,
    by: OneOf(['day', 'printer', 'material']),
    time_zone: Type.String(),
    groups: Type.Array(
      Type.Intersect([
        NumbersOfGroup,
        Type.Object({
          key: Type.String({ description: 'A day as 2026-11-24, or the id of a printer or material' }),
          name: Type.String(),
        }),
      ]),
    ),
    total: NumbersOfGroup,
  }),
);
export type Numbers = Static<typeof Numbers>;

export const DeadLetter = named(
  'DeadLetter',
  Type.Object({
    id: Type.String({ format: 'uuid' }),
    job_id: Nullable(Type.String({ format: 'uuid' })),
    attempt_id: Nullable(Type.String({ format: 'uuid' })),
    reason: Type.String(),
    message: Type.Unknown(),
    created_at: Time,
  }),
);
export type DeadLetter = Static<typeof DeadLetter>;

export const Health = named(
  'Health',
  Type.Object({
    status: OneOf(['ok', 'degraded']),
    database: OneOf(['ok', 'away', 'read_only']),
    broker: OneOf(['ok', 'away', 'blocked']),
    reasons: Type.Array(
      Type.Object({
        code: OneOf([
          'database_away',
          'database_read_only',
          'broker_away',
          'broker_blocked',
          'publish_refused',
          'topology_conflict',
          'no_relay',
          'outbox_stuck',
          'farm_paused',
          'database_restored',
        ]),
        text: Type.String(),
      }),
      { description: 'Obstacles that prevent dispatches from reaching printers' },
    ),
  }),
);
export type Health = Static<typeof Health>;

export const DeadLetters = Type.Object({ dead_letters: Type.Array(DeadLetter), next_cursor: Cursor });
export type DeadLetters = Static<typeof DeadLetters>;

export const DiscardedDeadLetter = Type.Object({
  id: Type.String({ format: 'uuid' }),
  resolution: Type.Literal('discarded'),
});
export type DiscardedDeadLetter = Static<typeof DiscardedDeadLetter>;

export const ReplayedDeadLetter = Type.Object({
  id: Type.String({ format: 'uuid' }),
  job_id: Nullable(Type.String({ format: 'uuid' })),
  status: JobStatus,
});
export type ReplayedDeadLetter = Static<typeof ReplayedDeadLetter>;

export const PauseReason = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) },
  { additionalProperties: false },
);
export type PauseReason = Static<typeof PauseReason>;

export const PausedFarm = Type.Object({
  paused: FarmPause,
  taken_back: Type.Array(Type.String({ format: 'uuid' }), { description: 'Jobs that were on their way to a printer' }),
});
export type PausedFarm = Static<typeof PausedFarm>;

export const ResumedFarm = Type.Object({ paused: Type.Null() });
export type ResumedFarm = Static<typeof ResumedFarm>;

export const OpenApiDocument = Type.Object({ openapi: Type.String(), paths: AnyObject() });
export type OpenApiDocument = Static<typeof OpenApiDocument>;
