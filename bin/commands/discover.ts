import { parseArgs } from 'node:util';
import { discover as discoverPrinters } from '../../lib/makes/discovery';
import { asError } from '../../lib/model/errors';
import { makes } from '../../lib/model/printer';
import { type Command, EXIT, UsageError } from '../command';

const HELP = `Usage: platewise discover [options]

Lists, as JSON, the printers on the local network: Bambu by their announcements, Snapmaker by asking everybody, Moonraker
at the hosts given. Exit code: 0 something was found, 1 nothing was, 2 the command makes no sense.

Options:
  --host H              ask this host too, for every make; as often as wanted
  --make M              only this make (bambu, moonraker, snapmaker); as often as wanted
  --timeout N           seconds to listen (default 6: Bambu printers announce themselves every 5)
  --ssdp-port N         where Bambu printers announce themselves (default 2021)
  --snapmaker-port N    where Snapmaker printers are asked (default 20054)
  --moonraker-port N    where Moonraker is asked (default 7125, then 80)
  --json                one line (it is JSON without it too, in several lines)
`;

/** `platewise discover`: which printers there are. */
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
  const ssdp = number('ssdp-port', values['ssdp-port'], 65_535);
  const snapmaker = number('snapmaker-port', values['snapmaker-port'], 65_535);
  const moonraker = number('moonraker-port', values['moonraker-port'], 65_535);
  return {
    json: values.json === true,
    options: {
      timeoutMs: (number('timeout', values.timeout, 3600) ?? 6) * 1000,
      hosts: values.host ?? [],
      ...(wanted.length > 0 && { makes: wanted }),
      ports: {
        ...(ssdp !== undefined && { ssdp }),
        ...(snapmaker !== undefined && { snapmaker }),
        ...(moonraker !== undefined && { moonraker: [moonraker] }),
      },
    },
  };
}

function read(args: string[]) {
  const text = { type: 'string' } as const;
  const texts = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({
      args,
      options: {
        host: texts,
        make: texts,
        timeout: text,
        'ssdp-port': text,
        'snapmaker-port': text,
        'moonraker-port': text,
        json: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}
