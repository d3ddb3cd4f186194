import type { PrinterId } from './ids';

/**
 * The optional fields of a submission besides file, material and times. Each has a column and a field of the API of the same name in snake
 * case. The two lists below carry it to the database, the planner and the job page; CONTRIBUTING.md lists what else a new one needs.
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
  /** The submitter confirms that a file which names no machine was made for the printers that it fits. */
  acceptUnknownMachine: boolean;
}

/** The defaults. */
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
