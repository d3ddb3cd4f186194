import type { NodeAPI } from 'node-red';
import { createBambuDriver } from '../../lib/makes/bambu/driver';
import { anyBambu, bambuModels, refusedModels } from '../../lib/makes/bambu/models';
import type { PrinterDefinition } from '../printer/printer-make';
import { optionalNumber, registerPrinterType, secretOf } from '../printer/printer-node';

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
    models: bambuModels,
    fallback: anyBambu,
    refused: refusedModels,
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
