import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { frameHeaders } from '../../lib/http/frames';
import { guardFrames } from '../../nodes/http/frame-guard';

describe('Frames of other sites', () => {
  it('cannot show the dashboard, wherever it is served', async () => {
    const app = express();
    app.use(guardFrames(() => ['/dashboard', '/shop']));
    app.use((_request, response) => void response.send('page'));
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      for (const [path, guarded] of [
        ['/dashboard', true],
        ['/dashboard/farm', true],
        ['/shop/assets/a.js', true],
        ['/shopping', false],
        ['/', false],
      ] as const) {
        const { headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
        assert.equal(headers.get('content-security-policy') === "frame-ancestors 'self'", guarded, path);
        assert.equal(headers.get('x-frame-options') === 'SAMEORIGIN', guarded, path);
      }
    } finally {
      server.close();
    }
  });

  it('may show it if the owner allows it, and nothing else gets into the header', () => {
    assert.deepEqual(frameHeaders('https://home.example.org:8123/lovelace; nonsense, javascript:a, http://panel.lan'), {
      'content-security-policy': "frame-ancestors 'self' https://home.example.org:8123 http://panel.lan",
    });
    assert.deepEqual(frameHeaders('https://home.example.org:8123/lovelace'), {
      'content-security-policy': "frame-ancestors 'self' https://home.example.org:8123",
    });
  });
});
