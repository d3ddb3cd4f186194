import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

interface Media {
  schema?: object;
}
interface Operation {
  operationId: string;
  description?: string;
  security?: unknown[];
  parameters?: object[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { $ref?: string; content?: Record<string, Media> }>;
}

/** docs/openapi.yaml, for checking requests and answers against it. */
export class ApiDescription {
  readonly document: {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { responses: Record<string, { content?: Record<string, Media> }> };
  };
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(path = join(process.cwd(), 'docs', 'openapi.yaml')) {
    this.document = parse(readFileSync(path, 'utf8')) as ApiDescription['document'];
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.#ajv);
    this.#ajv.addSchema(this.document, 'openapi');
  }

  /** Every operation: method, path, and its description. */
  operations(): { method: string; path: string; operation: Operation }[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
        .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  /** The target of a pointer (`#/…`). @throws Error it does not exist */
  at(pointer: string): object {
    let found: unknown = this.document;
    for (const part of pointer.split('/').slice(1)) found = (found as Record<string, unknown> | undefined)?.[part];
    if (typeof found !== 'object' || found === null) throw new Error(`The target of ${pointer} does not exist.`);
    return found;
  }

  /** Whether this endpoint exists. */
  describes(method: string, path: string): boolean {
    return this.operations().some((one) => one.method === method && matches(one.path, path));
  }

  /** The problems of an answer to an undescribed request, which must be a problem document. */
  problemsOfStray(status: number, type: string, body: unknown): string[] {
    const problems = this.#validate('openapi#/components/schemas/Problem', body);
    if (status < 400) problems.push(`the request is not described, and the answer is ${status}`);
    if (!type.startsWith('application/problem+json')) problems.push(`the answer is ${type}`);
    return problems;
  }

  /** The problems of an answer; empty if it is as described. */
  problemsOfAnswer(method: string, url: string, status: number, type: string, body: unknown): string[] {
    const path = url.split('?')[0] ?? '';
    const found = this.operations().find((one) => one.method === method && matches(one.path, path));
    if (!found) return [`${method} ${path} is not described`];
    const where = `${method} ${found.path} ${status}`;
    const response = found.operation.responses[String(status)];
    if (!response) return [`${where} is not described`];
    const pointer = response.$ref ?? `#/paths/${pointerPart(found.path)}/${method.toLowerCase()}/responses/${status}`;
    const resolved = response.$ref
      ? this.document.components.responses[response.$ref.split('/').at(-1) ?? '']
      : response;
    if (resolved && !resolved.content && body === undefined) return [];
    const media = type.split(';')[0] ?? '';
    if (!resolved?.content?.[media]) return [`${where} is not described as ${media}`];
    return this.#validate(`openapi${pointer}/content/${pointerPart(media)}/schema`, body).map(
      (text) => `${where}: ${text}`,
    );
  }

  /** The problems of a body that was sent to an endpoint, and accepted; empty if it is as described. */
  problemsOfSent(method: string, url: string, body: unknown): string[] {
    const path = url.split('?')[0] ?? '';
    const found = this.operations().find((one) => one.method === method && matches(one.path, path));
    if (!found) return [`${method} ${path} is not described`];
    if (!found.operation.requestBody?.content['application/json']) return [];
    return this.problemsOfRequest(method, found.path, body).map((text) => `sent to ${method} ${found.path}: ${text}`);
  }

  /** The problems of a JSON body; empty if it is as described. */
  problemsOfRequest(method: string, path: string, body: unknown): string[] {
    return this.#validate(
      `openapi#/paths/${pointerPart(path)}/${method.toLowerCase()}/requestBody/content/${pointerPart('application/json')}/schema`,
      body,
    );
  }

  #validate(reference: string, value: unknown): string[] {
    let validate = this.#compiled.get(reference);
    if (!validate) {
      validate = this.#ajv.compile({ $ref: reference });
      this.#compiled.set(reference, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath || '(body)'} ${error.message ?? ''}`);
  }
}

const pointerPart = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

function matches(template: string, path: string): boolean {
  const pattern = template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(path);
}
