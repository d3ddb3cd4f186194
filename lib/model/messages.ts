import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { type FieldError, MalformedInputError } from './errors';
import { infillPatterns, type PrintSettings, qualityPattern, seams, supportKinds } from './settings';

/**
 * Every message that crosses a border, as JSON Schema: what is submitted over HTTP or a wire, and what the broker
 * carries. Checked at both ends; behind the check the types below are trusted.
 */

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
addFormats(ajv);

const printSettingsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    nozzle_temp: { type: 'number', minimum: 0, maximum: 500 },
    bed_temp: { type: 'number', minimum: 0, maximum: 200 },
    layer_height: { type: 'number', exclusiveMinimum: 0, maximum: 2 },
    infill: { type: 'number', minimum: 0, maximum: 100 },
    speed: { type: 'number', exclusiveMinimum: 0, maximum: 1000 },
    supports: { enum: supportKinds },
    brim: { type: 'number', minimum: 0, maximum: 50 },
    walls: { type: 'integer', minimum: 1, maximum: 20 },
    top_layers: { type: 'integer', minimum: 0, maximum: 100 },
    bottom_layers: { type: 'integer', minimum: 0, maximum: 100 },
    infill_pattern: { enum: infillPatterns },
    seam: { enum: seams },
    first_layer_height: { type: 'number', exclusiveMinimum: 0, maximum: 2 },
    quality: { type: 'string', pattern: qualityPattern },
  },
} as const;

const uuid = { type: 'string', format: 'uuid' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const nullable = <T extends object>(schema: T) => ({ anyOf: [schema, { type: 'null' }] });

/** A job as it is submitted. */
export interface JobSubmission {
  job_name: string;
  stl_path: string;
  material_id: string;
  print_settings?: PrintSettings;
  priority?: number;
  deadline_at?: string | null;
  force_printer?: string | null;
  created_by?: string;
  goal_id?: string | null;
  kit_id?: string | null;
  max_retries?: number;
  copies?: number;
  not_before?: string | null;
  depends_on?: string[];
  hold?: boolean;
  /** Which plate of the file: its number from 1, or its name. */
  plate?: number | string;
  /** The submitter's word that a sliced file which names no machine was made for the printers that it fits. */
  accept_unknown_machine?: boolean;
}

const jobSubmissionSchema = {
  type: 'object',
  required: ['job_name', 'stl_path', 'material_id'],
  additionalProperties: false,
  properties: {
    job_name: { type: 'string', minLength: 1, maxLength: 255 },
    stl_path: { type: 'string', minLength: 1, maxLength: 4096 },
    material_id: { type: 'string', minLength: 1, maxLength: 50 },
    print_settings: printSettingsSchema,
    priority: { type: 'integer', minimum: 1, maximum: 10 },
    deadline_at: nullable(time),
    force_printer: nullable({ type: 'string', minLength: 1, maxLength: 50 }),
    created_by: { type: 'string', minLength: 1, maxLength: 100 },
    goal_id: nullable({ type: 'string', minLength: 1, maxLength: 100 }),
    kit_id: nullable({ type: 'string', minLength: 1, maxLength: 100 }),
    max_retries: { type: 'integer', minimum: 0, maximum: 100 },
    copies: { type: 'integer', minimum: 1, maximum: 1_000_000 },
    not_before: nullable(time),
    depends_on: { type: 'array', items: uuid, maxItems: 1000, uniqueItems: true },
    hold: { type: 'boolean' },
    plate: { type: ['integer', 'string'], minimum: 1, maximum: 10_000, minLength: 1, maxLength: 255 },
    accept_unknown_machine: { type: 'boolean' },
  },
} as const;

/** What may be asked otherwise of an open job; a field that is absent stays as it is, null takes a time away. */
export type JobChange = Partial<
  Pick<JobSubmission, 'job_name' | 'priority' | 'deadline_at' | 'not_before' | 'copies' | 'depends_on'>
>;

const { job_name, priority, deadline_at, not_before, copies, depends_on } = jobSubmissionSchema.properties;
const jobChangeSchema = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: { job_name, priority, deadline_at, not_before, copies, depends_on },
} as const;

/** What the broker carries to a printer's agent: one attempt that is to be claimed. */
export interface DispatchMessage {
  job_id: string;
  job_name: string;
  stl_path: string;
  gcode_path: string | null;
  material_id: string;
  print_settings: PrintSettings;
  estimated_duration_hours: number | null;
  priority: number;
  deadline_at: string | null;
  retry_count: number;
  max_retries: number;
  attempt: {
    attempt_id: string;
    copy: number;
    printer_id: string;
    file_name: string;
    slot: string;
    model_sha256: string;
  };
}

const dispatchSchema = {
  type: 'object',
  required: [
    'job_id',
    'job_name',
    'stl_path',
    'gcode_path',
    'material_id',
    'print_settings',
    'estimated_duration_hours',
    'priority',
    'deadline_at',
    'retry_count',
    'max_retries',
    'attempt',
  ],
  properties: {
    job_id: uuid,
    job_name: { type: 'string' },
    stl_path: { type: 'string' },
    gcode_path: nullable({ type: 'string' }),
    material_id: { type: 'string' },
    print_settings: printSettingsSchema,
    estimated_duration_hours: nullable({ type: 'number' }),
    priority: { type: 'integer', minimum: 1, maximum: 10 },
    deadline_at: nullable(time),
    retry_count: { type: 'integer', minimum: 0 },
    max_retries: { type: 'integer', minimum: 0 },
    attempt: {
      type: 'object',
      required: ['attempt_id', 'copy', 'printer_id', 'file_name', 'slot', 'model_sha256'],
      properties: {
        attempt_id: uuid,
        copy: { type: 'integer', minimum: 1 },
        printer_id: { type: 'string' },
        file_name: { type: 'string' },
        slot: { type: 'string' },
        model_sha256: sha256,
      },
    },
  },
} as const;

/** What the fanout `fabrication.status` tells. */
export type StatusMessage =
  | {
      event: 'job';
      job_id: string;
      /** Counts this job's events without a gap: 1, 2, 3 … */
      job_seq: number;
      job_name: string;
      from_status: string | null;
      to_status: string;
      reason: string | null;
      changed_by: string;
      changed_at: string;
      printer_id: string | null;
    }
  | {
      event: 'bed';
      printer_id: string;
      bed: { state: 'clear' | 'occupied'; cause: string | null; attempt_id: string | null; version: number };
      /** Why, where no report of the printer and no operator says it: the database was restored. */
      reason?: string;
      changed_by: string;
      changed_at: string;
    }
  | {
      /** A spool has fallen below what counts as low. */
      event: 'low_stock';
      spool_id: string;
      material_id: string;
      label: string | null;
      grams_left: number;
      /** Where it is loaded. */
      printer_id: string | null;
      slot: string | null;
      changed_by: string;
      changed_at: string;
    }
  | {
      /** A printer needs a person. */
      event: 'attention';
      printer_id: string;
      job_id: string | null;
      code: string;
      text: string;
      remedy: string;
      since: string;
      changed_by: string;
      changed_at: string;
    };

const statusSchema = {
  type: 'object',
  required: ['event', 'changed_at', 'changed_by'],
  properties: {
    event: { enum: ['job', 'bed', 'low_stock', 'attention'] },
    changed_at: time,
    changed_by: { type: 'string' },
  },
} as const;

/** A line of a plan on the wire and in the API; times are ISO 8601 UTC, null where only an operator can say when. */
export interface PlanMessageLine {
  job_id: string;
  job_name: string;
  printer_id: string;
  slot: string | null;
  start: string | null;
  end: string | null;
  setups: string[];
  ready: boolean;
  /** When the operator should begin; null: there is nothing to do, or nobody can say. */
  setup_at: string | null;
  deadline_at: string | null;
  /** Minutes between its end and its deadline; null without one. */
  slack_minutes: number | null;
}

/** A plan on the wire and in the API. */
export interface PlanMessage {
  /** A later plan has a higher one. */
  version: number;
  lines: PlanMessageLine[];
  /** How many there are, with those that were not asked for. */
  total_lines: number;
  /** What is under way, and when it should end. */
  running: { printer_id: string; job_id: string | null; job_name: string; until: string }[];
  /** When somebody is there, in the week ahead; null: it is not known. */
  operator_hours: { from: string; until: string }[] | null;
  /** Place of each waiting job, from 1, by job id. */
  positions: Record<string, number>;
  /** Why each waiting job has not started, by job id. */
  waiting: Record<string, string>;
  /** What it costs in weighted hours, what no plan can undercut, and the share between; only with operator hours. */
  value?: { cost: number; lower_bound: number; gap: number; rule_cost: number };
  /** The farm is paused: nothing new starts; null: it is not. */
  paused: { since: string; by: string; reason: string | null } | null;
  /** Deadlines that it does not keep, and the cheapest that would help. */
  alerts: { job_id: string; deadline_at: string; late_minutes: number; remedy: string }[];
}

/** Of a plan that comes back on a wire only what the tick needs is asked for; everything is checked again anyway. */
const planSchema = {
  type: 'object',
  required: ['lines'],
  properties: {
    version: { type: 'number' },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        required: ['job_id', 'printer_id', 'ready'],
        properties: { job_id: uuid, printer_id: { type: 'string' }, ready: { type: 'boolean' } },
      },
    },
  },
} as const;

const remedies: Record<string, (error: ErrorObject) => string> = {
  minProperties: () => 'Name at least one field that is to change.',
  maxProperties: () => 'Give either grams_left, or gross_grams and tare_grams.',
  dependencies: (error) => `Add the field "${String(error.params['missingProperty'])}".`,
  required: (error) => `Add the field "${String(error.params['missingProperty'])}".`,
  additionalProperties: (error) => `Remove "${String(error.params['additionalProperty'])}"; it is not a field here.`,
  type: (error) => `Give a value of type ${String(error.params['type'])}.`,
  format: (error) =>
    error.params['format'] === 'date-time'
      ? 'Give a time in ISO 8601 with a zone, for example 2026-11-24T08:00:00Z.'
      : `Give a value in the form of a ${String(error.params['format'])}.`,
};

function fieldErrors(errors: ErrorObject[], input: unknown): FieldError[] {
  const byField = new Map<string, FieldError>();
  for (const error of errors) {
    if (error.keyword === 'anyOf' || (error.keyword === 'type' && error.params['type'] === 'null')) continue;
    const path = error.instancePath.split('/').slice(1);
    const missing = error.params['missingProperty'] ?? error.params['additionalProperty'];
    if (typeof missing === 'string') path.push(missing);
    const field = path.join('.') || '(body)';
    let value: unknown = input;
    for (const part of path) value = (value as Record<string, unknown> | undefined | null)?.[part];
    const remedy = remedies[error.keyword]?.(error) ?? `The value ${error.message ?? 'is not accepted'}.`;
    if (!byField.has(field)) byField.set(field, { field, value: value ?? null, remedy });
  }
  return [...byField.values()];
}

function parserOf<T>(schema: object, what: string): (input: unknown) => T {
  const validate: ValidateFunction = ajv.compile(schema);
  return (input) => {
    if (validate(input)) return input as T;
    const errors = fieldErrors(validate.errors ?? [], input);
    const fields = errors.map((error) => error.field).join(', ');
    throw new MalformedInputError(`The ${what} does not match its schema: ${fields}.`, errors);
  };
}

/** Each parser returns the typed input or throws a MalformedInputError that names every field. */
export const parseJobSubmission = parserOf<JobSubmission>(jobSubmissionSchema, 'job');
export const parseJobChange = parserOf<JobChange>(jobChangeSchema, 'change of the job');
export const parseDispatchMessage = parserOf<DispatchMessage>(dispatchSchema, 'dispatch message');
export const parseStatusMessage = parserOf<StatusMessage>(statusSchema, 'status message');
export const parsePlan = parserOf<Pick<PlanMessage, 'lines'>>(planSchema, 'plan');
export const parsePriorityChange = parserOf<{ priority: number }>(
  {
    type: 'object',
    required: ['priority'],
    additionalProperties: false,
    properties: { priority: { type: 'integer', minimum: 1, maximum: 10 } },
  },
  'change of priority',
);
export const parseReassignment = parserOf<{ force_printer: string | null }>(
  {
    type: 'object',
    required: ['force_printer'],
    additionalProperties: false,
    properties: { force_printer: nullable({ type: 'string', minLength: 1, maxLength: 50 }) },
  },
  'reassignment',
);
export const parseRelease = parserOf<{ accept_unknown_machine?: boolean }>(
  {
    type: 'object',
    properties: { accept_unknown_machine: { type: 'boolean' } },
  },
  'release',
);
export const parseFarmPause = parserOf<{ reason?: string }>(
  {
    type: 'object',
    additionalProperties: false,
    properties: { reason: { type: 'string', minLength: 1, maxLength: 500 } },
  },
  'pause',
);
export const parseBedClear = parserOf<{ bed_version?: number }>(
  {
    type: 'object',
    additionalProperties: false,
    properties: { bed_version: { type: 'integer', minimum: 0 } },
  },
  'bed clearance',
);
export const parseOutcomeAnswer = parserOf<{ printed: boolean; machine_off?: boolean }>(
  {
    type: 'object',
    required: ['printed'],
    additionalProperties: false,
    properties: { printed: { type: 'boolean' }, machine_off: { type: 'boolean' } },
  },
  'answer',
);
export const parseIdentity = parserOf<{ found?: Record<string, string> }>(
  {
    type: 'object',
    additionalProperties: false,
    properties: {
      found: { type: 'object', maxProperties: 10, additionalProperties: { type: 'string', maxLength: 200 } },
    },
  },
  'identity',
);
export const parseNewSpool = parserOf<{ material_id: string; grams: number; label?: string }>(
  {
    type: 'object',
    required: ['material_id', 'grams'],
    additionalProperties: false,
    properties: {
      material_id: { type: 'string', minLength: 1, maxLength: 50 },
      grams: { type: 'number', minimum: 0.01, maximum: 100_000 },
      label: { type: 'string', maxLength: 100 },
    },
  },
  'spool',
);
/** What is left on a spool: as a number, or as it was weighed. */
export interface SpoolChange {
  grams_left?: number;
  gross_grams?: number;
  tare_grams?: number;
}

const weight = { type: 'number', minimum: 0, maximum: 100_000 } as const;
export const parseSpoolChange = parserOf<SpoolChange>(
  {
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: { grams_left: weight, gross_grams: weight, tare_grams: weight },
    dependencies: { gross_grams: ['tare_grams'], tare_grams: ['gross_grams'], grams_left: { maxProperties: 1 } },
  },
  'correction of the spool',
);

/** What a material is; °C, g/cm³, mm, USD. */
export interface MaterialChange {
  name?: string;
  type?: string;
  colour?: string;
  colour_hex?: string;
  brand?: string;
  density_g_cm3?: number;
  diameter_mm?: number;
  usd_per_kg?: number;
  nozzle_temp?: number;
  bed_temp?: number;
}

const materialProperties = {
  name: { type: 'string', minLength: 1, maxLength: 100 },
  type: { type: 'string', minLength: 1, maxLength: 20 },
  colour: { type: 'string', minLength: 1, maxLength: 50 },
  colour_hex: { type: 'string', pattern: '^#?[0-9A-Fa-f]{6}$' },
  brand: { type: 'string', minLength: 1, maxLength: 50 },
  density_g_cm3: { type: 'number', minimum: 0.1, maximum: 25 },
  diameter_mm: { type: 'number', minimum: 0.5, maximum: 5 },
  usd_per_kg: { type: 'number', minimum: 0, maximum: 100_000 },
  nozzle_temp: { type: 'integer', minimum: 150, maximum: 450 },
  bed_temp: { type: 'integer', minimum: 0, maximum: 150 },
} as const;

export const parseMaterialChange = parserOf<MaterialChange>(
  { type: 'object', additionalProperties: false, minProperties: 1, properties: materialProperties },
  'change of the material',
);
export const parseNewMaterial = parserOf<MaterialChange & { material_id: string }>(
  {
    type: 'object',
    required: [
      'material_id',
      'name',
      'type',
      'colour',
      'colour_hex',
      'brand',
      'density_g_cm3',
      'usd_per_kg',
      'nozzle_temp',
      'bed_temp',
    ],
    additionalProperties: false,
    properties: { material_id: { type: 'string', pattern: '^[a-z0-9][a-z0-9_.-]{0,49}$' }, ...materialProperties },
  },
  'material',
);
export const parseSlotChange = parserOf<{ spool_id: string | null }>(
  { type: 'object', required: ['spool_id'], additionalProperties: false, properties: { spool_id: nullable(uuid) } },
  'slot',
);

/** What might be otherwise: each field is optional, none changes anything. */
export interface WhatIf {
  jobs?: {
    name?: string;
    like?: string;
    material_id?: string;
    hours?: number;
    grams?: number;
    dimensions_mm?: { x: number; y: number; z: number };
    priority?: number;
    deadline_at?: string | null;
    copies?: number;
    force_printer?: string | null;
  }[];
  printers_down?: string[];
  operator_hours?: string;
  spools?: { material_id: string; grams: number; printer_id?: string; slot?: string }[];
}

export const parseWhatIf = parserOf<WhatIf>(
  {
    type: 'object',
    additionalProperties: false,
    properties: {
      jobs: {
        type: 'array',
        maxItems: 100,
        items: {
          type: 'object',
          additionalProperties: false,
          properties: {
            name: { type: 'string', minLength: 1, maxLength: 255 },
            like: uuid,
            material_id: { type: 'string', minLength: 1, maxLength: 50 },
            hours: { type: 'number', exclusiveMinimum: 0, maximum: 1000 },
            grams: { type: 'number', minimum: 0, maximum: 100_000 },
            dimensions_mm: {
              type: 'object',
              required: ['x', 'y', 'z'],
              additionalProperties: false,
              properties: { x: { type: 'number' }, y: { type: 'number' }, z: { type: 'number' } },
            },
            priority: { type: 'integer', minimum: 1, maximum: 10 },
            deadline_at: nullable(time),
            copies: { type: 'integer', minimum: 1, maximum: 1_000_000 },
            force_printer: nullable({ type: 'string', minLength: 1, maxLength: 50 }),
          },
        },
      },
      printers_down: { type: 'array', maxItems: 1000, items: { type: 'string', minLength: 1, maxLength: 50 } },
      operator_hours: { type: 'string', pattern: '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' },
      spools: {
        type: 'array',
        maxItems: 100,
        items: {
          type: 'object',
          required: ['material_id', 'grams'],
          additionalProperties: false,
          properties: {
            material_id: { type: 'string', minLength: 1, maxLength: 50 },
            grams: { type: 'number', exclusiveMinimum: 0, maximum: 100_000 },
            printer_id: { type: 'string', minLength: 1, maxLength: 50 },
            slot: { type: 'string', minLength: 1, maxLength: 20 },
          },
        },
      },
    },
  },
  'question',
);

export const parseClosure = parserOf<{ from: string; until: string; reason: string }>(
  {
    type: 'object',
    required: ['from', 'until', 'reason'],
    additionalProperties: false,
    properties: { from: time, until: time, reason: { type: 'string', minLength: 1, maxLength: 500 } },
  },
  'closure',
);

export const parseSetupDone = parserOf<{ spool_id?: string; bed_version?: number }>(
  {
    type: 'object',
    additionalProperties: false,
    properties: { spool_id: uuid, bed_version: { type: 'integer', minimum: 0 } },
  },
  'setup',
);
