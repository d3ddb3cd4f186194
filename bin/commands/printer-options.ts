import { parseArgs } from 'node:util';
import { createBambuDriver } from '../../lib/makes/bambu/driver';
import { judgeModel } from '../../lib/makes/bambu/models';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import { createMoonrakerDriver } from '../../lib/makes/moonraker/driver';
import { undescribedPrinter } from '../../lib/makes/probe';
import { createSnapmakerDriver } from '../../lib/makes/snapmaker/driver';
import { asError } from '../../lib/model/errors';
import { type Make, makes } from '../../lib/model/printer';
import { UsageError } from '../command';

const defaultTimeoutSeconds = 20;

/** The part of a help text that tells how a printer is named. */
export const printerHelp = `  --host H              address of the printer
  --port N              moonraker (default 7125), snapmaker (default 8888)
  --mqtt-port N, --ftps-port N, --serial S
                        bambu: ports (default 8883, 990), serial number
  --model T             bambu: token of the model that it is to be (O1D, N7 …)
  --tls, --path-prefix P
                        moonraker: over HTTPS; the path that a web server has it under
  --ca-file F, --fingerprint F
                        bambu, moonraker with --tls: what its certificate is checked by
  --timeout N           seconds to wait for the printer (default ${defaultTimeoutSeconds})
  --verbose             tell on standard error what the driver does

Secrets come from the environment, so that no list of processes shows them: PLATEWISE_ACCESS_CODE (bambu),
PLATEWISE_API_KEY (moonraker, if it asks for one), PLATEWISE_TOKEN (snapmaker; any text, allowed once at the screen).
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const printerOptions = {
  host: text,
  port: text,
  'mqtt-port': text,
  'ftps-port': text,
  serial: text,
  'ca-file': text,
  fingerprint: text,
  model: text,
  tls: flag,
  'path-prefix': text,
  timeout: text,
  verbose: flag,
};

/** A printer as the command line names it. */
export interface NamedPrinter {
  make: Make;
  host: string;
  driver: Driver;
  /** How long to wait for it (ms). */
  timeoutMs: number;
  /** What follows the make. */
  files: string[];
  flags: Set<string>;
}

/**
 * The printer that the arguments name, with the driver that its node uses too.
 * @param flags options of the command's own, without a value
 * @param secrets how the names of the environment variables with its secrets begin
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
  const given = (name: keyof typeof printerOptions): string | undefined => {
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
  const number = (name: keyof typeof printerOptions): number | undefined => {
    const value = given(name);
    if (value === undefined) return undefined;
    if (!(Number(value) > 0)) throw new UsageError(`--${name} takes a number greater than 0, not "${value}".`);
    return Number(value);
  };
  return {
    make,
    host,
    driver: driverOf(
      make,
      base,
      given,
      number,
      values['tls'] === true,
      (name) => process.env[`${secrets}_${name}`] ?? '',
    ),
    timeoutMs: (number('timeout') ?? defaultTimeoutSeconds) * 1000,
    files: positionals.slice(1),
    flags: new Set(flags.filter((name) => values[name] === true)),
  };
}

/** The token of a model that the driver of a make knows. */
function modelNamed(make: Make, word: string): string {
  const verdict = make === 'bambu' ? judgeModel({ token: word }) : undefined;
  if (verdict?.supported) return verdict.model.token;
  throw new UsageError(verdict ? `--model: ${verdict.reason}` : `--model is for bambu, not for ${make}.`);
}

function driverOf(
  make: Make,
  base: DriverOptions,
  given: (name: keyof typeof printerOptions) => string | undefined,
  number: (name: keyof typeof printerOptions) => number | undefined,
  tls: boolean,
  secret: (name: string) => string,
): Driver {
  const port = number('port');
  switch (make) {
    case 'bambu': {
      const [mqttPort, ftpsPort] = [number('mqtt-port'), number('ftps-port')];
      const [caFile, fingerprint, serial] = [given('ca-file'), given('fingerprint'), given('serial')];
      if (serial === undefined) throw new UsageError('A Bambu needs its serial number: --serial.');
      if (caFile === undefined && fingerprint === undefined) {
        throw new UsageError('Its certificate must be checked: give --ca-file or --fingerprint.');
      }
      return createBambuDriver({
        ...base,
        serial,
        accessCode: secret('ACCESS_CODE'),
        // Silence after the login has a cause of its own, which is to be told before the patience ends.
        timing: { firstReportMs: (number('timeout') ?? defaultTimeoutSeconds) * 750 },
        ...(mqttPort !== undefined && { mqttPort }),
        ...(ftpsPort !== undefined && { ftpsPort }),
        ...(caFile !== undefined && { caFile }),
        ...(fingerprint !== undefined && { fingerprint }),
      });
    }
    case 'moonraker': {
      const apiKey = secret('API_KEY');
      const [pathPrefix, caFile, fingerprint] = [given('path-prefix'), given('ca-file'), given('fingerprint')];
      return createMoonrakerDriver({
        ...base,
        tls,
        ...(port !== undefined && { port }),
        ...(apiKey !== '' && { apiKey }),
        ...(pathPrefix !== undefined && { pathPrefix }),
        ...(caFile !== undefined && { caFile }),
        ...(fingerprint !== undefined && { fingerprint }),
      });
    }
    case 'snapmaker':
      return createSnapmakerDriver({ ...base, ...(port !== undefined && { port }), token: secret('TOKEN') });
  }
}
