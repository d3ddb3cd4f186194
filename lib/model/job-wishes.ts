import type { PrinterId } from './ids';

/**
 * What a submitter may ask of a job beside its file, material and times. Each has a column and a field of the API of the same name in snake
 * case; from here it reaches the database, the planner and the job page by itself. A new one needs a line in each of the two lists below, its
 * contract (`lib/contracts/jobs.ts`), a column (`migrations/`), and the code that heeds it.
 */
export interface JobWishes {
  /** 1 (highest) to 10. */
  priority: number;
  copies: number;
  maxRetries: number;
  hold: boolean;
  goalId: string | null;
  /** Jobs with the same one should be complete together. */
  kitId: string | null;
  /** The only printer that may print it. */
  forcePrinter: PrinterId | null;
  /** The printer to take unless the job would be done much later there. */
  preferPrinter: PrinterId | null;
  /** The submitter's word that a file which names no machine was made for the printers that it fits. */
  acceptUnknownMachine: boolean;
}

/** What counts where nothing is asked. */
export const defaultWishes: Readonly<JobWishes> = {
  priority: 5,
  copies: 1,
  maxRetries: 2,
  hold: false,
  goalId: null,
  kitId: null,
  forcePrinter: null,
  preferPrinter: null,
  acceptUnknownMachine: false,
};

export const wishNames = Object.keys(defaultWishes) as readonly (keyof JobWishes)[];

/** The wishes that name a printer, which must be one of the farm. */
export const printerWishes = wishNames.filter((name) => name.endsWith('Printer'));

/** A name as columns and the API write it. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The wishes in a submission, or in anything else with such fields. */
export function wishesOf(asked: object): JobWishes {
  const given = asked as Record<string, unknown>;
  const wishes = wishNames.map((name) => [name, given[snakeCase(name)] ?? defaultWishes[name]]);
  return Object.fromEntries(wishes) as JobWishes;
}

/** Only the wishes of a job. */
export function onlyWishes(job: JobWishes): JobWishes {
  return Object.fromEntries(wishNames.map((name) => [name, job[name]])) as unknown as JobWishes;
}
