import { Agent } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { asError } from '../../model/errors';
import { PrinterRefusedError } from '../driver';

/** How a Moonraker behind HTTPS proves its identity; with neither, like any web site. */
export interface HttpsTrust {
  /** PEM of the authority that signed its certificate, or of the certificate itself. */
  ca?: string | undefined;
  /** SHA-256 of its certificate, hex with or without colons, instead of an authority. */
  fingerprint?: string | undefined;
}

/** The agent for connections to it; undefined: the default one. */
export function agentFor({ ca, fingerprint }: HttpsTrust): Agent | undefined {
  if (fingerprint !== undefined) return new PinningAgent(fingerprint);
  return ca === undefined ? undefined : new Agent({ ca });
}

const plainHex = (fingerprint: string): string => fingerprint.replace(/[^0-9a-f]/gi, '').toUpperCase();

/** Returns a connection only once its certificate is the pinned one, so that no key is sent to another server. */
class PinningAgent extends Agent {
  constructor(private readonly fingerprint: string) {
    super();
  }

  override createConnection(
    options: Parameters<Agent['createConnection']>[0],
    done?: Parameters<Agent['createConnection']>[1],
  ): undefined {
    const host = options.host ?? '';
    const socket = connect({ host, port: Number(options.port), servername: nameOf(host), rejectUnauthorized: false });
    const fail = (error: Error): void => {
      socket.off('error', fail);
      socket.on('error', () => {});
      socket.destroy();
      // The types do not cover a failed connection.
      (done as ((error: Error) => void) | undefined)?.(error);
    };
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      const refusal = this.#refusal(socket);
      if (refusal) fail(refusal);
      else {
        socket.off('error', fail);
        done?.(null, socket);
      }
    });
    return undefined;
  }

  #refusal(socket: TLSSocket): Error | undefined {
    const seen = socket.getPeerCertificate().fingerprint256;
    if (seen !== undefined && plainHex(seen) === plainHex(this.fingerprint)) return undefined;
    return new PrinterRefusedError(
      "Moonraker's certificate is not the pinned one.",
      `If it was replaced on purpose, pin the new one: ${seen ?? 'none was shown'}.`,
    );
  }
}

/** SNI is sent for a name, but not for an address. */
const nameOf = (host: string): string => (/^[\d.]+$|:/.test(host) ? '' : host);

const certificateErrors = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ALTNAME/;

/**
 * Returns the refusal if a request failed because of the certificate, which a retry does not fix; otherwise undefined.
 */
export function certificateRefusal(thrown: unknown): PrinterRefusedError | undefined {
  if (thrown instanceof PrinterRefusedError) return thrown;
  const error = asError(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!certificateErrors.test(code)) return undefined;
  return new PrinterRefusedError(
    `Moonraker's certificate was not accepted: ${error.message}`,
    'Give the CA file that signed it, or pin its SHA-256 fingerprint.',
    error,
  );
}
