import { Type } from '@sinclair/typebox';
import { Queue } from '../../contracts/farm';
import { StoredFile } from '../../contracts/files';
import {
  Cancelled,
  CancelRequested,
  ChangedJob,
  ChangedPriority,
  Held,
  Job,
  JobChange,
  JobPreview,
  JobSubmission,
  PriorityChange,
  Reassigned,
  Reassignment,
  Release,
  SubmittedJob,
} from '../../contracts/jobs';
import { cancelJob } from '../../jobs/cancel';
import { changeJob } from '../../jobs/change-job';
import { hold, reprioritise } from '../../jobs/changes';
import { previewJob } from '../../jobs/preview';
import { reassign } from '../../jobs/reassign';
import { submitJob } from '../../jobs/submit';
import { storeFile } from '../../shared-files/take-file';
import { jobDetail, queue } from '../../views/queries';
import { Answer } from '../call';
import { endpoint } from '../endpoint';
import { versionsWanted, withEntityTag } from '../entity-tag';
import { photoOf } from '../media';
import { cursor, ifMatch, ifNoneMatch, limit } from '../parameters';
import { idOf, requestOf } from '../requests';
import { receiveFile } from '../upload';

export const jobsEndpoints = [
  endpoint({
    method: 'POST',
    path: '/files',
    operationId: 'uploadFile',
    tag: 'jobs',
    scope: 'submit',
    summary: 'Store a model or a sliced file',
    description: 'The file is streamed to the disk and read once.',
    request: {
      schema: Type.Object({ file: Type.String({ format: 'binary', description: '.stl, .3mf, .gcode or .gcode.3mf' }) }),
      media: 'multipart/form-data',
    },
    status: 201,
    response: { description: 'It is stored', schema: StoredFile },
    refusals: ['TooLarge', 'Unacceptable', 'TooMany', 'Full'],
    handle: async (call) => {
      await call.farm.uploadLimit.take(call.client);
      return receiveFile(requestOf(call), (stream, name) => storeFile(call.farm, stream, name));
    },
  }),
  endpoint({
    method: 'POST',
    path: '/jobs',
    operationId: 'submitJob',
    tag: 'jobs',
    scope: 'submit',
    summary: 'Submit a job',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        schema: Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' }),
        description: 'The same submission with the same key makes one job, however often it is sent.',
      },
    ],
    request: { schema: JobSubmission },
    status: 201,
    response: { description: 'It is accepted', schema: SubmittedJob },
    refusals: ['Unacceptable'],
    handle: ({ farm, body, actor, header }) => submitJob(farm, body(), actor, header('idempotency-key')),
  }),
  endpoint({
    method: 'POST',
    path: '/jobs/preview',
    operationId: 'previewJob',
    tag: 'jobs',
    scope: 'read',
    summary: 'What a job would be',
    description: 'Takes what submitJob takes, and refuses what it refuses. No job is stored.',
    request: { schema: JobSubmission },
    response: { description: 'Estimates, promise and picture', schema: JobPreview },
    refusals: ['Unacceptable'],
    question: { name: 'preview' },
    handle: ({ farm, body }) => previewJob(farm, body()),
  }),
  endpoint({
    method: 'GET',
    path: '/jobs/{id}',
    operationId: 'getJob',
    tag: 'jobs',
    scope: 'read',
    summary: 'Everything about one job',
    parameters: [ifNoneMatch],
    response: {
      description: 'The job',
      schema: Job,
      headers: { ETag: { description: 'For If-None-Match, and for If-Match of a change that is decided upon this' } },
    },
    responses: { 304: { description: 'It is as it was' } },
    question: { name: 'job', subject: 'job_id' },
    handle: async (call) => withEntityTag(call, await jobDetail(call.farm, idOf(call))),
  }),
  endpoint({
    method: 'DELETE',
    path: '/jobs/{id}',
    operationId: 'cancelJob',
    tag: 'jobs',
    scope: 'operate',
    summary: 'Cancel a job in any open status',
    parameters: [ifMatch],
    response: { description: 'Nothing of it will start or prints any more', schema: Cancelled },
    responses: {
      202: { description: 'The printer has not confirmed the stop yet; no start goes out', schema: CancelRequested },
    },
    refusals: ['Conflict', 'Stale'],
    action: { name: 'cancel', subject: 'job_id' },
    handle: async (call) => {
      const { done, ...payload } = await cancelJob(call.farm, idOf(call), call.actor, {
        versions: versionsWanted(call),
      });
      return new Answer(payload, done ? 200 : 202);
    },
  }),
  endpoint({
    method: 'PATCH',
    path: '/jobs/{id}',
    operationId: 'changeJob',
    tag: 'jobs',
    scope: 'operate',
    summary: 'Change what is asked for an open job',
    description: 'A field that is absent stays as it is; what is under way goes on.',
    parameters: [ifMatch],
    request: { schema: JobChange },
    response: { description: 'What is asked for it from now on', schema: ChangedJob },
    refusals: ['Conflict', 'Stale', 'Unacceptable'],
    action: { name: 'change-job', subject: 'job_id' },
    handle: (call) => changeJob(call.farm, idOf(call), call.body(), call.actor, versionsWanted(call)),
  }),
  endpoint({
    method: 'PATCH',
    path: '/jobs/{id}/priority',
    operationId: 'changePriority',
    tag: 'jobs',
    scope: 'operate',
    summary: 'Change the priority of an open job',
    parameters: [ifMatch],
    request: { schema: PriorityChange },
    response: { description: 'It is changed', schema: ChangedPriority },
    refusals: ['Conflict', 'Stale'],
    action: { name: 'priority', subject: 'job_id' },
    handle: (call) => reprioritise(call.farm, idOf(call), call.body(), call.actor, versionsWanted(call)),
  }),
  endpoint({
    method: 'PATCH',
    path: '/jobs/{id}/printer',
    operationId: 'reassignJob',
    tag: 'jobs',
    scope: 'operate',
    summary: 'Give an open job to another printer, or to any',
    parameters: [ifMatch],
    request: { schema: Reassignment },
    response: { description: 'It is moved', schema: Reassigned },
    refusals: ['Conflict', 'Stale', 'Unacceptable'],
    action: { name: 'reassign', subject: 'job_id' },
    handle: (call) => reassign(call.farm, idOf(call), call.body(), call.actor, versionsWanted(call)),
  }),
  endpoint({
    method: 'POST',
    path: '/jobs/{id}/hold',
    operationId: 'holdJob',
    tag: 'jobs',
    scope: 'operate',
    summary: 'Keep a job back',
    parameters: [ifMatch],
    response: { description: 'It is held', schema: Held },
    refusals: ['Conflict', 'Stale'],
    action: { name: 'hold', subject: 'job_id' },
    handle: (call) => hold(call.farm, idOf(call), true, call.actor, versionsWanted(call)),
  }),
  endpoint({
    method: 'POST',
    path: '/jobs/{id}/release',
    operationId: 'releaseJob',
    tag: 'jobs',
    scope: 'operate',
    summary: 'Let a held job go',
    parameters: [ifMatch],
    request: { schema: Release, optional: true },
    response: { description: 'It is released', schema: Held },
    refusals: ['Conflict', 'Stale'],
    action: { name: 'release', subject: 'job_id' },
    handle: (call) => hold(call.farm, idOf(call), false, call.actor, versionsWanted(call), call.body()),
  }),
  endpoint({
    method: 'GET',
    path: '/jobs/{id}/photo',
    operationId: 'getJobPhoto',
    tag: 'jobs',
    scope: 'read',
    summary: "What the printer's camera saw at the end of a job",
    description:
      'Of its latest attempt that has a photo, or of the attempt that is named. The `photo` of an attempt says whether it has one.',
    parameters: [{ name: 'attempt_id', in: 'query', schema: Type.String({ format: 'uuid' }) }],
    response: {
      description: 'The picture',
      media: {
        'image/jpeg': Type.String({ contentMediaType: 'image/jpeg' }),
        'image/png': Type.String({ contentMediaType: 'image/png' }),
      },
      headers: { 'Cache-Control': { description: 'private' }, 'X-Content-Type-Options': { description: 'nosniff' } },
    },
    responses: { 304: { description: 'It is as it was' } },
    question: { name: 'job-photo', subject: 'job_id' },
    handle: (call) => photoOf(call),
  }),
  endpoint({
    method: 'GET',
    path: '/queue',
    operationId: 'getQueue',
    tag: 'jobs',
    scope: 'read',
    summary: 'What is under way, then what waits in the order of the plan',
    parameters: [
      { name: 'status', in: 'query', schema: Type.String(), description: 'One or several statuses, with commas' },
      { name: 'printer_id', in: 'query', schema: Type.String() },
      { name: 'kit_id', in: 'query', schema: Type.String() },
      limit,
      cursor,
    ],
    response: { description: 'The queue', schema: Queue },
    refusals: ['NotFound'],
    question: { name: 'queue' },
    handle: ({ farm, query }) => queue(farm, query),
  }),
];
