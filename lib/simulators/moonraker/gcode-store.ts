import { randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { FileDigest, Machine } from '../machine';
import { MoonrakerError } from './errors';
import { klipperTools } from './extruders';
import { gcodeMetadata } from './gcode-metadata';
import type { Profile } from './profiles';
import { type MoonrakerState, type StoredFile, unixSeconds } from './state';

/** The root "gcodes" of Moonraker's file manager. */
export class GcodeStore {
  constructor(
    private readonly machine: Machine<MoonrakerState>,
    private readonly profile: Profile,
  ) {}

  /** The file as it lies on the disk, for reading. */
  diskPath(path: string): string {
    return join(this.machine.filesDir, path);
  }

  /** A path relative to the root in its plain form. @throws MoonrakerError 400 if it leads out of the root */
  resolve(path: string): string {
    const clean = posix.normalize(`./${path.replace(/^\/*(?:gcodes\/)?/, '')}`);
    if (clean.startsWith('..') || clean === '.') throw new MoonrakerError(400, `Invalid file path: ${path}`, 'upload');
    return clean;
  }

  find(path: string): StoredFile | undefined {
    return this.machine.extra.files[path];
  }

  require(path: string): StoredFile {
    const file = this.find(path);
    if (file === undefined) throw new MoonrakerError(404, `Metadata not available for <${path}>`);
    return file;
  }

  /** Takes a complete temporary file into the root. */
  async put(path: string, temporary: string, digest: FileDigest): Promise<StoredFile> {
    const target = this.diskPath(path);
    await mkdir(dirname(target), { recursive: true });
    await rename(temporary, target);
    const metadata = await gcodeMetadata(target, digest.size, this.profile);
    const modified = unixSeconds(this.machine);
    const file: StoredFile = {
      ...digest,
      path,
      modified,
      metadata: { size: digest.size, modified, uuid: randomUUID(), ...metadata },
      printStartTime: null,
      jobId: null,
    };
    this.machine.extra.files[path] = file;
    this.machine.persist();
    this.machine.logUpload(path, digest);
    // Reading the moves takes a while for a large file; it is done by the time the file is printed.
    this.machine.facts(digest.sha256, target, klipperTools(this.machine)).catch(() => {});
    return file;
  }

  async remove(path: string): Promise<void> {
    if (this.machine.engine.run?.job.fileName === path)
      throw new MoonrakerError(403, 'File is loaded, DELETE not permitted');
    if (this.find(path) === undefined) throw new MoonrakerError(404, `Invalid file path: ${path}`);
    delete this.machine.extra.files[path];
    this.machine.persist();
    await rm(this.diskPath(path), { force: true });
  }

  list(): Record<string, unknown>[] {
    return this.#sorted().map(({ path, modified, size }) => ({ path, modified, size, permissions: 'rw' }));
  }

  metadata(path: string): Record<string, unknown> {
    const file = this.require(path);
    return { ...file.metadata, print_start_time: file.printStartTime, job_id: file.jobId, filename: path };
  }

  /** One folder, with the free space of the storage. */
  async directory(path: string): Promise<Record<string, unknown>> {
    const folder = posix.normalize(`${path.replace(/^gcodes\/?/, '')}/`).replace(/^(\.\/|\/)/, '');
    const inside = this.#sorted().filter((file) => file.path.startsWith(folder));
    const files = inside.filter((file) => !file.path.slice(folder.length).includes('/'));
    const folders = new Set(
      inside.map((file) => file.path.slice(folder.length).split('/')).flatMap((p) => (p.length > 1 ? [p[0]] : [])),
    );
    const disk = await statfs(this.machine.filesDir);
    const total = disk.blocks * disk.bsize;
    const { faults } = this.machine;
    const full = faults.isOn('storage_missing') || faults.isOn('storage_full');
    const free = full ? 0 : disk.bavail * disk.bsize;
    return {
      dirs: [...folders].map((dirname_) => ({ modified: 0, size: 4096, permissions: 'rw', dirname: dirname_ })),
      files: files.map((file) => ({
        modified: file.modified,
        size: file.size,
        permissions: 'rw',
        filename: posix.basename(file.path),
      })),
      disk_usage: { total, used: total - free, free },
      root_info: { name: 'gcodes', permissions: 'rw' },
    };
  }

  read(path: string): ReadStream {
    return createReadStream(this.diskPath(path));
  }

  #sorted(): StoredFile[] {
    return Object.values(this.machine.extra.files).sort((a, b) => a.path.localeCompare(b.path));
  }
}
