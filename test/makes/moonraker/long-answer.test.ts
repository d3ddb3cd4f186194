import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpGet } from '../../../lib/makes/moonraker/http';

describe('An answer of Moonraker', () => {
  it('is aborted if it does not end', async () => {
    const endless = createServer((_request, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(256 * 1024), more);
      };
      more();
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    const { port } = endless.address() as AddressInfo;
    try {
      const address = { host: '127.0.0.1', port, tls: false, timeoutMs: 5000, stallMs: 5000, uploadReplyMs: 5000 };
      await assert.rejects(httpGet(address, '/server/info'), /answer is longer/);
    } finally {
      endless.closeAllConnections();
      endless.close();
    }
  });
});
