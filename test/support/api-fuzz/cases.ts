import { readFileSync } from 'node:fs';
import { Random } from '../../faults/random';
import { fixture } from '../../fixtures';
import type { ApiDescription } from '../api-description';
import { asPathPart, contentTypes, hostileBodies, hostileTexts, hostileValues, one } from './hostile';

/** The sender of a request: without a key, with one that never existed, or with one of a scope. */
export const senders = ['nobody', 'stranger', 'read', 'submit', 'operate', 'admin'] as const;
export type Sender = (typeof senders)[number];

/** A request as it is sent, except for the key. */
export interface FuzzCase {
  method: string;
  /** Below `/api/fabrication`, as it is sent. */
  path: string;
  sender: Sender;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

/** Existing values, by field name; values from the farm's answers are added. */
export class Known {
  readonly #values = new Map<string, string[]>();

  add(field: string, value: unknown): void {
    if (typeof value !== 'string') return;
    const values = this.#values.get(field) ?? [];
    if (!values.includes(value)) values.push(value);
    this.#values.set(field, values.slice(-50));
  }

  /** Picks one of them by `at`. */
  get(field: string, at: number): string | undefined {
    return Random.pick(this.#values.get(field) ?? [], at);
  }
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  format?: string;
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
}

interface Parameter {
  $ref?: string;
  name?: string;
  in?: string;
  schema?: Schema;
}

type DescribedOperation = ReturnType<ApiDescription['operations']>[number];

const cube = readFileSync(fixture('models', '20mm-xyz-cube.stl'));

/** Requests generated from a description: valid ones, and ones that are broken in one or several places. */
export class CaseMaker {
  readonly #description: ApiDescription;
  readonly #known: Known;
  readonly #operations: readonly DescribedOperation[];

  constructor(description: ApiDescription, known: Known) {
    this.#description = description;
    this.#known = known;
    this.#operations = description.operations();
  }

  /** The request with this number; for one seed it is always the same except for the ids of existing things. */
  make(seed: number, index: number): FuzzCase {
    const random = new Random(Math.imul(seed, 2_654_435_761) + index * 7919);
    random.next();
    const operation = this.#operations[index % this.#operations.length] as DescribedOperation;
    if (random.next() < 0.01) return this.#strayCase(random);
    const hostility = one(random, [0, 0, 0.3, 0.7]);
    const request: FuzzCase = {
      method: operation.method,
      path: this.#path(random, operation.path, hostility),
      sender: random.next() < 0.6 ? 'admin' : one(random, senders),
      headers: {},
      body: undefined,
    };
    const parameters = (operation.operation.parameters ?? []) as Parameter[];
    request.path += this.#query(random, parameters, hostility);
    this.#addHeaders(random, parameters, hostility, request);
    this.#addBody(random, operation.operation.requestBody?.content ?? {}, hostility, request);
    return request;
  }

  /** A request to an address that does not exist. */
  #strayCase(random: Random): FuzzCase {
    const paths = ['', '/', '/nothing', '/jobs//why', '/jobs/a/b/c', '//queue', '/%2e%2e/settings', '/JOBS/x/y'];
    const method = one(random, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']);
    return { method, path: one(random, paths), sender: one(random, senders), headers: {}, body: undefined };
  }

  #path(random: Random, template: string, hostility: number): string {
    const kind = template.split('/')[1] ?? '';
    return template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
      const real = this.#known.get(name === 'id' ? kind : name, random.next());
      if (random.next() >= hostility && real !== undefined) return encodeURIComponent(real);
      return asPathPart(random, one(random, hostileTexts));
    });
  }

  #query(random: Random, parameters: Parameter[], hostility: number): string {
    const parts = parameters.flatMap((parameter) => {
      const { name, in: place, schema } = this.#resolved(parameter);
      if (place !== 'query' || name === undefined || random.next() < 0.4) return [];
      if (random.next() >= hostility) {
        return [`${name}=${encodeURIComponent(String(this.#valid(random, name, schema ?? {}, 0)))}`];
      }
      const form = one(random, [`${name}=`, `${name}[]=`, `${name}[a]=`, `${name}=1&${name}=`, `${name}%00=`]);
      return [`${form}${asPathPart(random, one(random, hostileTexts))}`];
    });
    if (random.next() < hostility * 0.2)
      parts.push(one(random, ['__proto__[a]=1', 'a'.repeat(500), '%', '&&&', 'x=%zz']));
    return parts.length > 0 ? `?${parts.join('&')}` : '';
  }

  #addHeaders(random: Random, parameters: Parameter[], hostility: number, request: FuzzCase): void {
    for (const parameter of parameters) {
      const { name, in: place, schema } = this.#resolved(parameter);
      if (place !== 'header' || name === undefined || random.next() < 0.5) continue;
      const valid = random.next() >= hostility;
      const value = valid ? String(this.#valid(random, name, schema ?? {}, 0)) : one(random, hostileTexts);
      // Node.js refuses to send this as a header, so it is not a case.
      request.headers[name] = value.replace(/[^\x20-\x7e\xa0-\xff]/g, '?').slice(0, 1000);
    }
  }

  #addBody(random: Random, content: Record<string, { schema?: object }>, hostility: number, request: FuzzCase): void {
    if (content['multipart/form-data']) {
      this.#addFile(random, hostility, request);
      return;
    }
    const schema = content['application/json']?.schema as Schema | undefined;
    if (!schema) {
      if (random.next() < 0.2 * hostility) request.body = Buffer.from(one(random, hostileBodies));
      return;
    }
    request.headers['content-type'] = 'application/json';
    if (random.next() < hostility * 0.4) {
      request.body = Buffer.from(one(random, hostileBodies));
    } else {
      const value = this.#valid(random, '', schema, 0);
      for (let broken = hostility; random.next() < broken; broken *= 0.6) this.#breakOnePlace(random, value);
      request.body = Buffer.from(JSON.stringify(value));
    }
    if (random.next() < hostility * 0.3) {
      const type = one(random, contentTypes);
      if (type === undefined) delete request.headers['content-type'];
      else request.headers['content-type'] = type;
    }
    if (random.next() < hostility * 0.05)
      request.headers['content-encoding'] = one(random, ['gzip', 'br', 'nonsense', 'identity']);
  }

  #addFile(random: Random, hostility: number, request: FuzzCase): void {
    const boundary = 'fuzz-boundary';
    const broken = (): boolean => random.next() < hostility;
    const field = broken() ? one(random, ['', 'files', 'file[]', '__proto__']) : 'file';
    const names = [
      '../../../x.stl',
      'a.exe',
      '.stl',
      'x.3mf',
      'x.gcode',
      'x.gcode.3mf',
      'a\u0000.stl',
      'x'.repeat(300),
    ];
    const name = broken() ? one(random, names) : 'cube.stl';
    const contents = [
      Buffer.alloc(0),
      Buffer.alloc(84),
      cube.subarray(0, 500),
      Buffer.from('solid x'),
      Buffer.from('PK\x03\x04'),
    ];
    const content = broken() ? one(random, contents) : cube;
    request.body = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n\r\n`),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    if (broken()) request.body = request.body.subarray(0, random.whole(0, request.body.length));
    request.headers['content-type'] = `multipart/form-data; boundary=${boundary}`;
    if (random.next() < hostility * 0.3) request.headers['content-type'] = one(random, contentTypes) ?? '';
  }

  #resolved(parameter: Parameter): Parameter {
    return (parameter.$ref ? this.#description.at(parameter.$ref) : parameter) as Parameter;
  }

  /** A value that a schema accepts; a field with known values gets one of them. */
  #valid(random: Random, field: string, given: Schema, depth: number): unknown {
    const schema = (given.$ref ? this.#description.at(given.$ref) : given) as Schema;
    const real = this.#known.get(field, random.next());
    if (real !== undefined && random.next() < 0.9) return real;
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return one(random, schema.enum);
    if (schema.anyOf) return this.#valid(random, field, one(random, schema.anyOf), depth);
    const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'object'];
    switch (one(random, types)) {
      case 'null':
        return null;
      case 'boolean':
        return random.next() < 0.5;
      case 'integer':
        return this.#number(random, field, schema, true);
      case 'number':
        return this.#number(random, field, schema, false);
      case 'array':
        return Array.from({ length: depth > 3 ? 0 : random.whole(0, 3) }, () =>
          this.#valid(random, `${field}[]`, schema.items ?? {}, depth + 1),
        );
      case 'string':
        return text(random, schema);
      default: {
        const fields = Object.entries(schema.properties ?? {}).filter(
          ([name]) => schema.required?.includes(name) || random.next() < 0.4,
        );
        return Object.fromEntries(fields.map(([name, of]) => [name, this.#valid(random, name, of, depth + 1)]));
      }
    }
  }

  #number(random: Random, field: string, schema: Schema, whole: boolean): number {
    const least = schema.minimum ?? schema.exclusiveMinimum ?? 0;
    const most = schema.maximum ?? 1000;
    if (random.next() < 0.1) return one(random, [least + (schema.exclusiveMinimum === undefined ? 0 : 1e-6), most]);
    // A thousand copies of everything would only test the planner.
    const usual = field === 'copies' ? Math.min(most, 3) : most;
    return whole ? random.whole(least, usual) : random.between(least, usual) + Number.EPSILON;
  }

  /** Replaces one place of a value, omits it, or adds an unknown field. */
  #breakOnePlace(random: Random, value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const record = value as Record<string, unknown>;
    const names = Object.keys(record);
    const name = names.length > 0 ? one(random, names) : 'extra';
    const inner = record[name];
    if (typeof inner === 'object' && inner !== null && random.next() < 0.5) {
      this.#breakOnePlace(random, inner);
      return;
    }
    const way = random.next();
    if (way < 0.25 && !Array.isArray(value)) delete record[name];
    else if (way < 0.4)
      record[one(random, ['extra', 'id', '__proto__', 'constructor', 'x'.repeat(5000), '\u0000'])] = 1;
    else record[name] = structuredClone(one(random, hostileValues));
  }
}

function text(random: Random, schema: Schema): string {
  if (schema.format === 'uuid')
    return `00000000-0000-4000-8000-${String(random.whole(0, 999_999_999)).padStart(12, '0')}`;
  if (schema.format === 'date-time') return new Date(Date.UTC(2030, 0, 1) + random.whole(0, 1e9) * 1000).toISOString();
  const samples = ['part', '1', '08:00-20:00', 'queued', 'a b', 'größe', 'x'.repeat(schema.maxLength ?? 30)];
  const fitting = samples.filter((sample) => !schema.pattern || new RegExp(schema.pattern).test(sample));
  return one(random, fitting.length > 0 ? fitting : samples);
}
