import type { Static, TNever, TSchema } from '@sinclair/typebox';
import type { Scope } from '../model/scope';
import { Answer, type Call } from './call';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Tag = 'jobs' | 'plan' | 'printers' | 'trouble' | 'farm';

/** Why a request may be refused besides what holds for every endpoint: a malformed request, a key, a part that is away. */
export type Refusal = 'NotFound' | 'Conflict' | 'Stale' | 'Unacceptable' | 'TooLarge' | 'TooMany' | 'Full';

/** A parameter of the query or a header. */
export interface Parameter {
  name: string;
  in: 'query' | 'header';
  schema: TSchema;
  description?: string;
}

/** One answer of an endpoint: JSON of a contract, or other media. */
export interface Response {
  description: string;
  schema?: TSchema;
  media?: Readonly<Record<string, TSchema>>;
  headers?: Readonly<Record<string, { description: string }>>;
}

/** One row of the API: everything that there is to know of an endpoint. */
export interface Endpoint {
  method: Method;
  /** Below the root of the API, with parameters in braces: `/jobs/{id}`. */
  path: string;
  operationId: string;
  tag: Tag;
  /** What a key must be good for; null: no key is asked for. */
  scope: Scope | null;
  summary: string;
  description?: string;
  parameters?: readonly Parameter[];
  /** The body; `optional`: it may be absent. */
  request?: { schema: TSchema; media?: string; optional?: boolean };
  responses: Readonly<Record<number, Response>>;
  refusals?: readonly Refusal[];
  /** The action of a `job-control` node that does the same, and the field of its payload that names what it is done to. */
  action?: { name: string; subject?: string };
  /** The question of a `queue-status` node that asks the same, and the field of its payload that names what is asked about. */
  question?: { name: string; subject?: string };
  /** Undefined: it has answered by itself, with a stream. */
  handle(call: Call): Promise<Answer | undefined>;
}

/** A row whose handler returns what its contract says, or an answer of its own. */
type Row<Schema extends TSchema> = Omit<Endpoint, 'handle' | 'responses'> & {
  /** The usual status; 200 if absent. */
  status?: number;
  /** The usual answer. */
  response: Omit<Response, 'schema'> & { schema?: Schema };
  /** Other answers that are no refusals. */
  responses?: Endpoint['responses'];
  handle(call: Call): Promise<Static<Schema> | Answer | undefined>;
};

/** One row of the API. */
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
