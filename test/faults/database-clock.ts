import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const libraries = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/faketime/libfaketime.so.1'];

/**
 * The clock of a database server, which can be set while the server runs: libfaketime (Debian: apt install faketime)
 * reads the offset from a file. Undefined where the library is missing.
 */
export class DatabaseClock {
  readonly #file: string;

  private constructor(
    directory: string,
    private readonly library: string,
  ) {
    this.#file = join(directory, 'database-clock');
    this.set(0);
  }

  static in(directory: string): DatabaseClock | undefined {
    const library = libraries.find(existsSync);
    return library === undefined ? undefined : new DatabaseClock(directory, library);
  }

  /** The environment that the server needs. */
  get variables(): Record<string, string> {
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** @param offset how far it is ahead of the true time (s) */
  set(offset: number): void {
    writeFileSync(this.#file, `${offset < 0 ? '' : '+'}${offset}\n`);
  }
}
