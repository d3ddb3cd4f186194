import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A JSON document that is replaced whole: a reader sees the old or the new one, also after a kill at any moment. */
export class StateFile<State> {
  constructor(private readonly path: string) {}

  /** The stored document, or undefined if there is none yet. */
  read(): State | undefined {
    return existsSync(this.path) ? (JSON.parse(readFileSync(this.path, 'utf8')) as State) : undefined;
  }

  write(state: State): void {
    const temporary = `${this.path}.new`;
    const descriptor = openSync(temporary, 'w');
    writeFileSync(descriptor, JSON.stringify(state));
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, this.path);
  }
}
