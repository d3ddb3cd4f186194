import type { NodeAPI } from 'node-red';
import { anyKlipper } from '../../lib/makes/model-table';
import { registerMoonrakerType } from '../printer/moonraker-printer';

export = (RED: NodeAPI): void => {
  registerMoonrakerType(RED, {
    type: 'klipper-printer',
    fallback: anyKlipper,
    credentials: { apiKey: { type: 'password' } },
  });
};
