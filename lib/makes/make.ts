import type { MakeTraits } from '../model/make-traits';
import type { Make } from '../model/printer';
import type { Pack } from '../slicing/pack';
import type { Driver, DriverOptions } from './driver';
import type { FoundPrinter } from './found-printer';
import type { PrinterModel, RefusedModel } from './model-table';

/** Something that says how a printer is reached: a property of its node, and an option of the command line. */
export interface ConnectionField {
  /** Of the node's property. */
  name: string;
  /** Of the command line's option, without the dashes. */
  option: string;
  type: 'text' | 'number' | 'flag';
}

/** How a printer is reached, by the names of `MakeRow.fields`, as a form or a command line gives it; empty texts say nothing. */
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
  /** Hosts to ask directly. */
  hosts: readonly string[];
  /** The ports to use under a name, else the usual ones. */
  ports(name: string, ...usual: [number, ...number[]]): readonly [number, ...number[]];
  signal: AbortSignal;
}

/** A node type for printers of a make. */
export interface PrinterType {
  type: string;
  /** What is known of such a printer of which neither its owner nor itself has said what it is. */
  fallback: PrinterModel;
}

/** All that Platewise knows of a make, in one row. Each comes from the make's own folder; `registry.ts` lists them. */
export interface MakeRow {
  make: Make;
  traits: MakeTraits;
  /** The models that an owner may choose from; empty: there is nothing to choose. */
  models: readonly PrinterModel[];
  /** Models that are known and not driven. */
  refused: readonly RefusedModel[];
  /** The token of the model that somebody names on a command line, or why it is none; absent: none can be named. */
  modelNamed?(word: string): { token: string } | { reason: string };
  nodeTypes: readonly [PrinterType, ...PrinterType[]];
  fields: readonly ConnectionField[];
  /** What a printer is asked with: a credential of its node, and the end of the name of an environment variable. */
  secret: { credential: string; variable: string };
  /**
   * A driver for one printer.
   * @param patienceMs for how long somebody waits for its first report: why it is silent is to be told before
   */
  createDriver(base: DriverOptions, values: ConnectionValues, secret: string, patienceMs?: number): Driver;
  pack: Pack;
  discovery: {
    ports: readonly DiscoveryPort[];
    /** Each search ends with its signal at the latest. */
    search(scope: DiscoveryScope): Promise<FoundPrinter[]>[];
  };
  commandLine: {
    /** Why the options do not suffice to connect safely. */
    missing?(values: ConnectionValues): string | undefined;
    /** The options that only this make has, as lines of a help text. */
    options?: string;
    /** The usual one, where the make has the option `--port`. */
    port?: number;
    /** Where the options that a certificate is checked by count, for a help text; absent: nowhere. */
    certificate?: string;
    /** The make, and when the secret is asked for: `moonraker, if it asks for one`. */
    secret: string;
    /** How its printers are found: `Bambu by their announcements`. */
    discovery: string;
  };
}

/** The text of a field, undefined if it is empty or none. */
export function textField(values: ConnectionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The number of a field, undefined if it is empty or none. */
export const numberField = (values: ConnectionValues, name: string): number | undefined => optionalNumber(values[name]);

/** A number that may have been left empty in a form, or come from the environment as text. */
export function optionalNumber(value: unknown): number | undefined {
  const parsed = Number(value);
  return value === undefined || value === '' || !Number.isFinite(parsed) ? undefined : parsed;
}

/** The fields with these names that say something, each as the option of the same name that a driver takes. */
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
