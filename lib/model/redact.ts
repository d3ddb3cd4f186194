import { oneLine } from './one-line';

/** Replaces a secret. */
const hidden = '•••';
/** Shorter secrets would hide ordinary words. */
const shortest = 4;
const patterns: readonly [RegExp, string][] = [
  // the password in postgres://user:password@host, and in any other URL
  [/(\w+:\/\/[^\s:/@]*:)[^\s@/]+(?=@)/g, `$1${hidden}`],
  [/\bpw_[\w-]{20,}/g, hidden],
  [/\b(Bearer|Basic) +[\w.~+/=-]{4,}/gi, `$1 ${hidden}`],
];
const secretName = /password|secret|token|access_?code|api_?key|authorization|^key$/i;

/** Removes secrets from texts before they are logged. */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Hides this text wherever it occurs from now on. */
  hide(secret: unknown): void {
    if (typeof secret === 'string' && secret.length >= shortest) this.#secrets.add(secret);
  }

  /** Returns a text without secrets. */
  text(text: string): string {
    let shown = text;
    for (const secret of this.#secrets) shown = shown.replaceAll(secret, hidden);
    for (const [pattern, instead] of patterns) shown = shown.replace(pattern, instead);
    return shown;
  }

  /** Returns a text for a log: without secrets, and on one line. */
  line(text: string): string {
    return oneLine(this.text(text));
  }

  /** Returns a JSON value without secrets, which are recognised by their text and by the name of their field. */
  value(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value ?? null), (name: string, inner: unknown) => {
      if (typeof inner !== 'string') return inner;
      return secretName.test(name) ? hidden : this.text(inner);
    });
  }
}
