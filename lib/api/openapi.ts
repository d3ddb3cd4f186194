import type { TSchema } from '@sinclair/typebox';
import { Problem } from '../contracts/common';
import { jsonSchemaOf } from '../contracts/schema';
import { packageVersion } from '../store/package-directory';
import type { Endpoint, Parameter, Refusal, Response } from './endpoint';

const info = {
  title: 'Platewise',
  summary: '3D printers of different makes, run as one machine',
  description:
    'Times are ISO 8601 UTC, lengths mm, weights grams, money USD, durations hours of printer time. Errors are problem details (RFC 9457) and change nothing. Lists accept `limit` and `cursor` and return `next_cursor`.',
  license: { name: 'MIT', identifier: 'MIT' },
};

const tags: Readonly<Record<Endpoint['tag'], string>> = {
  jobs: 'Print jobs and their files',
  plan: 'Where and when each job will be printed, and why',
  printers: 'Machines, beds and filaments',
  trouble: 'Problems that need an operator',
  farm: 'The farm as a whole',
};

type RefusalName = Refusal | 'Malformed' | 'Unauthorized' | 'Forbidden' | 'Away';

/** The status and description of each refusal. */
const refusals: Readonly<Record<RefusalName, { status: number; description: string }>> = {
  Malformed: { status: 400, description: 'The body or the query does not match its schema' },
  Unauthorized: { status: 401, description: 'No valid key' },
  Forbidden: {
    status: 403,
    description:
      'The key lacks the scope, or the request comes from a page of another site or for an unknown host name',
  },
  NotFound: { status: 404, description: 'No resource has this id' },
  Conflict: { status: 409, description: 'The current state does not allow it' },
  Stale: { status: 412, description: 'The job has changed since the ETag in If-Match' },
  TooLarge: { status: 413, description: 'The file is too large' },
  Unacceptable: { status: 422, description: 'The body is well-formed, but its content cannot be accepted' },
  TooMany: { status: 429, description: 'The client has reached its limit of uploads per minute' },
  Away: { status: 503, description: 'The database or a printer is unreachable' },
  Full: { status: 507, description: 'The storage limit for files is reached' },
};

const component = (kind: string, name: string): { $ref: string } => ({ $ref: `#/components/${kind}/${name}` });
const schemaReference = (name: string): string => component('schemas', name).$ref;

/** Returns the OpenAPI 3.1 description of these endpoints. */
export function describeApi(endpoints: readonly Endpoint[]): {
  openapi: string;
  paths: Record<string, unknown>;
  [part: string]: unknown;
} {
  const schemas = new Map<string, TSchema>();
  const schemaOf = (schema: TSchema): object => {
    collect(schema, schemas);
    return schema.$id === undefined ? jsonSchemaOf(schema, schemaReference) : { $ref: schemaReference(schema.$id) };
  };
  schemaOf(Problem);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const row of endpoints) {
    const path = paths[row.path] ?? {};
    path[row.method.toLowerCase()] = operationOf(row, schemaOf);
    paths[row.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: { ...info, version: packageVersion() },
    servers: [{ url: '/api/fabrication' }],
    security: [{ key: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key made with `platewise keys create`. No key is required until one exists.',
        },
      },
      responses: Object.fromEntries(
        Object.entries(refusals).map(([name, { description }]) => [name, problemResponse(name, description)]),
      ),
      schemas: Object.fromEntries(
        [...schemas]
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([name, schema]) => [name, jsonSchemaOf(schema, schemaReference)]),
      ),
    },
  };
}

function problemResponse(name: string, description: string): object {
  return {
    description,
    ...(name === 'TooMany' && {
      headers: {
        'Retry-After': { description: 'Seconds to wait before the next attempt', schema: { type: 'integer' } },
      },
    }),
    content: { 'application/problem+json': { schema: component('schemas', 'Problem') } },
  };
}

function operationOf(row: Endpoint, schemaOf: (schema: TSchema) => object): object {
  const needs = row.scope === null || row.scope === 'read' ? [] : [`Needs the scope ${row.scope}.`];
  const description = [...needs, ...(row.description === undefined ? [] : [row.description])].join(' ');
  const parameters = [
    ...[...row.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...(row.parameters ?? []).map((parameter) => parameterOf(parameter, schemaOf)),
  ];
  const { request } = row;
  return {
    tags: [row.tag],
    operationId: row.operationId,
    summary: row.summary,
    ...(description !== '' && { description }),
    ...(row.scope === null && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(request && {
      requestBody: {
        ...(!request.optional && { required: true }),
        content: { [request.media ?? 'application/json']: { schema: schemaOf(request.schema) } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(row.responses).map(([status, response]) => [status, responseOf(response, schemaOf)]),
      ),
      ...Object.fromEntries(refusalsOf(row).map((name) => [refusals[name].status, component('responses', name)])),
    },
  };
}

/** Every refusal that an endpoint can answer with. */
function refusalsOf(row: Endpoint): RefusalName[] {
  const always: RefusalName[] = row.scope === null ? ['Away'] : ['Malformed', 'Unauthorized', 'Forbidden', 'Away'];
  return [...always, ...(row.path.includes('{') ? (['NotFound'] as const) : []), ...(row.refusals ?? [])];
}

function parameterOf(
  { name, in: where, description, schema }: Parameter,
  schemaOf: (schema: TSchema) => object,
): object {
  return { name, in: where, ...(description !== undefined && { description }), schema: schemaOf(schema) };
}

function responseOf(response: Response, schemaOf: (schema: TSchema) => object): object {
  const { description, schema, media, headers } = response;
  const content = { ...(schema && { 'application/json': schema }), ...media };
  const withoutBody = Object.keys(content).length === 0;
  return {
    description,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, header]) => [name, { ...header, schema: { type: 'string' } }]),
      ),
    }),
    ...(!withoutBody && {
      content: Object.fromEntries(Object.entries(content).map(([type, one]) => [type, { schema: schemaOf(one) }])),
    }),
  };
}

/** Collects every named contract in a schema, at any depth. */
function collect(value: unknown, found: Map<string, TSchema>): void {
  if (Array.isArray(value)) {
    for (const one of value) collect(one, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { $id } = value as { $id?: unknown };
  if (typeof $id === 'string') found.set($id, value as TSchema);
  for (const one of Object.values(value)) collect(one, found);
}
