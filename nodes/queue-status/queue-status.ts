import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { closures } from '../../lib/beds/closures';
import type { Farm } from '../../lib/farm/farm';
import { homeAssistant } from '../../lib/integrations/home-assistant';
import { metrics, metricsType } from '../../lib/integrations/metrics';
import { deadLetters } from '../../lib/jobs/changes';
import { previewJob } from '../../lib/jobs/preview';
import { MalformedInputError } from '../../lib/model/errors';
import { paged } from '../../lib/model/paging';
import { planMessage, plannedForAll, planPart } from '../../lib/schedule/plan';
import { promisesKept } from '../../lib/schedule/promises';
import { materials } from '../../lib/stock/materials';
import { spools } from '../../lib/stock/spools';
import { packageDirectory } from '../../lib/store/package-directory';
import { health } from '../../lib/views/health';
import { jobPhoto } from '../../lib/views/job-photo';
import { numbers, numbersCsv } from '../../lib/views/numbers';
import { type JobView, jobDetail, printers, queue } from '../../lib/views/queries';
import { QueueFeed } from '../../lib/views/queue-feed';
import { setups } from '../../lib/views/setups';
import { whatIf } from '../../lib/views/what-if';
import { whyJob, whyPrinter } from '../../lib/views/why';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { entityTag, hasAlready } from '../http/entity-tag';
import { bodyOf, type FlowMessage, headerOf } from '../http/request';
import { onInput } from '../input';
import { streamEvents } from './event-stream';

interface QueueStatusDefinition extends FarmNodeDefinition {
  /** One of the keys of `questions`. */
  question: string;
}

/** What is asked with: the query of a request, or the payload of a wire. */
function queryOf(message: FlowMessage): Record<string, unknown> {
  if (message.req) return message.req.query;
  return typeof message.payload === 'object' && message.payload !== null
    ? (message.payload as Record<string, unknown>)
    : {};
}

/** Of what is asked: the id in the URL, or in the payload of a wire. */
function subjectOf(message: FlowMessage, name: string): string {
  return message.req?.params['id'] ?? String(queryOf(message)[name] ?? message.payload);
}

/** The description of the HTTP interface, as it was built from docs/openapi.yaml. */
function description(): unknown {
  return JSON.parse(readFileSync(join(packageDirectory(), 'dist', 'openapi.json'), 'utf8'));
}

/** The figures; as a table if the request, or `format` on a wire, wants one. */
async function numbersAs(farm: Farm, message: FlowMessage): Promise<unknown> {
  const query = queryOf(message);
  const answer = await numbers(farm, query);
  const csv = query['format'] === 'csv' || (headerOf(message, 'accept') ?? '').includes('text/csv');
  if (!csv) return answer;
  message.headers = {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="numbers-by-${answer.by}.csv"`,
  };
  return numbersCsv(answer);
}

/** The picture of a job's end, as bytes. It shows what somebody makes: no cache on the way may keep it. */
async function photoAs(farm: Farm, message: FlowMessage): Promise<Buffer> {
  const { attempt_id } = queryOf(message);
  if (attempt_id !== undefined && typeof attempt_id !== 'string') {
    const remedy = 'Give the id of one attempt of the job, or leave it out.';
    throw new MalformedInputError('The attempt is no text.', [{ field: 'attempt_id', value: attempt_id, remedy }]);
  }
  const { bytes, type } = await jobPhoto(farm, subjectOf(message, 'job_id'), attempt_id);
  message.headers = { 'content-type': type, 'cache-control': 'private', 'x-content-type-options': 'nosniff' };
  return bytes;
}

/** Each question; undefined is no answer, and nothing is sent. What a node has told already its own feed knows. */
const questions: Record<string, (farm: Farm, message: FlowMessage, feed: QueueFeed) => Promise<unknown>> = {
  queue: (farm, message) => queue(farm, queryOf(message)),
  'queue-changes': (farm, message, feed) => feed.tell(farm, queryOf(message)['whole'] === true),
  job: (farm, message) => jobDetail(farm, subjectOf(message, 'job_id')),
  'job-photo': (farm, message) => photoAs(farm, message),
  printers: async (farm, message) => paged(await printers(farm), 'printers', 'printer_id', queryOf(message)),
  plan: async (farm, message) => {
    const part = planPart(queryOf(message));
    return planMessage(await plannedForAll(farm), part);
  },
  'why-job': (farm, message) => whyJob(farm, subjectOf(message, 'job_id')),
  'why-printer': (farm, message) => whyPrinter(farm, subjectOf(message, 'printer_id')),
  'what-if': (farm, message) => whatIf(farm, message.req ? bodyOf(message) : queryOf(message)),
  preview: (farm, message) => previewJob(farm, message.req ? bodyOf(message) : queryOf(message)),
  setups: async (farm, message) => paged(await setups(farm), 'setups', 'id', queryOf(message)),
  closures: async (farm, message) => paged(await closures(farm), 'closures', 'id', queryOf(message)),
  numbers: (farm, message) => numbersAs(farm, message),
  promises: (farm) => promisesKept(farm),
  materials: async (farm, message) => paged(await materials(farm), 'materials', 'material_id', queryOf(message)),
  spools: async (farm, message) => paged(await spools(farm), 'spools', 'spool_id', queryOf(message)),
  health: (farm) => health(farm),
  'dead-letters': async (farm, message) => paged(await deadLetters(farm), 'dead_letters', 'id', queryOf(message)),
  'home-assistant': (farm, message) => homeAssistant(farm, queryOf(message)),
  metrics: (farm) => metrics(farm),
  openapi: () => Promise.resolve(description()),
  // Answered by a stream, which ends when the client leaves.
  events: () => Promise.resolve(undefined),
};

export = (RED: NodeAPI): void => {
  function QueueStatus(this: Node, definition: QueueStatusDefinition): void {
    RED.nodes.createNode(this, definition);
    const closing = new AbortController();
    const access = useFarm(RED, this, definition, { closing: () => closing.abort() });
    const feed = new QueueFeed();
    const ask = questions[definition.question] ?? questions['queue'];
    const scope = definition.question === 'health' ? null : 'read';
    onInput(this, { access, scope }, async (message) => {
      const farm = await access.farm();
      if (definition.question !== 'events') {
        const payload = await ask?.(farm, message, feed);
        if (payload === undefined) return undefined;
        if (definition.question === 'metrics') return { payload, headers: { 'content-type': metricsType } };
        if (definition.question !== 'job') return { payload };
        const tag = entityTag((payload as JobView).version, payload);
        return hasAlready(message, tag)
          ? { payload: '', statusCode: 304, headers: { etag: tag } }
          : { payload, headers: { etag: tag } };
      }
      await streamEvents(farm, message, closing.signal);
      return undefined;
    });
  }
  RED.nodes.registerType('queue-status', QueueStatus);
};
