import type { NodeAPI } from 'node-red';
import { createSnapmakerDriver } from '../../lib/printers/snapmaker/driver';
import { optionalNumber, type PrinterDefinition, registerPrinterType, secretOf } from '../printer/printer-node';

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
    capabilities: {
      nozzleDiameters: [0.4, 0.4],
      maxNozzleTemperature: 300,
      maxBedTemperature: 110,
      materialTypes: ['PLA', 'PETG', 'ABS', 'ASA', 'TPU'],
      speedFactor: 1.35,
      usdPerHour: 0.8,
    },
    slots: ['nozzle0', 'nozzle1'],
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
