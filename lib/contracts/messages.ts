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
 * Every message that crosses a border: what is submitted over HTTP or a wire, and what the broker carries. Checked at both ends; behind
 * the check the types are trusted.
 */

const Uuid = Type.String({ format: 'uuid' });

/** What the broker carries to a printer's agent: one attempt that is to be claimed. */
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

/** What every message of the status bus has; the rest is as this version, or another one, has written it. */
const StatusHead = Type.Object({
  event: OneOf(['job', 'bed', 'low_stock', 'attention']),
  changed_at: Time,
  changed_by: Type.String(),
});

/** A plan on the wire and in the API. */
export type PlanMessage = Plan;
export type PlanMessageLine = Plan['lines'][number];

/** Of a plan that comes back on a wire only what the tick needs is asked for; everything is checked again anyway. */
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
