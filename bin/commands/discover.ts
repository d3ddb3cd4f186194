import { parseArgs } from 'node:util';
import { discover as discoverPrinters } from '../../lib/makes/discovery';
import { makeRows } from '../../lib/makes/registry';
import { asError } from '../../lib/model/errors';
import { makes } from '../../lib/model/printer';
import { type Command, EXIT, UsageError } from '../command';

const rows = Object.values(makeRows);
const portOptions = rows
  .flatMap(({ discovery }) => discovery.ports)
  .flatMap(({ name, option, help = '' }) => (option === undefined ? [] : { name, option, help }));

const HELP = `Usage: platewise discover [options]

Lists, as JSON, the printers on the local network:
${rows.map(({ commandLine }) => commandLine.discovery).join(', ')}.
Exit code: 0 something was found, 1 nothing was, 2 the command makes no sense.

Options:
  --host H              ask this host too, for every make; as often as wanted
  --make M              only this make (${makes.join(', ')}); as often as wanted
  --timeout N           seconds to listen (default 6: Bambu printers announce themselves every 5)
${portOptions.map(({ option, help }) => `  ${`--${option} N`.padEnd(22)}${help}`).join('\n')}
  --json                one line (it is JSON without it too, in several lines)
`;

/** `platewise discover`: lists the printers on the network. */
export const discover: Command = {
  summary: 'list the printers on the local network',
  help: HELP,
  async run(args) {
    const { options, json } = parse(args);
    const printers = await discoverPrinters(options);
    process.stdout.write(`${JSON.stringify({ printers }, null, json ? 0 : 2)}\n`);
    return printers.length > 0 ? EXIT.ok : EXIT.failed;
  },
};

function parse(args: string[]): { options: Parameters<typeof discoverPrinters>[0]; json: boolean } {
  const values = read(args);
  const number = (name: string, given: string | undefined, most: number): number | undefined => {
    if (given === undefined) return undefined;
    const value = Number(given);
    if (!(value > 0 && value <= most)) {
      throw new UsageError(`--${name} takes a number greater than 0 and at most ${most}, not "${given}".`);
    }
    return value;
  };
  const wanted = (values.make ?? []).map((name) => {
    const make = makes.find((one) => one === name);
    if (make === undefined) throw new UsageError(`--make takes one of ${makes.join(', ')}, not "${name}".`);
    return make;
  });
  const ports = portOptions.flatMap(({ name, option }) => {
    const given = Object.entries(values).find(([key]) => key === option)?.[1];
    const port = number(option, typeof given === 'string' ? given : undefined, 65_535);
    return port === undefined ? [] : [[name, port] as const];
  });
  return {
    json: values.json === true,
    options: {
      timeoutMs: (number('timeout', values.timeout, 3600) ?? 6) * 1000,
      hosts: values.host ?? [],
      ...(wanted.length > 0 && { makes: wanted }),
      ports: Object.fromEntries(ports),
    },
  };
}

function read(args: string[]) {
  const text = { type: 'string' } as const;
  const texts = { type: 'string', multiple: true } as const;
  const ports: Record<string, typeof text> = Object.fromEntries(portOptions.map(({ option }) => [option, text]));
  try {
    return parseArgs({
      args,
      options: {
        host: texts,
        make: texts,
        timeout: text,
        json: { type: 'boolean' },
        ...ports,
      },
    }).values;
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}
