import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ForeignSourceError, UnknownHostError } from '../model/errors';
import { closeToOtherSites, frameHeaders } from './frames';
import { isOwnHost } from './hosts';
import { checkSource, foreignSource, type SourcedRequest } from './source';

// What settings.js of a Node-RED is given to lock editor and dashboard; docs/operating.md shows how.

/** Whether a request, or the one that opens a socket, comes from no page or an own one, and under an own name. */
export function isFromHere(request: SourcedRequest): boolean {
  return isOwnHost(request.headers.host) && foreignSource(request) === undefined;
}

/**
 * For `httpAdminMiddleware` and `dashboard.middleware`: refuses what comes under a strange name, and what a page of another site
 * sends to change something; pages of other sites may not frame what is answered.
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

/** For `dashboard.ioMiddleware`: lets nobody in but pages of the dashboard itself, and programs. */
export function socketFromHere(socket: { request: SourcedRequest }, next: (error?: Error) => void): void {
  next(isFromHere(socket.request) ? undefined : new Error('A page of another site may not come in here.'));
}

const guarded = new WeakSet<Server>();

/** Websockets pass by every middleware: the editor's tells whoever opens it what is being debugged. */
function guardUpgrades({ socket }: IncomingMessage): void {
  const { server } = socket as { server?: Server };
  if (!server || guarded.has(server)) return;
  guarded.add(server);
  server.prependListener('upgrade', (request: IncomingMessage, opened: Duplex) => {
    if (!isFromHere(request)) opened.destroy();
  });
}
