/** No genuine print file has more different ones. */
const mostNames = 200;
const longestName = 40;

/** A command with a name, as Klipper has them and its macros, and the line in which it stands first. */
export interface ExtendedCommand {
  name: string;
  line: number;
}

/** Notes which commands with names a file uses. */
export class ExtendedCommands {
  private readonly first = new Map<string, number>();

  /** @param name in capitals; of a line that begins with something else its beginning */
  see(name: string, line: number): void {
    if (this.first.has(name) || this.first.size >= mostNames) return;
    this.first.set(name.slice(0, longestName), line);
  }

  /** In the order in which they came. */
  get all(): ExtendedCommand[] {
    return [...this.first].map(([name, line]) => ({ name, line }));
  }
}
