import { type Static, Type } from '@sinclair/typebox';
import { infillPatterns, qualityPattern, seams, supportKinds } from '../model/settings';
import { Action, JobStatus, Priority, Spread, Time } from './common';
import { AnyObject, Nullable, named, OneOf } from './schema';

export const FitReason = named(
  'FitReason',
  Type.Object({
    code: Type.String(),
    text: Type.String(),
    remedy: Type.String(),
    whose: OneOf(['file', 'job', 'printer', 'stock']),
    permanent: Type.Boolean({ description: 'It holds as long as the job, the file and the printer do not change' }),
  }),
);
export type FitReason = Static<typeof FitReason>;

export const PrintSettings = named(
  'PrintSettings',
  Type.Object(
    {
      nozzle_temp: Type.Optional(Type.Number({ minimum: 0, maximum: 500 })),
      bed_temp: Type.Optional(Type.Number({ minimum: 0, maximum: 200 })),
      layer_height: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 2 })),
      infill: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
      speed: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000 })),
      supports: Type.Optional(OneOf(supportKinds, { description: 'auto: on the bed only' })),
      brim: Type.Optional(Type.Number({ minimum: 0, maximum: 50, description: 'mm' })),
      walls: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
      top_layers: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
      bottom_layers: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
      infill_pattern: Type.Optional(OneOf(infillPatterns)),
      seam: Type.Optional(OneOf(seams)),
      first_layer_height: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 2, description: 'mm' })),
      quality: Type.Optional(Type.String({ pattern: qualityPattern, description: 'The name of a slicing profile' })),
    },
    { additionalProperties: false },
  ),
);
export type PrintSettings = Static<typeof PrintSettings>;

export const JobSubmission = named(
  'JobSubmission',
  Type.Object(
    {
      job_name: Type.String({ minLength: 1, maxLength: 255 }),
      stl_path: Type.String({ minLength: 1, maxLength: 4096 }),
      material_id: Type.String({ minLength: 1, maxLength: 50 }),
      print_settings: Type.Optional(PrintSettings),
      priority: Type.Optional(Priority),
      deadline_at: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
      force_printer: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 50 }))),
      prefer_printer: Type.Optional(
        Nullable(
          Type.String({ minLength: 1, maxLength: 50, description: 'Taken unless the job would end much later there' }),
        ),
      ),
      created_by: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
      goal_id: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 100 }))),
      kit_id: Type.Optional(
        Nullable(
          Type.String({
            minLength: 1,
            maxLength: 100,
            description: 'Jobs of one kit are planned to be complete together',
          }),
        ),
      ),
      max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, default: 2 })),
      copies: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000000, default: 1 })),
      not_before: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
      depends_on: Type.Optional(Type.Array(Type.String({ format: 'uuid' }), { maxItems: 1000, uniqueItems: true })),
      hold: Type.Optional(Type.Boolean({ default: false })),
      plate: Type.Optional(
        Type.Unsafe<number | string>({
          type: ['integer', 'string'],
          minimum: 1,
          maximum: 10000,
          minLength: 1,
          maxLength: 255,
          description: 'The plate of a file with several, by its number or its name',
        }),
      ),
      accept_unknown_machine: Type.Optional(
        Type.Boolean({
          default: false,
          description:
            "The submitter's confirmation that a sliced file which names no machine was made for the printers that it fits",
        }),
      ),
    },
    { additionalProperties: false },
  ),
);
export type JobSubmission = Static<typeof JobSubmission>;

export const JobChange = named(
  'JobChange',
  Type.Object(
    {
      job_name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      priority: Type.Optional(Priority),
      deadline_at: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
      not_before: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
      copies: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1000000, description: 'At least the copies that are done and under way' }),
      ),
      depends_on: Type.Optional(Type.Array(Type.String({ format: 'uuid' }), { maxItems: 1000, uniqueItems: true })),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
);
export type JobChange = Static<typeof JobChange>;

export const ChangedJob = named(
  'ChangedJob',
  Type.Object({
    job_id: Type.String({ format: 'uuid' }),
    version: Type.Integer(),
    job_name: Type.String(),
    priority: Priority,
    deadline_at: Nullable(Type.String({ format: 'date-time' })),
    not_before: Nullable(Type.String({ format: 'date-time' })),
    copies: Type.Integer(),
    depends_on: Type.Array(Type.String({ format: 'uuid' })),
  }),
);
export type ChangedJob = Static<typeof ChangedJob>;

export const PromiseOfJob = named(
  'Promise',
  Type.Object({
    job_id: Type.String(),
    start: Spread,
    end: Spread,
    deadline: Nullable(Type.Object({ meets: Type.Boolean(), likely: Type.Boolean(), text: Type.String() })),
  }),
);
export type PromiseOfJob = Static<typeof PromiseOfJob>;

export const Shift = named(
  'Shift',
  Type.Object({
    job_id: Type.String(),
    minutes: Nullable(Type.Number({ description: 'Positive: later; null: the job has no place in the plan any more' })),
    breaks_deadline: Type.Boolean(),
  }),
);
export type Shift = Static<typeof Shift>;

export const SubmittedJob = named(
  'SubmittedJob',
  Type.Object({
    job_id: Type.String({ format: 'uuid' }),
    status: JobStatus,
    queue_position: Nullable(Type.Integer({ minimum: 1 })),
    estimated_start_time: Nullable(Type.String({ format: 'date-time' })),
    waiting_reason: Nullable(Type.String()),
    warnings: Type.Array(Type.String()),
    promise: Nullable(PromiseOfJob),
    pushes_back: Type.Array(Shift),
  }),
);
export type SubmittedJob = Static<typeof SubmittedJob>;

export const JobPreview = named(
  'JobPreview',
  Type.Object({
    estimated_grams: Nullable(Type.Number({ description: 'Of one copy' })),
    estimated_hours: Nullable(Type.Number({ description: 'Printer time of one copy' })),
    estimated_cost_usd: Nullable(Type.Number({ description: 'Of one copy' })),
    printers: Type.Array(
      Type.Object({
        printer_id: Type.String(),
        name: Type.String(),
        because: Nullable(Type.String({ description: 'Why it can never print this' })),
        fits: Type.Boolean({ description: 'Whether it can ever print this' }),
        now: Type.Boolean({ description: 'Whether it could start now' }),
        reasons: Type.Array(FitReason),
      }),
    ),
    promise: Nullable(PromiseOfJob),
    waiting_reason: Nullable(Type.String()),
    pushes_back: Type.Array(Type.Intersect([Shift, Type.Object({ job_name: Type.String() })])),
    warnings: Type.Array(Type.String()),
    thumbnail: Nullable(Type.String({ description: 'data:image/png;base64,…' })),
  }),
);
export type JobPreview = Static<typeof JobPreview>;

export const Attempt = named(
  'Attempt',
  Type.Object({
    attempt_id: Type.String({ format: 'uuid' }),
    copy: Type.Integer({ minimum: 1 }),
    printer_id: Type.String(),
    phase: OneOf([
      'dispatched',
      'claimed',
      'preparing',
      'uploading',
      'starting',
      'outcome_unknown',
      'printing',
      'ended',
    ]),
    file_name: Type.String(),
    slot: Type.Optional(Type.String()),
    gcode_sha256: Type.Optional(Nullable(Type.String())),
    started_at: Nullable(Type.String({ format: 'date-time' })),
    ended_at: Nullable(Type.String({ format: 'date-time' })),
    outcome: OneOf(['completed', 'failed', 'cancelled', 'not_started', 'withdrawn', null]),
    reason: Nullable(Type.String()),
    photo: Type.Boolean({ description: 'Whether getJobPhoto has a photo of its end' }),
  }),
);
export type Attempt = Static<typeof Attempt>;

export const HistoryLine = named(
  'HistoryLine',
  Type.Object({
    from_status: Nullable(JobStatus),
    to_status: JobStatus,
    reason: Nullable(Type.String()),
    changed_at: Time,
    changed_by: Nullable(Type.String()),
  }),
);
export type HistoryLine = Static<typeof HistoryLine>;

export const Job = named(
  'Job',
  Type.Object({
    job_id: Type.String({ format: 'uuid' }),
    id: Type.String({ format: 'uuid' }),
    version: Type.Integer({ minimum: 1, description: 'Increases with every change of the job' }),
    job_name: Type.String(),
    stl_path: Type.String(),
    gcode_path: Nullable(Type.String()),
    material_id: Type.String(),
    print_settings: PrintSettings,
    estimated_grams: Nullable(Type.Number()),
    estimated_cost_usd: Nullable(Type.Number()),
    estimated_duration_hours: Nullable(Type.Number()),
    priority: Priority,
    deadline_at: Nullable(Type.String({ format: 'date-time' })),
    assigned_printer_id: Nullable(Type.String()),
    status: JobStatus,
    status_reason: Nullable(Type.String()),
    started_at: Nullable(Type.String({ format: 'date-time' })),
    completed_at: Nullable(Type.String({ format: 'date-time' })),
    actual_duration_hours: Nullable(Type.Number()),
    actual_cost_usd: Nullable(Type.Number()),
    created_at: Time,
    updated_at: Time,
    created_by: Nullable(Type.String()),
    retry_count: Type.Integer(),
    max_retries: Type.Integer(),
    goal_id: Nullable(Type.String()),
    kit_id: Nullable(Type.String()),
    kit: Nullable(
      Type.Object({
        parts: Type.Integer({ minimum: 1, description: 'Jobs of the kit that are not cancelled' }),
        completed: Type.Integer({ minimum: 0 }),
        estimated_end_time: Nullable(
          Type.String({ format: 'date-time', description: 'When the plan completes the last part' }),
        ),
      }),
      { description: 'The jobs that should be complete together with it' },
    ),
    outcome_id: Nullable(Type.String({ format: 'uuid' })),
    copies: Type.Integer({ minimum: 1 }),
    copies_done: Type.Integer({ minimum: 0 }),
    not_before: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
    depends_on: Type.Optional(Type.Array(Type.String({ format: 'uuid' }))),
    force_printer: Type.Optional(Nullable(Type.String())),
    prefer_printer: Type.Optional(Nullable(Type.String())),
    hold: Type.Optional(Type.Boolean()),
    plate: Type.Optional(Nullable(Type.Integer({ minimum: 1 }))),
    accept_unknown_machine: Type.Optional(Type.Boolean()),
    file_facts: Type.Optional(Nullable(AnyObject({ description: 'The requirements of the file' }))),
    queue_position: Nullable(Type.Integer({ minimum: 1 })),
    estimated_start_time: Nullable(Type.String({ format: 'date-time' })),
    waiting_reason: Nullable(Type.String()),
    attempts: Type.Array(Attempt),
    history: Type.Array(HistoryLine),
    actions: Type.Optional(Type.Array(Action)),
  }),
);
export type Job = Static<typeof Job>;

export const Cancelled = named(
  'Cancelled',
  Type.Object({ job_id: Type.String({ format: 'uuid' }), status: Type.Literal('cancelled'), cancellation_time: Time }),
);
export type Cancelled = Static<typeof Cancelled>;

export const CancelRequested = named(
  'CancelRequested',
  Type.Object({ job_id: Type.String({ format: 'uuid' }), status: JobStatus, cancel_requested: Type.Literal(true) }),
);
export type CancelRequested = Static<typeof CancelRequested>;

export const Reassigned = named(
  'Reassigned',
  Type.Object({
    job_id: Type.String({ format: 'uuid' }),
    status: JobStatus,
    force_printer: Nullable(Type.String()),
    taken_from: Type.Array(Type.String()),
  }),
);
export type Reassigned = Static<typeof Reassigned>;

export const Held = named(
  'Held',
  Type.Object({ job_id: Type.String({ format: 'uuid' }), hold: Type.Boolean(), status: JobStatus }),
);
export type Held = Static<typeof Held>;

export const PriorityChange = Type.Object({ priority: Priority }, { additionalProperties: false });
export type PriorityChange = Static<typeof PriorityChange>;

export const ChangedPriority = Type.Object({ job_id: Type.String({ format: 'uuid' }), priority: Priority });
export type ChangedPriority = Static<typeof ChangedPriority>;

export const Reassignment = Type.Object(
  { force_printer: Nullable(Type.String({ minLength: 1, maxLength: 50 })) },
  { additionalProperties: false },
);
export type Reassignment = Static<typeof Reassignment>;

export const Release = Type.Object({
  accept_unknown_machine: Type.Optional(
    Type.Boolean({
      description: 'Confirmation that a file which names no machine was made for the printers that it fits',
    }),
  ),
});
export type Release = Static<typeof Release>;

export const OutcomeAnswer = Type.Object(
  {
    printed: Type.Boolean(),
    machine_off: Type.Optional(
      Type.Boolean({ description: 'With `printed: false`, for an unreachable printer: it is switched off' }),
    ),
  },
  { additionalProperties: false },
);
export type OutcomeAnswer = Static<typeof OutcomeAnswer>;

export const AnsweredOutcome = Type.Object({
  attempt_id: Type.String({ format: 'uuid' }),
  job_id: Type.String({ format: 'uuid' }),
  status: JobStatus,
});
export type AnsweredOutcome = Static<typeof AnsweredOutcome>;
