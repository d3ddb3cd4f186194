import type { NodeAPI } from 'node-red';
import { createBambuDriver } from '../../lib/printers/bambu/driver';
import { optionalNumber, type PrinterDefinition, registerPrinterType, secretOf } from '../printer/printer-node';

interface BambuDefinition extends PrinterDefinition {
  serial: string;
  mqttPort: string | number;
  ftpsPort: string | number;
  /** A file with the certificate authority (PEM) that signed the printer's certificate. */
  caFile: string;
  /** SHA-256 of the printer's certificate, instead of an authority. */
  fingerprint: string;
}

interface BambuCredentials {
  accessCode: unknown;
}

export = (RED: NodeAPI): void => {
  registerPrinterType<BambuDefinition, BambuCredentials>(RED, {
    type: 'bambu-printer',
    make: 'bambu',
    credentials: { accessCode: { type: 'password' } },
    capabilities: {
      // An H2D has two; its AMS feeds the right one.
      nozzleDiameters: [0.4, 0.4],
      maxNozzleTemperature: 350,
      maxBedTemperature: 120,
      materialTypes: ['PLA', 'PETG', 'ABS', 'ASA', 'TPU'],
      speedFactor: 1,
      usdPerHour: 0.9,
    },
    slots: ['ams0-0', 'ams0-1', 'ams0-2', 'ams0-3'],
    createDriver: (base, definition, credentials) => {
      const mqttPort = optionalNumber(definition.mqttPort);
      const ftpsPort = optionalNumber(definition.ftpsPort);
      return createBambuDriver({
        ...base,
        serial: definition.serial,
        accessCode: secretOf(definition.printerId, 'ACCESS_CODE', credentials.accessCode),
        ...(mqttPort !== undefined && { mqttPort }),
        ...(ftpsPort !== undefined && { ftpsPort }),
        ...(definition.caFile && { caFile: definition.caFile }),
        ...(definition.fingerprint && { fingerprint: definition.fingerprint }),
      });
    },
  });
};
