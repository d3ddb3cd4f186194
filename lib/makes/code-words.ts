/** The severity of a code, in the terms of Bambu's health messages; the other makes' codes use the same ones. */
export type Severity = 'fatal' | 'serious' | 'common' | 'info';

/** The meaning of a printer's code. */
export interface CodeWords {
  /** One sentence or more, without the code. */
  words: string;
  /** What an operator has to do at the printer. The advice to resume a paused print is added elsewhere. */
  remedy: string;
  severity: Severity;
  /** Whether the printer cannot print until an operator has acted. */
  blocking: boolean;
}

/** Adds the code in brackets at the end of the last sentence: `The nozzle is clogged (0300_4006).` */
export function withCode(words: string, code: string): string {
  return `${words.replace(/\.$/, '')} (${code}).`;
}
