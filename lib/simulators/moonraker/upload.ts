import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { faultNumber } from '../faults';
import { DigestTap, type FileDigest } from '../machine';
import { MoonrakerError } from './errors';
import type { Services } from './methods';

interface Form {
  fields: Map<string, string>;
  fileName: string | undefined;
  temporary: string;
  digest: FileDigest;
}

/** POST /server/files/upload and /api/files/local (protocol notes, section 4). Resolves with the body of the 201. */
export async function receiveUpload(request: IncomingMessage, services: Services): Promise<Record<string, unknown>> {
  const { machine, profile, files, hub, klipper } = services;
  const form = await readForm(request, services);
  try {
    const unstorable = machine.faults.take('storage_missing') ?? machine.faults.take('storage_full');
    if (unstorable !== undefined) {
      throw new MoonrakerError(500, '[Errno 28] No space left on device', 'upload');
    }
    if (form.fileName === undefined || form.fileName === '') {
      throw new MoonrakerError(profile.legacy ? 500 : 400, 'No file name specified in upload form', 'upload');
    }
    const root = form.fields.get('root') ?? 'gcodes';
    if (root !== 'gcodes') throw new MoonrakerError(400, `Invalid root request: ${root}`, 'upload');
    const path = files.resolve(join(form.fields.get('path') ?? '', form.fileName));
    if (machine.engine.run?.job.fileName === path) {
      throw new MoonrakerError(403, 'File is loaded, upload not permitted', 'upload');
    }
    const checksum = form.fields.get('checksum');
    if (checksum !== undefined) verify(form.digest, checksum.toLowerCase(), profile.legacy);
    const file = await files.put(path, form.temporary, form.digest);
    const wanted = form.fields.get('print') === 'true';
    const started = wanted && machine.engine.run === null && machine.extra.klippy === 'ready';
    if (started) await klipper.start(path).catch(() => {});
    const full = { modified: file.modified, size: file.size, permissions: 'rw', path, root };
    hub.notify('notify_filelist_changed', [{ action: 'create_file', item: full }]);
    const outcome = { print_started: started, print_queued: false };
    return profile.legacy
      ? { item: { path, root }, ...outcome, action: 'create_file' }
      : { action: 'create_file', item: full, ...outcome };
  } finally {
    await rm(form.temporary, { force: true });
  }
}

async function readForm(request: IncomingMessage, { machine }: Services): Promise<Form> {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || !contentType.startsWith('multipart/form-data')) {
    throw new MoonrakerError(400, 'Expected multipart/form-data', 'upload');
  }
  const folder = join(machine.options.dataDir, 'incoming');
  await mkdir(folder, { recursive: true });
  const form = { fields: new Map<string, string>(), fileName: undefined as string | undefined };
  const temporary = join(folder, randomUUID());
  const tap = new DigestTap();
  const headers: BusboyHeaders = { ...request.headers, 'content-type': contentType };
  const parser = new Busboy({ headers, limits: { fieldSize: 65_536 } });
  let written: Promise<void> = Promise.resolve();
  parser.on('field', (name, value) => form.fields.set(name, value));
  parser.on('file', (name, stream, fileName) => {
    if (name !== 'file') {
      stream.resume();
      return;
    }
    form.fileName = fileName;
    written = pipeline(stream, tap, createWriteStream(temporary));
    written.catch(() => {});
  });
  const broken = machine.faults.take('upload_breaks');
  const breaker = cutAfter(broken === undefined ? Infinity : faultNumber(broken, 'after_bytes', 1024), request);
  try {
    await pipeline(request, breaker, parser);
    await written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw new MoonrakerError(400, error instanceof Error ? error.message : String(error), 'upload');
  }
  return { ...form, temporary, digest: tap.digest() };
}

/** Breaks the connection after this many bytes. */
function cutAfter(bytes: number, request: IncomingMessage): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytes) {
        request.socket.resetAndDestroy();
        done(new Error('the connection was lost'));
      } else {
        done(null, chunk);
      }
    },
  });
}

function verify({ sha256 }: FileDigest, checksum: string, legacy: boolean): void {
  if (sha256 === checksum) return;
  throw new MoonrakerError(
    legacy ? 500 : 422,
    `File checksum mismatch: expected ${checksum}, calculated ${sha256}`,
    'upload',
  );
}
