import type { TSchema } from '@sinclair/typebox';
import { Problem } from '../contracts/common';
import { jsonSchemaOf } from '../contracts/schema';
import { packageVersion } from '../store/package-directory';
import type { Endpoint, Parameter, Refusal, Response } from './endpoint';

const info = {
  title: 'Platewise',
  summary: '3D printers of different makes as one machine',
  description:
    'Times are ISO 8601 UTC, lengths mm, weights grams, money USD, durations hours of printer time. Errors are problem details (RFC 9457) and change nothing. Lists take `limit` and `cursor` and answer with `next_cursor`.',
  license: { name: 'MIT', identifier: 'MIT' },
};

const tags: Readonly<Record<Endpoint['tag'], string>> = {
  jobs: 'What somebody asked for',
  plan: 'What will be printed where and when, and why',
  printers: 'Machines, beds and filaments',
  trouble: 'What needs a person',
  farm: 'The farm as a whole',
};

type RefusalName = Refusal | 'Malformed' | 'Unauthorized' | 'Forbidden' | 'Away';

/** Each refusal with its status. */
const refusals: Readonly<Record<RefusalName, { status: number; description: string }>> = {
  Malformed: { status: 400, description: 'Body or query do not match' },
  Unauthorized: { status: 401, description: 'No key that is in use' },
  Forbidden: {
    status: 403,
    description: 'The key may not do this, or the request comes from a page of another site or under a strange name',
  },
  NotFound: { status: 404, description: 'There is nothing with this id' },
  Conflict: { status: 409, description: 'The present state forbids it' },
  Stale: { status: 412, description: 'The job has changed since the ETag in If-Match' },
  TooLarge: { status: 413, description: 'The file is too large' },
  Unacceptable: { status: 422, description: 'The shape is right but the content cannot be accepted' },
  TooMany: { status: 429, description: 'One client has sent as many files as it may in a minute' },
  Away: { status: 503, description: 'The database or a printer cannot be reached at present' },
  Full: { status: 507, description: 'All files together have as much as they may' },
};

const component = (kind: string, name: string): { $ref: string } => ({ $ref: `#/components/${kind}/${name}` });
const schemaReference = (name: string): string => component('schemas', name).$ref;

/** The OpenAPI 3.1 description of these endpoints. */
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
          description: 'A key made with `platewise keys create`. Nothing is asked for until there is one.',
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
      headers: { 'Retry-After': { description: 'Seconds until it may try again', schema: { type: 'integer' } } },
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

/** Everything that an endpoint may refuse a request for. */
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

/** Collects every contract with a name in a schema, however deep. */
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
