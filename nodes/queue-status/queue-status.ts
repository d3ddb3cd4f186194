import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { deadLetters, spools } from '../../lib/coordinator/changes';
import { closures } from '../../lib/coordinator/closures';
import type { Farm } from '../../lib/coordinator/farm';
import { health } from '../../lib/coordinator/health';
import { homeAssistant } from '../../lib/coordinator/home-assistant';
import { metrics, metricsType } from '../../lib/coordinator/metrics';
import { paged } from '../../lib/coordinator/paging';
import { planMessage, plannedNow } from '../../lib/coordinator/plan';
import { promisesKept } from '../../lib/coordinator/promises';
import { type JobView, jobDetail, materials, printers, queue } from '../../lib/coordinator/queries';
import { setups } from '../../lib/coordinator/setups';
import { whatIf } from '../../lib/coordinator/what-if';
import { whyJob, whyPrinter } from '../../lib/coordinator/why';
import { packageDirectory } from '../../lib/store/package-directory';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { entityTag, hasAlready } from '../http/entity-tag';
import { bodyOf, type FlowMessage } from '../http/request';
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

const questions: Record<string, (farm: Farm, message: FlowMessage) => Promise<unknown>> = {
  queue: (farm, message) => queue(farm, queryOf(message)),
  job: (farm, message) => jobDetail(farm, subjectOf(message, 'job_id')),
  printers: async (farm, message) => paged(await printers(farm), 'printers', 'printer_id', queryOf(message)),
  plan: (farm) => plannedNow(farm).then(planMessage),
  'why-job': (farm, message) => whyJob(farm, subjectOf(message, 'job_id')),
  'why-printer': (farm, message) => whyPrinter(farm, subjectOf(message, 'printer_id')),
  'what-if': (farm, message) => whatIf(farm, message.req ? bodyOf(message) : queryOf(message)),
  setups: async (farm, message) => paged(await setups(farm), 'setups', 'id', queryOf(message)),
  closures: async (farm, message) => paged(await closures(farm), 'closures', 'id', queryOf(message)),
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
    const ask = questions[definition.question] ?? questions['queue'];
    const scope = definition.question === 'health' ? null : 'read';
    onInput(this, { access, scope }, async (message) => {
      const farm = await access.farm();
      if (definition.question !== 'events') {
        const payload = await ask?.(farm, message);
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
