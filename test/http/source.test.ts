import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { isOwnHost } from '../../lib/http/hosts';
import { checkSource, foreignSource } from '../../lib/http/source';

describe('The host name of a request', () => {
  const own = [
    'localhost',
    'LOCALHOST:1880',
    'farm.localhost',
    '127.0.0.1:1880',
    '127.1.2.3',
    '[::1]:1880',
    hostname(),
  ];
  for (const host of own) it(`is the machine's own: ${host}`, () => assert.ok(isOwnHost(host, [])));

  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    '',
    undefined,
  ]) {
    it(`is foreign: ${host}`, () => assert.ok(!isOwnHost(host, [])));
  }

  it('may be configured by the owner, with any port, or not be checked', () => {
    assert.ok(isOwnHost('Farm.example.org.:8443', ['farm.example.org']));
    assert.ok(!isOwnHost('evil.example', ['farm.example.org']));
    assert.ok(isOwnHost('evil.example', ['*']));
  });
});

describe('The page that causes a request', () => {
  const from = (headers: Record<string, string>, configured: string[] = []) =>
    foreignSource({ headers: { host: 'farm.example.org', ...headers } }, configured)?.field;

  it('is absent, or belongs to the farm itself', () => {
    assert.equal(from({}), undefined);
    assert.equal(from({ origin: 'https://farm.example.org', 'sec-fetch-site': 'same-origin' }), undefined);
    assert.equal(from({ host: 'localhost:1880', origin: 'http://localhost:1880' }), undefined);
    assert.equal(from({ host: 'farm.example.org:443', origin: 'https://farm.example.org' }), undefined);
    assert.equal(from({ 'sec-fetch-site': 'none' }), undefined);
  });

  it('is foreign, even on another port of the same machine', () => {
    assert.equal(from({ host: 'localhost:1880', origin: 'http://localhost:8080' }), 'Origin');
    assert.equal(from({ host: 'localhost:1880', origin: 'http://127.0.0.1:1880' }), 'Origin');
    assert.equal(from({ origin: 'null' }), 'Origin');
    assert.equal(from({ origin: 'file://' }), 'Origin');
    assert.equal(from({ origin: 'https://farm.example.org.evil.example' }), 'Origin');
    for (const site of ['same-site', 'cross-site', ''])
      assert.equal(from({ 'sec-fetch-site': site }), 'Sec-Fetch-Site');
  });

  it('is the configured one if a proxy does not forward the name', () => {
    const origin = 'https://farm.example.org';
    assert.equal(from({ host: '127.0.0.1:1880', origin }), 'Origin');
    assert.equal(from({ host: '127.0.0.1:1880', origin }, ['farm.example.org']), undefined);
    assert.equal(from({ host: '127.0.0.1:1880', origin: `${origin}:8443` }, ['farm.example.org']), 'Origin');
  });

  it('may read, but not change', () => {
    const headers = { host: 'localhost', origin: 'http://evil.example' };
    checkSource({ method: 'GET', headers });
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.throws(() => checkSource({ method, headers }), { code: 'foreign_source' });
    }
    assert.throws(() => checkSource({ method: 'GET', headers }, true), { code: 'foreign_source' });
    assert.throws(() => checkSource({ method: 'GET', headers: { host: 'evil.example' } }), { code: 'unknown_host' });
  });
});
