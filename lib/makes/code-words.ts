/** How bad a code is, in the words of Bambu's health messages; the other makes' codes are told in the same ones. */
export type Severity = 'fatal' | 'serious' | 'common' | 'info';

/** What a code of a printer means. */
export interface CodeWords {
  /** One sentence or more, without the code. */
  words: string;
  /** What a person is to do at the printer; that a paused print is to be resumed is said by others. */
  remedy: string;
  severity: Severity;
  /** Whether nothing can be printed until a person has acted. */
  blocking: boolean;
}

/** Words with their code in brackets at the end of the last sentence: `The nozzle is clogged (0300_4006).` */
export function withCode(words: string, code: string): string {
  return `${words.replace(/\.$/, '')} (${code}).`;
}
