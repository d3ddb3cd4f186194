import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { FileStoreError, LocalFileStore, printExtensionOf } from '../../lib/files/file-store';
import { NotFoundError } from '../../lib/model/errors';
import { temporaryDirectory } from '../fixtures';

const refusal = (code: string) => (error: unknown) => error instanceof FileStoreError && error.code === code;

describe('file store', () => {
  const content = Buffer.from('solid x endsolid x');
  const options = { extension: '.stl', maxBytes: 1000 } as const;

  it('stores content under its hash, whatever its name', async () => {
    const root = temporaryDirectory();
    const store = new LocalFileStore(root);
    const extension = printExtensionOf('../../etc/PASSWD.GCODE.3MF');
    assert.equal(extension, '.gcode.3mf');
    const first = await store.put(Readable.from([content]), { ...options, extension });
    assert.equal(first.path, store.pathOf(first.sha256, '.gcode.3mf'));
    assert.ok(first.path.startsWith(join(root, 'sha256')));
    assert.equal(first.sizeBytes, content.length);
    assert.deepEqual(readFileSync(first.path), content);
    assert.equal(await store.hash(first.path), first.sha256);
    assert.equal(await store.resolve(first.path), realpathSync(first.path));
    const again = await store.put(Readable.from([content]), { ...options, extension });
    assert.deepEqual(again, first);
    assert.deepEqual(readdirSync(join(root, 'incoming')), []);
  });

  it('accepts no name that is not of a print file', () => {
    for (const name of ['a.exe', 'stl', '', 'photo.png', 'photo.jpg'])
      assert.equal(printExtensionOf(name), undefined, name);
  });

  it('leaves nothing behind after a failed upload', async () => {
    const root = temporaryDirectory();
    const store = new LocalFileStore(root);
    await assert.rejects(store.put(Readable.from([content]), { ...options, maxBytes: 5 }), refusal('file_too_large'));
    const broken = new Readable({
      read() {
        this.destroy(new Error('connection reset'));
      },
    });
    await assert.rejects(store.put(broken, options), /connection reset/);
    assert.deepEqual(readdirSync(join(root, 'incoming')), []);
    assert.ok(!readdirSync(root).includes('sha256'));
  });

  it('removes the partial files of a killed process, and no upload that is still running', async () => {
    const root = temporaryDirectory();
    const store = new LocalFileStore(root);
    assert.equal(await store.sweepIncoming(1000), 0);
    mkdirSync(join(root, 'incoming'));
    for (const name of ['old', 'new']) writeFileSync(join(root, 'incoming', name), 'x');
    utimesSync(join(root, 'incoming', 'old'), new Date(0), new Date(0));
    assert.equal(await store.sweepIncoming(Date.now() - 1000), 1);
    assert.deepEqual(readdirSync(join(root, 'incoming')), ['new']);
  });

  it('rejects paths outside its folders', async () => {
    const root = temporaryDirectory();
    const models = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    writeFileSync(join(elsewhere, 'secret.stl'), 'x');
    writeFileSync(join(models, 'part.stl'), 'x');
    mkdirSync(join(models, 'folder'));
    symlinkSync(join(elsewhere, 'secret.stl'), join(models, 'link.stl'));
    const store = new LocalFileStore(root, [models]);
    assert.equal(await store.resolve(join(models, 'part.stl')), realpathSync(join(models, 'part.stl')));
    await assert.rejects(store.resolve(join(elsewhere, 'secret.stl')), refusal('outside_file_roots'));
    await assert.rejects(store.resolve(join(models, 'link.stl')), refusal('outside_file_roots'));
    await assert.rejects(store.resolve(join(models, '..', elsewhere, 'x\0.stl')), refusal('outside_file_roots'));
    await assert.rejects(store.resolve(join(models, 'missing.stl')), NotFoundError);
    await assert.rejects(store.resolve(join(models, 'folder')), NotFoundError);
    assert.throws(() => store.pathOf('../../etc/passwd', '.stl'), refusal('bad_file_address'));
  });

  it('keeps its files private from other users of the machine', async () => {
    const root = join(temporaryDirectory(), 'files');
    const { path } = await new LocalFileStore(root).put(Readable.from([content]), options);
    const modeOf = (name: string): number => statSync(name).mode & 0o777;
    assert.equal(modeOf(path), 0o600);
    for (const folder of [root, join(root, 'incoming'), join(root, 'sha256'), dirname(path)]) {
      assert.equal(modeOf(folder), 0o700, folder);
    }
  });

  it('gives the same answer for any path outside its folders, whether it exists or not', async () => {
    const store = new LocalFileStore(temporaryDirectory(), [temporaryDirectory()]);
    const elsewhere = temporaryDirectory();
    writeFileSync(join(elsewhere, 'there.stl'), 'x');
    const answers: string[] = [];
    for (const name of ['there.stl', 'nowhere.stl', 'there.stl/below.stl', '.']) {
      const named = join(elsewhere, name);
      for (const path of [named, join('..', '..', '..', '..', '..', '..', named)]) {
        await assert.rejects(store.resolve(path), (error: Error) => {
          assert.ok(refusal('outside_file_roots')(error));
          answers.push(error.message.replace(path, ''));
          return true;
        });
      }
    }
    assert.equal(new Set(answers).size, 1);
  });

  it('also accepts the real path of its folder', async () => {
    const real = temporaryDirectory();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(real, link);
    const store = new LocalFileStore(link);
    writeFileSync(join(real, 'part.stl'), 'x');
    for (const path of [join(link, 'part.stl'), join(real, 'part.stl'), 'part.stl']) {
      assert.equal(await store.resolve(path), realpathSync(join(real, 'part.stl')));
    }
  });

  it('enforces its quota, and accepts files again once there is room', async () => {
    const store = new LocalFileStore(temporaryDirectory());
    const put = (byte: string, bytes: number) =>
      store.put(Readable.from([Buffer.alloc(bytes / 2, byte), Buffer.alloc(bytes / 2, byte)]), {
        ...options,
        quotaBytes: 100,
      });
    const first = await put('a', 40);
    assert.equal((await put('a', 40)).path, first.path, 'the same content again takes no space');
    await put('b', 40);
    await assert.rejects(put('c', 40), refusal('storage_full'));
    await put('d', 20);
    await assert.rejects(put('c', 2), refusal('storage_full'));
    await store.remove(first.path);
    await put('c', 40);
    assert.deepEqual(readdirSync(join(dirname(dirname(dirname(first.path))), 'incoming')), []);
  });
});
