import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { HttpRequest } from '../../lib/api/call';
import { receiveFile } from '../../lib/api/upload';
import { LocalFileStore } from '../../lib/files/file-store';
import { MalformedInputError } from '../../lib/model/errors';
import { temporaryDirectory } from '../fixtures';

const upload = (body: string): HttpRequest =>
  Object.assign(Readable.from([Buffer.from(body)]), {
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  }) as unknown as HttpRequest;
const part = (name: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a.stl"\r\n\r\nsolid a`;

describe('An upload', () => {
  it('is passed on as a stream', async () => {
    const got = await receiveFile(upload(`${part('file')}\r\n--x--\r\n`), (stream, name) =>
      text(stream).then((content) => `${name}: ${content}`),
    );
    assert.equal(got, 'a.stl: solid a');
  });

  for (const name of ['file', 'another']) {
    it(`that breaks off in the part "${name}" is rejected, and ends nothing else`, async () => {
      await assert.rejects(
        receiveFile(upload(part(name)), (stream) => text(stream)),
        MalformedInputError,
      );
    });
  }

  /** Files below a folder that this process holds open, if the system can list them. */
  const heldOpen = (folder: string): string[] =>
    (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd') : []).flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith(folder) ? [path] : [];
      } catch {
        return [];
      }
    });
  const ends: [string, (request: PassThrough) => void][] = [
    ['whose client goes away', (request) => request.emit('aborted')],
    ['whose connection is reset', (request) => request.destroy(new Error('read ECONNRESET'))],
    ['whose connection is closed', (request) => request.destroy()],
    ['that ends in the middle', (request) => request.end()],
  ];
  for (const [name, end] of ends) {
    it(`${name} leaves no file and no descriptor`, async () => {
      const root = temporaryDirectory();
      const store = new LocalFileStore(root);
      const request = Object.assign(new PassThrough(), {
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      });
      let begun: () => void = () => undefined;
      const writing = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const received = receiveFile(request as unknown as HttpRequest, (stream) => {
        stream.once('data', begun);
        return store.put(stream, { extension: '.stl', maxBytes: 1000 });
      });
      received.catch(() => undefined);
      request.write(part('file'));
      await writing;
      end(request);
      await assert.rejects(received, MalformedInputError);
      assert.deepEqual(readdirSync(join(root, 'incoming')), []);
      assert.deepEqual(heldOpen(root), []);
      assert.ok(!readdirSync(root).includes('sha256'));
    });
  }
});
