import type { NodeAPI } from 'node-red';
import { orangeStormGiga } from '../../lib/makes/model-table';
import { registerMoonrakerType } from '../printer/moonraker-printer';

export = (RED: NodeAPI): void => {
  registerMoonrakerType(RED, {
    type: 'elegoo-printer',
    fallback: orangeStormGiga,
    credentials: { apiKey: { type: 'password' } },
  });
};
