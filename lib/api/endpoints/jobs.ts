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
    description: 'The file is streamed to disk and read once.',
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
        description: 'Repeating the same submission with the same key creates one job only.',
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
    summary: 'Preview a job',
    description: 'Accepts the same input as submitJob and refuses it for the same reasons. No job is stored.',
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
    summary: 'Get all details of one job',
    parameters: [ifNoneMatch],
    response: {
      description: 'The job',
      schema: Job,
      headers: {
        ETag: { description: 'For If-None-Match, and for If-Match of a change that is based on this answer' },
      },
    },
    responses: { 304: { description: 'The job has not changed' } },
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
    response: { description: 'No part of the job prints or will start', schema: Cancelled },
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
    summary: 'Change the terms of an open job',
    description: 'Absent fields keep their values; prints under way go on.',
    parameters: [ifMatch],
    request: { schema: JobChange },
    response: { description: 'The new terms of the job', schema: ChangedJob },
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
    summary: 'Assign an open job to another printer, or to any',
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
    summary: 'Hold a job',
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
    summary: 'Release a held job',
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
    summary: "Get the camera photo of a job's end",
    description:
      'The photo of the latest attempt that has one, or of the named attempt. The field `photo` of an attempt shows whether it has one.',
    parameters: [{ name: 'attempt_id', in: 'query', schema: Type.String({ format: 'uuid' }) }],
    response: {
      description: 'The picture',
      media: {
        'image/jpeg': Type.String({ contentMediaType: 'image/jpeg' }),
        'image/png': Type.String({ contentMediaType: 'image/png' }),
      },
      headers: { 'Cache-Control': { description: 'private' }, 'X-Content-Type-Options': { description: 'nosniff' } },
    },
    responses: { 304: { description: 'The photo has not changed' } },
    question: { name: 'job-photo', subject: 'job_id' },
    handle: (call) => photoOf(call),
  }),
  endpoint({
    method: 'GET',
    path: '/queue',
    operationId: 'getQueue',
    tag: 'jobs',
    scope: 'read',
    summary: 'List the jobs: those under way first, then the waiting ones in plan order',
    parameters: [
      { name: 'status', in: 'query', schema: Type.String(), description: 'One or more statuses, separated by commas' },
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
