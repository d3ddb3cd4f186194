import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { MalformedInputError } from '../../lib/model/errors';
import type { HttpRequest } from '../../nodes/http/request';
import { receiveFile } from '../../nodes/job-submit/upload';

const upload = (body: string): HttpRequest =>
  Object.assign(Readable.from([Buffer.from(body)]), {
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
  }) as unknown as HttpRequest;
const part = (name: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a.stl"\r\n\r\nsolid a`;

describe('An upload', () => {
  it('is handed on as it comes', async () => {
    const got = await receiveFile(upload(`${part('file')}\r\n--x--\r\n`), (stream, name) =>
      text(stream).then((content) => `${name}: ${content}`),
    );
    assert.equal(got, 'a.stl: solid a');
  });

  for (const name of ['file', 'another']) {
    it(`that breaks off in the part "${name}" is refused, and ends nothing else`, async () => {
      await assert.rejects(
        receiveFile(upload(part(name)), (stream) => text(stream)),
        MalformedInputError,
      );
    });
  }
});
