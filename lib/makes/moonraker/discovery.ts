import type { FoundPrinter } from '../found-printer';
import { isObject, objectOf, textOf } from '../values';
import { type HttpAddress, httpGet } from './http';

/** Checks whether Moonraker answers on a host, on the first port that does. */
export async function askMoonraker(
  host: string,
  ports: readonly number[],
  signal: AbortSignal,
): Promise<FoundPrinter[]> {
  for (const port of ports) {
    const found = await askPort(host, port, signal).catch(() => undefined);
    if (found !== undefined) return [found];
  }
  return [];
}

async function askPort(host: string, port: number, signal: AbortSignal): Promise<FoundPrinter | undefined> {
  const address: HttpAddress = { host, port, tls: false, timeoutMs: 5000, stallMs: 5000, uploadReplyMs: 5000 };
  const server = await httpGet(address, '/server/info', signal);
  const body = parse(server.body);
  const common = { make: 'moonraker' as const, host, port, model: '', supported: true };
  if (server.status === 401 && isObject(body.error)) {
    return { ...common, name: host, note: 'It asks for an API key (in Fluidd or Mainsail: Settings, Authorization).' };
  }
  const info = objectOf(body.result);
  const klippy = textOf(info.klippy_state);
  if (klippy === undefined) return undefined;
  const printer = await httpGet(address, '/printer/info', signal).catch(() => undefined);
  const hostname = textOf(objectOf(parse(printer?.body ?? '').result).hostname);
  const version = textOf(info.moonraker_version);
  return {
    ...common,
    name: hostname ?? host,
    ...(version === undefined ? {} : { firmware: `Moonraker ${version}` }),
    ...(klippy === 'ready' ? {} : { note: `Klipper is ${klippy}.` }),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
