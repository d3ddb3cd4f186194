import { randomBytes } from 'node:crypto';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import type { Machine } from '../machine';
import type { Identity } from './certificates';
import { FtpSession } from './ftp-session';
import type { BambuState } from './state';
import { TlsSessions } from './tls-sessions';

/** The printer's implicit FTPS server, TLS 1.2 only. Control and data connections share session tickets and ids. */
export function createFtpServer(identity: Identity, accessCode: () => string, machine: Machine<BambuState>): Server {
  const options: TlsOptions = {
    key: identity.key,
    cert: identity.certificate,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ticketKeys: randomBytes(48),
    sessionIdContext: 'printer-ftp',
  };
  const sessions = new TlsSessions();
  const server = createServer(options, (control) => {
    new FtpSession(control, options, sessions, accessCode, machine);
  });
  sessions.attach(server);
  server.on('tlsClientError', () => {});
  return server;
}
