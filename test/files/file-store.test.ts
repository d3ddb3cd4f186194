import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FileStoreError, LocalFileStore, printExtensionOf } from '../../lib/files/file-store';
import { NotFoundError } from '../../lib/model/errors';
import { temporaryDirectory } from '../fixtures';

const refusal = (code: string) => (error: unknown) => error instanceof FileStoreError && error.code === code;

describe('file store', () => {
  const content = Buffer.from('solid x endsolid x');
  const options = { extension: '.stl', maxBytes: 1000 } as const;

  it('keeps content under its hash, whatever the name', async () => {
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

  it('takes no name for a print that is none', () => {
    for (const name of ['a.exe', 'stl', '', 'photo.png', 'photo.jpg'])
      assert.equal(printExtensionOf(name), undefined, name);
  });

  it('leaves nothing behind of an upload that fails', async () => {
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

  it('sweeps away what a killed process has left half received, and nothing that is still coming', async () => {
    const root = temporaryDirectory();
    const store = new LocalFileStore(root);
    assert.equal(await store.sweepIncoming(1000), 0);
    mkdirSync(join(root, 'incoming'));
    for (const name of ['old', 'new']) writeFileSync(join(root, 'incoming', name), 'x');
    utimesSync(join(root, 'incoming', 'old'), new Date(0), new Date(0));
    assert.equal(await store.sweepIncoming(Date.now() - 1000), 1);
    assert.deepEqual(readdirSync(join(root, 'incoming')), ['new']);
  });

  it('lets nobody name a file outside of its folders', async () => {
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
});
