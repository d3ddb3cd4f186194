import { Type } from '@sinclair/typebox';
import { Health, Numbers, OpenApiDocument, PausedFarm, PauseReason, ResumedFarm } from '../../contracts/farm';
import { OneOf } from '../../contracts/schema';
import { metrics, metricsType } from '../../integrations/metrics';
import { pauseFarm, resumeFarm } from '../../jobs/farm-pause';
import { health } from '../../views/health';
import { Answer } from '../call';
import { type Endpoint, endpoint } from '../endpoint';
import { streamEvents } from '../event-stream';
import { numbersAs } from '../media';
import { describeApi } from '../openapi';

export const farmEndpoints = [
  endpoint({
    method: 'GET',
    path: '/numbers',
    operationId: 'getNumbers',
    tag: 'farm',
    scope: 'read',
    summary: 'Get the figures of a period',
    description:
      'A print counts at its end, a change of filament at the start of the print that needed it, a deadline at its due time. As `text/csv` (by the header Accept, or `format=csv`) the answer is a table with the total in its last row; cells that a spreadsheet would read as formulas begin with an apostrophe.',
    parameters: [
      {
        name: 'from',
        in: 'query',
        schema: Type.String({ format: 'date-time' }),
        description: 'Seven days before the end if absent',
      },
      {
        name: 'to',
        in: 'query',
        schema: Type.String({ format: 'date-time' }),
        description: 'Now if absent; at most 366 days after the beginning',
      },
      { name: 'by', in: 'query', schema: OneOf(['day', 'printer', 'material'], { default: 'day' }) },
      {
        name: 'time_zone',
        in: 'query',
        schema: Type.String({ default: 'UTC' }),
        description: 'The time zone of the days, an IANA name',
      },
      { name: 'format', in: 'query', schema: OneOf(['json', 'csv'], { default: 'json' }) },
    ],
    response: { description: 'The figures', schema: Numbers, media: { 'text/csv': Type.String() } },
    question: { name: 'numbers' },
    handle: (call) => numbersAs(call),
  }),
  endpoint({
    method: 'GET',
    path: '/events',
    operationId: 'getEvents',
    tag: 'farm',
    scope: 'read',
    summary: 'Stream every change as it happens',
    description:
      'Server-Sent Events. `job` (a change of a job), `bed` (a bed was cleared or became occupied), `attention` (a printer needs an operator) and `low_stock` (a spool is nearly empty) carry the body of the message and its number as id; `changed` (a printer or the plan changed) and `gap` (the requested events are no longer kept) carry an empty object. With Last-Event-ID all events since that one come first.',
    parameters: [
      { name: 'Last-Event-ID', in: 'header', schema: Type.String({ pattern: '^\\d{1,15}$' }) },
      {
        name: 'last_event_id',
        in: 'query',
        schema: Type.String({ pattern: '^\\d{1,15}$' }),
        description: 'For clients that cannot send the header',
      },
    ],
    response: { description: 'The stream', media: { 'text/event-stream': Type.String() } },
    question: { name: 'events' },
    handle: async (call) => {
      await streamEvents(call);
      return undefined;
    },
  }),
  endpoint({
    method: 'POST',
    path: '/farm/pause',
    operationId: 'pauseFarm',
    tag: 'farm',
    scope: 'operate',
    summary: 'Pause the farm: nothing new starts',
    description: 'Running prints go on; attempts that have certainly not been started return to the queue.',
    request: { schema: PauseReason, optional: true },
    response: { description: 'Nothing new starts', schema: PausedFarm },
    action: { name: 'pause-farm' },
    handle: ({ farm, body, actor }) => pauseFarm(farm, body(), actor),
  }),
  endpoint({
    method: 'POST',
    path: '/farm/resume',
    operationId: 'resumeFarm',
    tag: 'farm',
    scope: 'operate',
    summary: 'Resume the farm: new prints start again',
    request: { schema: PauseReason, optional: true },
    response: { description: 'The farm is not paused', schema: ResumedFarm },
    action: { name: 'resume-farm' },
    handle: ({ farm, body }) => resumeFarm(farm, body()),
  }),
  endpoint({
    method: 'GET',
    path: '/health',
    operationId: 'getHealth',
    tag: 'farm',
    scope: null,
    summary: 'Get the health of the farm',
    response: { description: 'The answer', schema: Health },
    question: { name: 'health' },
    handle: ({ farm }) => health(farm),
  }),
  endpoint({
    method: 'GET',
    path: '/metrics',
    operationId: 'getMetrics',
    tag: 'farm',
    scope: 'read',
    summary: 'Get the metrics for Prometheus',
    response: { description: 'The Prometheus text format', media: { 'text/plain': Type.String() } },
    question: { name: 'metrics' },
    handle: async ({ farm }) => new Answer(await metrics(farm), 200, { 'content-type': metricsType }),
  }),
];

/** The endpoint that describes the API. @param all returns every endpoint, this one included */
export const openApiEndpoint = (all: () => readonly Endpoint[]): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    tag: 'farm',
    scope: 'read',
    summary: 'Get this description',
    response: { description: 'OpenAPI 3.1', schema: OpenApiDocument },
    question: { name: 'openapi' },
    handle: async () => describeApi(all()),
  });
