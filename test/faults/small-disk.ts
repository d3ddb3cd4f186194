import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const megabytes = 1200;

/** A small file system for a directory, so that it can be full without affecting anything else. Needs root on Linux. */
export class SmallDisk {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Mounts it on a directory, which is created if missing. Undefined if this process may not mount. */
  static mount(directory: string): SmallDisk | undefined {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    try {
      const options = `size=${megabytes}m,mode=0700`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' });
      return new SmallDisk(directory);
    } catch {
      return undefined;
    }
  }

  get #filler(): string {
    return join(this.#directory, 'filler');
  }

  /** Leaves no byte free. */
  fill(): void {
    for (let round = 0; round < 3; round++) {
      const { bavail, bsize } = statfsSync(this.#directory);
      if (bavail === 0) return;
      try {
        execFileSync('fallocate', ['-l', String(bavail * bsize), `${this.#filler}-${round}`], { stdio: 'ignore' });
      } catch {
        // Another process used some of it in the meantime: the next round fills the rest.
      }
    }
  }

  free(): void {
    for (let round = 0; round < 3; round++) rmSync(`${this.#filler}-${round}`, { force: true });
  }

  unmount(): void {
    try {
      execFileSync('umount', ['--lazy', this.#directory], { stdio: 'ignore' });
    } catch {
      // It is already gone.
    }
  }
}
