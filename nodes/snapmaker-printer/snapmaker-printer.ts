import type { NodeAPI } from 'node-red';
import { artisans } from '../../lib/makes/model-table';
import { createSnapmakerDriver } from '../../lib/makes/snapmaker/driver';
import type { PrinterDefinition } from '../printer/printer-make';
import { optionalNumber, registerPrinterType, secretOf } from '../printer/printer-node';

interface SnapmakerDefinition extends PrinterDefinition {
  port: string | number;
}

interface SnapmakerCredentials {
  token: unknown;
}

export = (RED: NodeAPI): void => {
  registerPrinterType<SnapmakerDefinition, SnapmakerCredentials>(RED, {
    type: 'snapmaker-printer',
    make: 'snapmaker',
    credentials: { token: { type: 'password' } },
    models: artisans,
    fallback: artisans[0],
    createDriver: (base, definition, credentials) => {
      const port = optionalNumber(definition.port);
      return createSnapmakerDriver({
        ...base,
        token: secretOf(definition.printerId, 'TOKEN', credentials.token),
        clientName: 'Platewise',
        ...(port !== undefined && { port }),
      });
    },
  });
};
