import type { MakeTraits } from '../model/make-traits';
import type { Make } from '../model/printer';
import type { Pack } from '../slicing/pack';
import type { Driver, DriverOptions } from './driver';
import type { FoundPrinter } from './found-printer';
import type { PrinterModel, RefusedModel } from './model-table';

/** A connection setting of a printer: a property of its node, and an option of the command line. */
export interface ConnectionField {
  /** Of the node's property. */
  name: string;
  /** Of the command line's option, without the dashes. */
  option: string;
  type: 'text' | 'number' | 'flag';
}

/**
 * The connection settings of a printer, by the names of `MakeRow.fields`, from a form or a command line; empty texts
 * count as missing.
 */
export type ConnectionValues = Readonly<Record<string, unknown>>;

/** A port that a discovery uses. */
export interface DiscoveryPort {
  /** In `DiscoveryOptions.ports`. */
  name: string;
  /** The option of the command line that changes it, without the dashes; absent: none does. */
  option?: string;
  /** Of the option, for a help text. */
  help?: string;
}

/** Where a make looks for its printers. */
export interface DiscoveryScope {
  /** Hosts to query directly. */
  hosts: readonly string[];
  /** The ports to use under a name, else the usual ones. */
  ports(name: string, ...usual: [number, ...number[]]): readonly [number, ...number[]];
  signal: AbortSignal;
}

/** A node type for printers of a make. */
export interface PrinterType {
  type: string;
  /** The defaults for such a printer if neither the owner nor the printer has named its model. */
  fallback: PrinterModel;
}

/** Everything that Platewise knows about a make, in one row. Each row is defined in the make's own folder; `registry.ts` lists them. */
export interface MakeRow {
  make: Make;
  traits: MakeTraits;
  /** The models that an owner may choose from; empty: there is nothing to choose. */
  models: readonly PrinterModel[];
  /** Models that are known but not supported. */
  refused: readonly RefusedModel[];
  /**
   * Returns the token of a model from the command line, or why it is invalid; absent: no model can be named.
   */
  modelNamed?(word: string): { token: string } | { reason: string };
  nodeTypes: readonly [PrinterType, ...PrinterType[]];
  fields: readonly ConnectionField[];
  /** The secret of a printer: a credential of its node, and the suffix of an environment variable. */
  secret: { credential: string; variable: string };
  /**
   * A driver for one printer.
   * @param patienceMs how long the caller waits for its first report: the reason for a silence must be reported before
   */
  createDriver(base: DriverOptions, values: ConnectionValues, secret: string, patienceMs?: number): Driver;
  pack: Pack;
  discovery: {
    ports: readonly DiscoveryPort[];
    /** Each search ends when its signal fires, at the latest. */
    search(scope: DiscoveryScope): Promise<FoundPrinter[]>[];
  };
  commandLine: {
    /** Returns why the options are not sufficient to connect safely. */
    missing?(values: ConnectionValues): string | undefined;
    /** The options that only this make has, as lines of a help text. */
    options?: string;
    /** The usual one, where the make has the option `--port`. */
    port?: number;
    /** Where the options for checking a certificate apply, for a help text; absent: nowhere. */
    certificate?: string;
    /** The make, and when the secret is needed: `moonraker, if it asks for one`. */
    secret: string;
    /** How its printers are found: `Bambu by their announcements`. */
    discovery: string;
  };
}

/** The text of a field; undefined if it is empty or not a text. */
export function textField(values: ConnectionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The number of a field; undefined if it is empty or not a number. */
export const numberField = (values: ConnectionValues, name: string): number | undefined => optionalNumber(values[name]);

/** A number that may have been left empty in a form, or come from the environment as text. */
export function optionalNumber(value: unknown): number | undefined {
  const parsed = Number(value);
  return value === undefined || value === '' || !Number.isFinite(parsed) ? undefined : parsed;
}

/** The non-empty fields with these names, each as the driver option of the same name. */
export function optionsOf<Name extends string, Value>(
  values: ConnectionValues,
  read: (values: ConnectionValues, name: string) => Value | undefined,
  names: readonly Name[],
): Partial<Record<Name, Value>> {
  const told = names.flatMap((name) => {
    const value = read(values, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(told) as Partial<Record<Name, Value>>;
}
