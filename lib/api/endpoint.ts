import type { Static, TNever, TSchema } from '@sinclair/typebox';
import type { Scope } from '../model/scope';
import { Answer, type Call } from './call';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Tag = 'jobs' | 'plan' | 'printers' | 'trouble' | 'farm';

/** Refusals beyond those of every endpoint (a malformed request, a missing key, an unreachable service). */
export type Refusal = 'NotFound' | 'Conflict' | 'Stale' | 'Unacceptable' | 'TooLarge' | 'TooMany' | 'Full';

/** A parameter of the query or a header. */
export interface Parameter {
  name: string;
  in: 'query' | 'header';
  schema: TSchema;
  description?: string;
}

/** One answer of an endpoint: JSON under a contract, or other media. */
export interface Response {
  description: string;
  schema?: TSchema;
  media?: Readonly<Record<string, TSchema>>;
  headers?: Readonly<Record<string, { description: string }>>;
}

/** One row of the API: the complete description of an endpoint. */
export interface Endpoint {
  method: Method;
  /** Below the root of the API, with parameters in braces: `/jobs/{id}`. */
  path: string;
  operationId: string;
  tag: Tag;
  /** The scope that a key must have; null: no key is required. */
  scope: Scope | null;
  summary: string;
  description?: string;
  parameters?: readonly Parameter[];
  /** The body; with `optional` it may be absent. */
  request?: { schema: TSchema; media?: string; optional?: boolean };
  responses: Readonly<Record<number, Response>>;
  refusals?: readonly Refusal[];
  /** The equivalent action of a `job-control` node, and the payload field that names its subject. */
  action?: { name: string; subject?: string };
  /** The equivalent question of a `queue-status` node, and the payload field that names its subject. */
  question?: { name: string; subject?: string };
  /** Resolves to undefined if the endpoint has answered itself, with a stream. */
  handle(call: Call): Promise<Answer | undefined>;
}

/** A row whose handler returns the payload of its contract, or an answer of its own. */
type Row<Schema extends TSchema> = Omit<Endpoint, 'handle' | 'responses'> & {
  /** The usual status; 200 if absent. */
  status?: number;
  /** The usual answer. */
  response: Omit<Response, 'schema'> & { schema?: Schema };
  /** Further answers that are not refusals. */
  responses?: Endpoint['responses'];
  handle(call: Call): Promise<Static<Schema> | Answer | undefined>;
};

/** Makes one row of the API. */
export function endpoint<Schema extends TSchema = TNever>(row: Row<Schema>): Endpoint {
  const { status = 200, response, responses, handle, ...rest } = row;
  return {
    ...rest,
    responses: { [status]: response, ...responses },
    handle: async (call) => {
      const handled: unknown = await handle(call);
      return handled === undefined || handled instanceof Answer ? handled : new Answer(handled, status);
    },
  };
}
