import { PlatewiseError } from '../model/errors';

/** The content of a file cannot be used; `reason` states the fault, `remedy` what to do. */
export class UnreadableFileError extends PlatewiseError {
  readonly reason: string;

  constructor(reason: string, remedy: string, options: { cause?: unknown } = {}) {
    super(`The file cannot be read: ${reason}.`, { code: 'unreadable_file', remedy, cause: options.cause });
    this.reason = reason;
  }
}
