import { type ConnectionOptions, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { asError } from '../../model/errors';
import { PrinterRefusedError, PrinterUnavailableError, WrongMachineError } from '../driver';

/** How a printer proves its serial number. */
export interface PrinterTrust {
  serial: string;
  /** PEM of the authorities (or of the printer's own certificate). */
  ca?: string | undefined;
  /** SHA-256 of the printer's certificate, hex with or without colons. */
  fingerprint?: string | undefined;
  /** The issuer of this model's certificates, if known: helps the owner to find the right CA file. */
  issuer?: string | undefined;
}

/** The TLS options: 1.2 only, the certificate must carry the serial number as its common name. */
export function tlsOptions(trust: PrinterTrust): ConnectionOptions {
  const options: ConnectionOptions & { allowPartialTrustChain?: boolean } = {
    servername: trust.serial,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    // Printers have no subject alternative name, so the common name is what identifies them.
    checkServerIdentity: (_host, certificate) => nameError(trust.serial, certificate),
  };
  if (trust.fingerprint !== undefined) options.rejectUnauthorized = false;
  else if (trust.ca !== undefined) {
    options.ca = trust.ca;
    // Some printers send only their own certificate, and the anchor given may be the one just above it.
    options.allowPartialTrustChain = true;
  }
  return options;
}

function nameError(serial: string, certificate: PeerCertificate): Error | undefined {
  const name: unknown = certificate.subject?.CN;
  return name === serial ? undefined : new OtherNameError(serial, String(name));
}

function plainHex(fingerprint: string): string {
  return fingerprint.replace(/[^0-9a-f]/gi, '').toUpperCase();
}

/** Throws unless the socket's peer is the printer that was pinned. Must pass before any credential is sent. */
export function checkPinned(socket: TLSSocket, trust: PrinterTrust): void {
  if (trust.fingerprint === undefined) return;
  const seen = socket.getPeerCertificate().fingerprint256;
  if (seen === undefined || plainHex(seen) !== plainHex(trust.fingerprint)) {
    throw new PrinterRefusedError(
      `The certificate of printer ${trust.serial} is not the pinned one.`,
      `If the printer was reset on purpose, pin its new certificate: ${seen ?? 'none was shown'}.`,
    );
  }
}

/** Opens a TLS connection to the printer and verifies its identity. */
export function connectTls(
  address: { host: string; port: number; trust: PrinterTrust; timeoutMs: number },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { host, port, trust, timeoutMs } = address;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...tlsOptions(trust) });
    socket.setNoDelay(true);
    const finish = (error: Error | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
      socket.off('secureConnect', secured);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const abort = (): void => finish(new PrinterUnavailableError('The connection attempt was given up.'));
    const fail = (thrown: Error): void => finish(explainTls(thrown, trust));
    const secured = (): void => {
      try {
        checkPinned(socket, trust);
        finish(undefined);
      } catch (thrown) {
        finish(asError(thrown));
      }
    };
    const timer = setTimeout(
      () => finish(new PrinterUnavailableError(`${host}:${port} did not answer in ${timeoutMs / 1000} s.`)),
      timeoutMs,
    );
    socket.once('error', fail);
    socket.once('secureConnect', secured);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** The machine at the address proves that it has another serial number. */
class OtherNameError extends Error {
  constructor(
    serial: string,
    readonly found: string,
  ) {
    super(`The certificate is that of ${found}, not of ${serial}.`);
  }
}

const networkErrors = /^(ECONN|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|EADDR)/;

/** Distinguishes a wrong certificate (an operator must act) from a network failure. */
export function explainTls(error: Error, trust: PrinterTrust): Error {
  if (error instanceof OtherNameError) {
    return new WrongMachineError(`The machine at this address is not ${trust.serial}, but ${error.found}.`, {
      serial: error.found,
    });
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|HOSTNAME_MISMATCH/.test(code);
  if (isCertificate && !networkErrors.test(code)) {
    return new PrinterRefusedError(
      `The certificate of printer ${trust.serial} was not accepted: ${error.message}`,
      `Give the CA file that signed the printer's certificate${trust.issuer === undefined ? '' : ` (of this model "${trust.issuer}")`}, or pin the certificate's SHA-256 fingerprint.`,
      error,
    );
  }
  return new PrinterUnavailableError(`No TLS connection: ${error.message}`, error);
}
