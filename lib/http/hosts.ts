import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** Returns the name in a `Host` header, or the host of an address: without port, brackets and trailing dot, in lower case. */
function nameOfHost(host: string): string {
  const name = /^\[([^\]]*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d*$/, '');
  return name.toLowerCase().replace(/\.$/, '');
}

/** Returns the additional names of a farm, besides those that every machine has. */
export function configuredHosts(text = process.env['PLATEWISE_HOSTS'] ?? ''): string[] {
  return text
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .map((name) => name.toLowerCase());
}

/**
 * Whether a request's `Host` may name this machine: a loopback name, an address, its own name, or one that its owner has
 * configured (`*`: any). A page whose name an attacker points at this machine (DNS rebinding) uses the attacker's name,
 * never an address; and a container does not know the addresses of its host.
 */
export function isOwnHost(host: string | undefined, configured: readonly string[] = configuredHosts()): boolean {
  if (configured.includes('*')) return true;
  if (host === undefined || host === '') return false;
  const name = nameOfHost(host);
  if (name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return true;
  if (configured.some((one) => nameOfHost(one) === name)) return true;
  const own = hostname().toLowerCase();
  const [short = own] = own.split('.');
  return [own, short, `${short}.local`].includes(name);
}
