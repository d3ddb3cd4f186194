import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { FoundPrinter } from '../found-printer';

const probe = Buffer.from('discover');
/** UDP is lossy. */
const probeEveryMs = 1000;
const supportedModel = 'Snapmaker Artisan';

/** Searches every local network, and the given hosts, for Snapmaker printers, until the signal fires. */
export function askForSnapmakers(hosts: readonly string[], port: number, signal: AbortSignal): Promise<FoundPrinter[]> {
  return new Promise((resolve) => {
    const found = new Map<string, FoundPrinter>();
    const socket = createSocket('udp4');
    const targets = [...new Set([...broadcastAddresses(), ...hosts])];
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearInterval(timer);
      signal.removeEventListener('abort', finish);
      socket.close();
      resolve([...found.values()]);
    };
    // A network that is down answers a probe with an error, which does not affect the others.
    const ask = (): void => {
      for (const target of targets) socket.send(probe, port, target, () => {});
    };
    if (signal.aborted) {
      finish();
      return;
    }
    signal.addEventListener('abort', finish, { once: true });
    socket.on('error', finish);
    socket.on('message', (message, from) => {
      const printer = readReply(message.toString('utf8'), from.address);
      if (printer !== undefined && !found.has(printer.host)) found.set(printer.host, printer);
    });
    socket.bind(0, () => {
      socket.setBroadcast(true);
      ask();
      timer = setInterval(ask, probeEveryMs);
    });
  });
}

/** Reads a reply like `name@192.168.1.60|model:Snapmaker Artisan|SACP:1`; undefined if it is none. */
export function readReply(text: string, sender: string): FoundPrinter | undefined {
  const [first = '', ...pairs] = text.trim().split('|');
  // The name is the user's and may contain an @ itself.
  const at = first.lastIndexOf('@');
  if (at < 0 || pairs.length === 0) return undefined;
  const fields = new Map(
    pairs.map((pair): [string, string] => {
      const colon = pair.indexOf(':');
      return colon < 0 ? [pair.trim(), ''] : [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    }),
  );
  const model = fields.get('model') ?? '';
  const supported = fields.get('SACP') === '1' && model === supportedModel;
  return {
    make: 'snapmaker',
    host: first.slice(at + 1).trim() || sender,
    name: first.slice(0, at),
    model,
    supported,
    ...(supported ? {} : { note: `Platewise drives the ${supportedModel}; this model is driven differently.` }),
  };
}

/** The broadcast address of each network of this machine, and this machine itself. */
function broadcastAddresses(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter((entry) => entry?.family === 'IPv4');
  return addresses.map((entry) => {
    if (entry === undefined || entry.internal) return '127.0.0.1';
    const mask = entry.netmask.split('.').map(Number);
    return entry.address
      .split('.')
      .map((part, index) => Number(part) | (~(mask[index] ?? 255) & 0xff))
      .join('.');
  });
}
