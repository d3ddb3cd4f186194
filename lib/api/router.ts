import type { Endpoint } from './endpoint';

/** The endpoint of a request, with the values of its path parameters. */
export interface Match {
  endpoint: Endpoint;
  params: Record<string, string>;
}

/** Finds endpoints by method and path. Literal segments win over parameters, and a trailing slash is ignored. */
export class Router {
  readonly #routes: readonly { endpoint: Endpoint; pattern: RegExp; names: string[] }[];

  constructor(endpoints: readonly Endpoint[]) {
    this.#routes = [...endpoints]
      .sort((a, b) => parametersIn(a.path) - parametersIn(b.path))
      .map((endpoint) => ({
        endpoint,
        pattern: new RegExp(`^${endpoint.path.replace(/\./g, '\\.').replace(/\{\w+\}/g, '([^/]+)')}/?$`, 'i'),
        names: [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
      }));
  }

  /** @param path below the root of the API, still encoded; @returns undefined if there is no such endpoint */
  match(method: string, path: string): Match | undefined {
    const wanted = method === 'HEAD' ? 'GET' : method;
    for (const { endpoint, pattern, names } of this.#routes) {
      if (endpoint.method !== wanted) continue;
      const values = pattern.exec(path)?.slice(1).map(decoded);
      if (!values || values.some((value) => value === undefined)) continue;
      return { endpoint, params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) };
    }
    return undefined;
  }
}

const parametersIn = (path: string): number => path.split('{').length;

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
