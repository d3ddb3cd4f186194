/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** One command of the `platewise` program. */
export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** The whole help text. */
  help: string;
  /** Runs to the end and resolves with the exit code. @throws UsageError if the arguments are invalid */
  run(args: string[]): Promise<number>;
}

/** The command line is invalid; the message explains the correct usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
