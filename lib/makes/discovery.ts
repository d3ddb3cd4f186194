import type { Make } from '../model/printer';
import { detectBambu, listenForBambu } from './bambu/discovery';
import type { FoundPrinter } from './found-printer';
import { askMoonraker } from './moonraker/discovery';
import { askForSnapmakers } from './snapmaker/discovery';

export interface DiscoveryOptions {
  /** How long to listen (ms). Bambu printers announce themselves every 5 s. */
  timeoutMs: number;
  /** Hosts to ask directly: Moonraker has no announcement, and broadcasts do not leave a network. */
  hosts?: readonly string[];
  /** Only these makes. */
  makes?: readonly Make[];
  /** Other than the usual ports, for tests: 2021, 20054, 3000, and 7125 then 80. */
  ports?: { ssdp?: number; snapmaker?: number; detect?: number; moonraker?: readonly number[] };
  signal?: AbortSignal;
}

/** Looks for printers on the local network. Never rejects: what cannot be asked is not found. */
export async function discover(options: DiscoveryOptions): Promise<FoundPrinter[]> {
  const { timeoutMs, hosts = [], makes, ports = {} } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  const wanted = (make: Make): boolean => makes === undefined || makes.includes(make);
  const searches: Promise<FoundPrinter[]>[] = [];
  if (wanted('bambu')) {
    searches.push(listenForBambu(ports.ssdp ?? 2021, signal));
    for (const host of hosts) searches.push(detectBambu(host, ports.detect ?? 3000, signal));
  }
  if (wanted('snapmaker')) searches.push(askForSnapmakers(hosts, ports.snapmaker ?? 20054, signal));
  if (wanted('moonraker')) {
    for (const host of hosts) searches.push(askMoonraker(host, ports.moonraker ?? [7125, 80], signal));
  }
  const found = new Map<string, FoundPrinter>();
  for (const printer of (await Promise.all(searches.map((search) => search.catch(() => [])))).flat()) {
    // An announcement and an answer to a question are one printer; whichever came first stays.
    const key = `${printer.make} ${printer.serial ?? `${printer.host}:${printer.port ?? ''}`}`;
    if (!found.has(key)) found.set(key, printer);
  }
  return [...found.values()].sort((a, b) => a.make.localeCompare(b.make) || a.host.localeCompare(b.host));
}
