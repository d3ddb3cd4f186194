import type { IncomingHttpHeaders } from 'node:http';
import { ForeignSourceError, UnknownHostError } from '../model/errors';
import { configuredHosts, isOwnHost } from './hosts';

/** The part of a request that identifies its origin. */
export interface SourcedRequest {
  method?: string | undefined;
  headers: IncomingHttpHeaders;
}

const harmless = ['GET', 'HEAD', 'OPTIONS'];
/** Values of `Sec-Fetch-Site` for requests that no other site has caused. */
const ownSites = ['same-origin', 'none'];

/**
 * Returns the foreign page that caused a request; undefined: it is the farm's own page, or no browser sent it. The
 * `Origin` of an own page has the host and the port of the request, or a host that the owner has configured.
 */
export function foreignSource(
  { headers }: SourcedRequest,
  configured: readonly string[] = configuredHosts(),
): { field: string; value: string } | undefined {
  const site = textOf(headers['sec-fetch-site']);
  if (site !== undefined && !ownSites.includes(site)) return { field: 'Sec-Fetch-Site', value: site };
  const origin = textOf(headers.origin);
  if (origin === undefined || isOwnOrigin(origin, textOf(headers.host), configured)) return undefined;
  return { field: 'Origin', value: origin };
}

function isOwnOrigin(origin: string, host: string | undefined, configured: readonly string[]): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: asked } = new URL(origin);
  return [host, ...configured].some((one) => {
    const own = `${protocol}//${one}`;
    return one !== undefined && asked !== '' && URL.canParse(own) && new URL(own).host === asked;
  });
}

/** A header that occurs twice cannot be trusted. */
const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header;

/**
 * Refuses requests to an unknown host name, and changes sent by a page of another site.
 * @param changes whether the request may change something; by default its method decides
 * @throws UnknownHostError, ForeignSourceError
 */
export function checkSource(request: SourcedRequest, changes = !harmless.includes(request.method ?? '')): void {
  const { host } = request.headers;
  if (!isOwnHost(host)) throw new UnknownHostError(host ?? '');
  const foreign = changes ? foreignSource(request) : undefined;
  if (foreign) throw new ForeignSourceError(foreign.field, foreign.value);
}
