import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { ForbiddenError, UnauthorizedError } from '../../lib/model/errors';
import { bodyReader } from '../../nodes/http/body-reader';
import { guardSource } from '../../nodes/http/source-guard';

const json = { 'content-type': 'application/json' };
const mebibyte = 1024 * 1024;

describe('The body of a request', () => {
  let server: Server;
  let read = 0;
  /** Requests that were accepted and wait for an answer until the test sends one. */
  const waiting: (() => void)[] = [];
  before(async () => {
    const app = express();
    app.use((incoming, _response, next) => {
      const push = incoming.push.bind(incoming);
      incoming.push = (chunk: Buffer | null) => {
        read += chunk?.length ?? 0;
        return push(chunk);
      };
      next();
    });
    app.use(guardSource);
    const admit = async (authorization: string | undefined, least: string): Promise<void> => {
      if (authorization === undefined) throw new UnauthorizedError('The request has no key.');
      if (authorization === 'Bearer read' && least !== 'read') throw new ForbiddenError('read', least);
    };
    app.use(bodyReader(admit));
    app.use((incoming, response) => {
      const answer = (): void => void response.json({ body: incoming.body ?? null });
      if (incoming.path === '/wait') waiting.push(answer);
      else answer();
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const begin = (headers: Record<string, string>, path = '/jobs'): ClientRequest =>
    request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST', path, headers });
  const answerTo = async (
    asked: ClientRequest,
  ): Promise<{ status: number; body: { code?: string; body?: unknown } }> => {
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, body: JSON.parse(await text(answer)) };
  };
  const send = (body: string, headers: Record<string, string> = json, path = '/jobs') => {
    const asked = begin(
      { authorization: 'Bearer operate', 'content-length': String(Buffer.byteLength(body)), ...headers },
      path,
    );
    asked.end(body);
    return answerTo(asked);
  };

  it('is read as JSON', async () => {
    assert.deepEqual((await send('{"a": [1, "{"]}')).body, { body: { a: [1, '{'] } });
    assert.deepEqual((await send('{}', { 'content-type': 'Application/JSON; charset=utf-8' })).body, { body: {} });
    assert.deepEqual((await send('', {})).body, { body: null });
  });

  for (const type of [
    '',
    'text/plain',
    'text/plain;json',
    'application/x-www-form-urlencoded',
    'application/json5',
    'x/json',
    'multipart/mixed; boundary=x',
  ]) {
    it(`needs its exact type: "${type}" is rejected`, async () => {
      const { status, body } = await send('{}', type === '' ? {} : { 'content-type': type });
      assert.deepEqual([status, body.code], [400, 'malformed_input']);
    });
  }

  it('is not read if the client may not send it', async () => {
    for (const [headers, status] of [
      [{}, 401],
      [{ authorization: 'Bearer read' }, 403],
      [{ authorization: 'Bearer operate', origin: 'http://evil.example' }, 403],
    ] as const) {
      read = 0;
      // The body is announced, and never arrives: the answer must not wait for it.
      const asked = begin({ ...json, 'content-length': '1000', ...headers });
      asked.flushHeaders();
      assert.equal((await answerTo(asked)).status, status);
      assert.equal(read, 0);
      asked.destroy();
    }
  });

  it('is rejected by its announced length', async () => {
    const asked = begin({ ...json, authorization: 'Bearer operate', 'content-length': String(mebibyte + 1) });
    asked.flushHeaders();
    assert.equal((await answerTo(asked)).status, 400);
    asked.destroy();
  });

  it('is rejected if it is nested too deeply, however long it is', async () => {
    for (const body of ['['.repeat(500_000), `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`]) {
      assert.equal((await send(body)).status, 400);
    }
    assert.equal((await send(`${'['.repeat(32)}${']'.repeat(32)}`)).status, 200);
    assert.equal((await send(JSON.stringify({ a: '['.repeat(100) }))).status, 200);
  });

  it('uses at most sixteen mebibytes for all concurrent requests', async () => {
    const body = JSON.stringify('x'.repeat(mebibyte - 2));
    const full = Array.from({ length: 16 }, () => send(body, json, '/wait'));
    while (waiting.length < 16) await new Promise((resolve) => setImmediate(resolve));
    const { status, body: refusal } = await send(body);
    assert.deepEqual([status, refusal.code], [503, 'bodies_in_flight']);
    assert.equal((await send('{}')).status, 200, 'a small one is accepted');
    for (const answer of waiting.splice(0)) answer();
    for (const { status } of await Promise.all(full)) assert.equal(status, 200);
    assert.equal((await send(body)).status, 200);
  });
});
