declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** UUID of a print job. */
export type JobId = Branded<'JobId'>;
/** UUID of one try at printing one copy on one printer. */
export type AttemptId = Branded<'AttemptId'>;
/** Name of a printer, for example `bamboo_h2d`. */
export type PrinterId = Branded<'PrinterId'>;
/** Name of a material, for example `pla_black_esun`. */
export type MaterialId = Branded<'MaterialId'>;
/** UUID of a spool. */
export type SpoolId = Branded<'SpoolId'>;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text has the form of a UUID. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

export const jobId = (text: string): JobId => text as JobId;
export const attemptId = (text: string): AttemptId => text as AttemptId;
export const printerId = (text: string): PrinterId => text as PrinterId;
export const materialId = (text: string): MaterialId => text as MaterialId;
