import { type Static, Type } from '@sinclair/typebox';
import { Priority, Time } from './common';
import { PauseReason } from './farm';
import { JobChange, JobSubmission, OutcomeAnswer, PrintSettings, PriorityChange, Reassignment, Release } from './jobs';
import { parserOf } from './parser';
import { NewClosure, type Plan, SetupDone, WhatIf } from './plan';
import { BedClearance, IdentityAcceptance, SlotChange } from './printers';
import { Nullable, OneOf } from './schema';
import { MaterialChange, NewMaterial, NewSpool, SpoolChange } from './stock';

/**
 * Every message that crosses a boundary: submissions over HTTP or a wire, and messages of the broker. Both ends check them; behind
 * the check the types are trusted.
 */

const Uuid = Type.String({ format: 'uuid' });

/** A dispatch to a printer's agent: one attempt to claim. */
export const DispatchMessage = Type.Object({
  job_id: Uuid,
  job_name: Type.String(),
  stl_path: Type.String(),
  gcode_path: Nullable(Type.String()),
  material_id: Type.String(),
  print_settings: PrintSettings,
  estimated_duration_hours: Nullable(Type.Number()),
  priority: Priority,
  deadline_at: Nullable(Time),
  retry_count: Type.Integer({ minimum: 0 }),
  max_retries: Type.Integer({ minimum: 0 }),
  attempt: Type.Object({
    attempt_id: Uuid,
    copy: Type.Integer({ minimum: 1 }),
    printer_id: Type.String(),
    file_name: Type.String(),
    slot: Type.String(),
    model_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  }),
});
export type DispatchMessage = Static<typeof DispatchMessage>;

/** A message of the fanout `fabrication.status`. */
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
      /** The reason, if it is neither a report of the printer nor an operator's: the database was restored. */
      reason?: string;
      changed_by: string;
      changed_at: string;
    }
  | {
      /** A spool has become low. */
      event: 'low_stock';
      spool_id: string;
      material_id: string;
      label: string | null;
      grams_left: number;
      /** The printer in which it is loaded. */
      printer_id: string | null;
      slot: string | null;
      changed_by: string;
      changed_at: string;
    }
  | {
      /** A printer needs an operator. */
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

/** Every event of the status bus. */
const statusEvents = Object.keys({
  job: true,
  bed: true,
  low_stock: true,
  attention: true,
} satisfies Record<StatusMessage['event'], true>) as StatusMessage['event'][];

/** The common part of every message of the status bus; the rest depends on the version that wrote it. */
const StatusHead = Type.Object({
  event: OneOf(statusEvents),
  changed_at: Time,
  changed_by: Type.String(),
});

/** A plan on the wire and in the API. */
export type PlanMessage = Plan;
export type PlanMessageLine = Plan['lines'][number];

/** The part of a plan from a wire that the tick needs; everything is checked again anyway. */
const PlanOnAWire = Type.Object({
  version: Type.Optional(Type.Number()),
  lines: Type.Array(Type.Object({ job_id: Uuid, printer_id: Type.String(), ready: Type.Boolean() })),
});

export type { JobChange, JobSubmission } from './jobs';
export type { WhatIf } from './plan';
export type { MaterialChange, SpoolChange } from './stock';

export const parseJobSubmission = parserOf(JobSubmission, 'job');
export const parseJobChange = parserOf(JobChange, 'change of the job');
export const parseDispatchMessage = parserOf(DispatchMessage, 'dispatch message');
export const parseStatusMessage = parserOf(StatusHead, 'status message') as (input: unknown) => StatusMessage;
export const parsePlan = parserOf(PlanOnAWire, 'plan');
export const parsePriorityChange = parserOf(PriorityChange, 'change of priority');
export const parseReassignment = parserOf(Reassignment, 'reassignment');
export const parseRelease = parserOf(Release, 'release');
export const parseFarmPause = parserOf(PauseReason, 'pause');
export const parseBedClear = parserOf(BedClearance, 'bed clearance');
export const parseOutcomeAnswer = parserOf(OutcomeAnswer, 'answer');
export const parseIdentity = parserOf(IdentityAcceptance, 'identity');
export const parseNewSpool = parserOf(NewSpool, 'spool');
export const parseSpoolChange = parserOf(SpoolChange, 'correction of the spool');
export const parseMaterialChange = parserOf(MaterialChange, 'change of the material');
export const parseNewMaterial = parserOf(NewMaterial, 'material');
export const parseSlotChange = parserOf(SlotChange, 'slot');
export const parseWhatIf = parserOf(WhatIf, 'question');
export const parseClosure = parserOf(NewClosure, 'closure');
export const parseSetupDone = parserOf(SetupDone, 'setup');
