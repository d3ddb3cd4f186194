import type { Make } from '../model/printer';
import type { FoundPrinter } from './found-printer';
import type { DiscoveryScope } from './make';
import { makeRows } from './registry';

export interface DiscoveryOptions {
  /** How long to listen (ms). Bambu printers announce themselves every 5 s. */
  timeoutMs: number;
  /** Hosts to query directly: Moonraker does not announce itself, and broadcasts do not leave a network. */
  hosts?: readonly string[];
  /** Only these makes. */
  makes?: readonly Make[];
  /** Other than the usual ports, by the names that the makes give them (`MakeRow.discovery`). */
  ports?: Readonly<Record<string, number | readonly number[]>>;
  signal?: AbortSignal;
}

/** Searches for printers on the local network. Never rejects: an unreachable printer is not found. */
export async function discover(options: DiscoveryOptions): Promise<FoundPrinter[]> {
  const { timeoutMs, hosts = [], makes, ports = {} } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  const scope: DiscoveryScope = {
    hosts,
    ports(name, ...usual) {
      const [first, ...others] = [ports[name] ?? usual].flat();
      return first === undefined ? usual : [first, ...others];
    },
    signal,
  };
  const searches = Object.values(makeRows)
    .filter(({ make }) => makes === undefined || makes.includes(make))
    .flatMap(({ discovery }) => discovery.search(scope));
  const found = new Map<string, FoundPrinter>();
  for (const printer of (await Promise.all(searches.map((search) => search.catch(() => [])))).flat()) {
    // An announcement and an answer to a query are the same printer; the first one is kept.
    const key = `${printer.make} ${printer.serial ?? `${printer.host}:${printer.port ?? ''}`}`;
    if (!found.has(key)) found.set(key, printer);
  }
  return [...found.values()].sort((a, b) => a.make.localeCompare(b.make) || a.host.localeCompare(b.host));
}
