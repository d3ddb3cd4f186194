import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ForeignSourceError, UnknownHostError } from '../model/errors';
import { closeToOtherSites, frameHeaders } from './frames';
import { isOwnHost } from './hosts';
import { checkSource, foreignSource, type SourcedRequest } from './source';

// Functions for the settings.js of a Node-RED, to lock its editor and dashboard; see docs/operating.md.

/** Whether a request, or the one that opens a socket, comes from the farm's own page or from no page, and names a known host. */
export function isFromHere(request: SourcedRequest): boolean {
  return isOwnHost(request.headers.host) && foreignSource(request) === undefined;
}

/**
 * For `httpAdminMiddleware` and `dashboard.middleware`: refuses requests to an unknown host name, and changes sent by a page of another
 * site; pages of other sites must not frame the answers.
 */
export function onlyFromHere(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  guardUpgrades(request);
  closeToOtherSites(response);
  for (const [name, value] of Object.entries(frameHeaders())) response.setHeader(name, value);
  try {
    checkSource(request);
  } catch (refused) {
    if (!(refused instanceof ForeignSourceError || refused instanceof UnknownHostError)) throw refused;
    const { code, message, remedy, errors } = refused;
    const type = `urn:platewise:problem:${code}`;
    const problem = { type, title: 'Not allowed', status: 403, detail: `${message} ${remedy}`, code, errors };
    response.writeHead(403, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(problem));
    return;
  }
  next();
}

/** For `dashboard.ioMiddleware`: admits only pages of the dashboard itself, and programs. */
export function socketFromHere(socket: { request: SourcedRequest }, next: (error?: Error) => void): void {
  next(isFromHere(socket.request) ? undefined : new Error('A page of another site may not connect here.'));
}

const guarded = new WeakSet<Server>();

/** Guards websockets, which bypass every middleware: the editor's socket reveals debug messages to every client that opens it. */
function guardUpgrades({ socket }: IncomingMessage): void {
  const { server } = socket as { server?: Server };
  if (!server || guarded.has(server)) return;
  guarded.add(server);
  server.prependListener('upgrade', (request: IncomingMessage, opened: Duplex) => {
    if (!isFromHere(request)) opened.destroy();
  });
}
