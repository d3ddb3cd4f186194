/** No genuine print file has more distinct ones. */
const mostNames = 200;
const longestName = 40;

/** A named command, such as Klipper's and its macros, and the line of its first occurrence. */
export interface ExtendedCommand {
  name: string;
  line: number;
}

/** Records which named commands a file uses. */
export class ExtendedCommands {
  private readonly first = new Map<string, number>();

  /** @param name in capitals; for a line that starts with something else, its beginning */
  see(name: string, line: number): void {
    if (this.first.has(name) || this.first.size >= mostNames) return;
    this.first.set(name.slice(0, longestName), line);
  }

  /** In the order of their first occurrence. */
  get all(): ExtendedCommand[] {
    return [...this.first].map(([name, line]) => ({ name, line }));
  }
}
