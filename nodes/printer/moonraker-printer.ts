import type { NodeAPI } from 'node-red';
import type { PrinterModel } from '../../lib/makes/model-table';
import { createMoonrakerDriver } from '../../lib/makes/moonraker/driver';
import type { PrinterDefinition } from './printer-make';
import { optionalNumber, registerPrinterType, secretOf } from './printer-node';

interface MoonrakerDefinition extends PrinterDefinition {
  port: string | number;
  tls: boolean;
  /** What stands before every path where a web server has Moonraker under one of its own; missing in older flows. */
  pathPrefix?: string;
  /** With TLS: a file (PEM) of the authority, or the certificate's SHA-256. */
  caFile?: string;
  fingerprint?: string;
}

interface MoonrakerCredentials {
  apiKey: unknown;
}

/** Registers a node type for printers with Klipper behind Moonraker. */
export function registerMoonrakerType(
  RED: NodeAPI,
  {
    type,
    fallback,
    credentials,
  }: { type: string; fallback: PrinterModel; credentials: { apiKey: { type: 'password' } } },
): void {
  registerPrinterType<MoonrakerDefinition, MoonrakerCredentials>(RED, {
    type,
    make: 'moonraker',
    credentials,
    models: [],
    fallback,
    createDriver: (base, definition, secrets) => {
      const port = optionalNumber(definition.port);
      const apiKey = secretOf(definition.printerId, 'API_KEY', secrets.apiKey);
      return createMoonrakerDriver({
        ...base,
        ...(port !== undefined && { port }),
        ...(apiKey !== '' && { apiKey }),
        tls: definition.tls === true,
        ...(definition.pathPrefix && { pathPrefix: definition.pathPrefix }),
        ...(definition.caFile && { caFile: definition.caFile }),
        ...(definition.fingerprint && { fingerprint: definition.fingerprint }),
      });
    },
  });
}
