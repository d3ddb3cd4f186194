import type { IncomingHttpHeaders } from 'node:http';
import { ForeignSourceError, UnknownHostError } from '../model/errors';
import { configuredHosts, isOwnHost } from './hosts';

/** The part of a request that says where it comes from. */
export interface SourcedRequest {
  method?: string | undefined;
  headers: IncomingHttpHeaders;
}

const harmless = ['GET', 'HEAD', 'OPTIONS'];
/** What a browser says of a request that no other site has caused. */
const ownSites = ['same-origin', 'none'];

/**
 * The page that has caused a request, if it is not one of this farm's own; undefined: it is, or no browser sent it. The
 * `Origin` of an own page has the host and the port that the request was sent to, or a host that the owner has configured.
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

/** A header that came twice says nothing that could be trusted. */
const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header;

/**
 * Refuses what comes under a name that is not this machine's, and what a page of another site sends to change something.
 * @param changes whether it may change something; without it the method says so
 * @throws UnknownHostError, ForeignSourceError
 */
export function checkSource(request: SourcedRequest, changes = !harmless.includes(request.method ?? '')): void {
  const { host } = request.headers;
  if (!isOwnHost(host)) throw new UnknownHostError(host ?? '');
  const foreign = changes ? foreignSource(request) : undefined;
  if (foreign) throw new ForeignSourceError(foreign.field, foreign.value);
}
