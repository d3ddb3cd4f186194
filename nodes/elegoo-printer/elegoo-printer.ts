import type { NodeAPI } from 'node-red';
import { createMoonrakerDriver } from '../../lib/printers/moonraker/driver';
import { optionalNumber, type PrinterDefinition, registerPrinterType, secretOf } from '../printer/printer-node';

interface ElegooDefinition extends PrinterDefinition {
  port: string | number;
  tls: boolean;
}

interface ElegooCredentials {
  apiKey: unknown;
}

export = (RED: NodeAPI): void => {
  registerPrinterType<ElegooDefinition, ElegooCredentials>(RED, {
    type: 'elegoo-printer',
    make: 'moonraker',
    credentials: { apiKey: { type: 'password' } },
    capabilities: {
      nozzleDiameters: [0.4],
      maxNozzleTemperature: 300,
      maxBedTemperature: 110,
      materialTypes: ['PLA', 'PETG', 'TPU'],
      speedFactor: 1.2,
      usdPerHour: 1,
    },
    slots: ['extruder'],
    createDriver: (base, definition, credentials) => {
      const port = optionalNumber(definition.port);
      const apiKey = secretOf(definition.printerId, 'API_KEY', credentials.apiKey);
      return createMoonrakerDriver({
        ...base,
        ...(port !== undefined && { port }),
        ...(apiKey !== '' && { apiKey }),
        tls: definition.tls === true,
      });
    },
  });
};
