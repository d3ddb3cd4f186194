import { type MakeRow, numberField, optionsOf } from '../make';
import { askForSnapmakers } from './discovery';
import { createSnapmakerDriver } from './driver';
import { artisans } from './models';
import { packForSnapmaker } from './pack';
import { snapmakerTraits } from './traits';

/** Snapmaker's Artisan. */
export const snapmakerMake: MakeRow = {
  make: 'snapmaker',
  traits: snapmakerTraits,
  models: artisans,
  refused: [],
  nodeTypes: [{ type: 'snapmaker-printer', fallback: artisans[0] }],
  fields: [{ name: 'port', option: 'port', type: 'number' }],
  secret: { credential: 'token', variable: 'TOKEN' },
  createDriver: (base, values, token) =>
    createSnapmakerDriver({ ...base, token, ...optionsOf(values, numberField, ['port']) }),
  pack: packForSnapmaker,
  discovery: {
    ports: [
      { name: 'snapmaker', option: 'snapmaker-port', help: 'where Snapmaker printers are asked (default 20054)' },
    ],
    search: ({ hosts, ports, signal }) => [askForSnapmakers(hosts, ports('snapmaker', 20_054)[0], signal)],
  },
  commandLine: {
    port: 8888,
    secret: 'snapmaker; any text, allowed once at the screen',
    discovery: 'Snapmaker by a broadcast',
  },
};
