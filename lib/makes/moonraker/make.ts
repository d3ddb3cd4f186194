import { type MakeRow, numberField, optionsOf, textField } from '../make';
import { askMoonraker } from './discovery';
import { createMoonrakerDriver } from './driver';
import { anyKlipper, klipperModels, orangeStormGiga } from './models';
import { packForMoonraker } from './pack';
import { moonrakerTraits } from './traits';

/** Printers with Klipper behind Moonraker, of any manufacturer. */
export const moonrakerMake: MakeRow = {
  make: 'moonraker',
  traits: moonrakerTraits,
  models: klipperModels,
  refused: [],
  nodeTypes: [
    { type: 'elegoo-printer', fallback: orangeStormGiga },
    { type: 'klipper-printer', fallback: anyKlipper },
  ],
  fields: [
    { name: 'port', option: 'port', type: 'number' },
    { name: 'tls', option: 'tls', type: 'flag' },
    // The prefix of every path if a web server serves Moonraker under one; missing in older flows.
    { name: 'pathPrefix', option: 'path-prefix', type: 'text' },
    { name: 'caFile', option: 'ca-file', type: 'text' },
    { name: 'fingerprint', option: 'fingerprint', type: 'text' },
  ],
  secret: { credential: 'apiKey', variable: 'API_KEY' },
  createDriver: (base, values, apiKey) =>
    createMoonrakerDriver({
      ...base,
      tls: values['tls'] === true,
      ...(apiKey !== '' && { apiKey }),
      ...optionsOf(values, numberField, ['port']),
      ...optionsOf(values, textField, ['pathPrefix', 'caFile', 'fingerprint']),
    }),
  pack: packForMoonraker,
  discovery: {
    ports: [{ name: 'moonraker', option: 'moonraker-port', help: 'where Moonraker is asked (default 7125, then 80)' }],
    // Moonraker does not announce itself.
    search: ({ hosts, ports, signal }) => hosts.map((host) => askMoonraker(host, ports('moonraker', 7125, 80), signal)),
  },
  commandLine: {
    options: `  --tls, --path-prefix P
                        moonraker: over HTTPS; the path that a web server has it under`,
    port: 7125,
    certificate: 'moonraker with --tls',
    secret: 'moonraker, if it asks for one',
    discovery: 'Moonraker at the hosts given',
  },
};
