import { parseArgs } from 'node:util';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import type { ConnectionField } from '../../lib/makes/make';
import { undescribedPrinter } from '../../lib/makes/probe';
import { makeRows } from '../../lib/makes/registry';
import { asError } from '../../lib/model/errors';
import { type Make, makes } from '../../lib/model/printer';
import { UsageError } from '../command';

const defaultTimeoutSeconds = 20;

const rows = Object.values(makeRows);

/** Returns the part of a help text that describes how to name a printer. */
export const printerHelp = `  --host H              address of the printer
  --port N              ${rows.flatMap(({ make, commandLine: { port } }) => (port ? `${make} (default ${port})` : [])).join(', ')}
${rows.flatMap(({ commandLine }) => commandLine.options ?? []).join('\n')}
  --ca-file F, --fingerprint F
                        ${rows.flatMap(({ commandLine }) => commandLine.certificate ?? []).join(', ')}: what its certificate is checked by
  --timeout N           seconds to wait for the printer (default ${defaultTimeoutSeconds})
  --verbose             tell on standard error what the driver does

${wrapped([
  'Secrets come from the environment, so that no list of processes shows them:',
  ...rows.map(({ secret, commandLine }, index) => {
    const isLast = index === rows.length - 1;
    return `PLATEWISE_${secret.variable} (${commandLine.secret})${isLast ? '.' : ','}`;
  }),
])}
`;

/** Wraps words into lines of at most 120 characters. */
function wrapped(phrases: readonly string[]): string {
  const lines: string[] = [];
  for (const word of phrases.join(' ').split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > 120) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const printerOptions: Readonly<Record<string, typeof text | typeof flag>> = {
  host: text,
  model: text,
  timeout: text,
  verbose: flag,
  ...Object.fromEntries(
    rows.flatMap(({ fields }) => fields.map(({ option, type }) => [option, type === 'flag' ? flag : text])),
  ),
};

/** A printer as named on the command line. */
export interface NamedPrinter {
  make: Make;
  host: string;
  driver: Driver;
  /** How long to wait for the printer (ms). */
  timeoutMs: number;
  /** The arguments after the make. */
  files: string[];
  flags: Set<string>;
}

/**
 * Returns the printer that the arguments name, with the same driver that its node uses.
 * @param flags further options of the command, without a value
 * @param secrets the prefix of the environment variables with its secrets
 * @throws UsageError
 */
export function namedPrinter(args: string[], flags: readonly string[], secrets = 'PLATEWISE'): NamedPrinter {
  const options = { ...printerOptions, ...Object.fromEntries(flags.map((name) => [name, flag])) };
  let values: Record<string, string | boolean | undefined>;
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({ args, allowPositionals: true, options }));
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
  const make = makes.find((one) => one === positionals[0]);
  if (make === undefined) throw new UsageError(`Name a make: ${makes.join(', ')}.`);
  const given = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const host = given('host');
  if (host === undefined) throw new UsageError('Say where the printer is: --host.');
  const model = given('model');
  const base: DriverOptions = {
    host,
    capabilities: { ...undescribedPrinter, ...(model !== undefined && { model: modelNamed(make, model) }) },
    timeScale: 1,
    log: (level, message) => {
      if (values['verbose'] === true) process.stderr.write(`${level}: ${message}\n`);
    },
  };
  const number = (name: string): number | undefined => {
    const value = given(name);
    if (value === undefined) return undefined;
    if (!(Number(value) > 0)) throw new UsageError(`--${name} takes a number greater than 0, not "${value}".`);
    return Number(value);
  };
  number('port');
  const row = makeRows[make];
  const givenField = ({ option, type }: ConnectionField): string | number | boolean | undefined => {
    if (type === 'flag') return values[option] === true;
    return type === 'number' ? number(option) : given(option);
  };
  const connection = Object.fromEntries(row.fields.map((field) => [field.name, givenField(field)]));
  const missing = row.commandLine.missing?.(connection);
  if (missing !== undefined) throw new UsageError(missing);
  const timeoutMs = (number('timeout') ?? defaultTimeoutSeconds) * 1000;
  const secret = process.env[`${secrets}_${row.secret.variable}`] ?? '';
  return {
    make,
    host,
    driver: row.createDriver(base, connection, secret, timeoutMs),
    timeoutMs,
    files: positionals.slice(1),
    flags: new Set(flags.filter((name) => values[name] === true)),
  };
}

/** The token of a model that the driver of a make knows. */
function modelNamed(make: Make, word: string): string {
  const named = makeRows[make].modelNamed?.(word);
  if (named && 'token' in named) return named.token;
  const others = rows.flatMap((row) => (row.modelNamed ? row.make : [])).join(', ');
  throw new UsageError(`--model${named ? `: ${named.reason}` : ` is for ${others}, not for ${make}.`}`);
}
