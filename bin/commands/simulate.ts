import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asError } from '../../lib/model/errors';
import {
  type Operator,
  SIMULATOR_MAKES,
  type SimulatedMake,
  type SimulatorMake,
  type SimulatorOptions,
  SimulatorRequestError,
  simulatedMakes,
  startSimulator,
} from '../../lib/simulators';
import { type Command, EXIT, UsageError } from '../command';

const rows = Object.entries<SimulatedMake>(simulatedMakes);
const portOptions = rows.flatMap(([make, { ports }]) => ports.map((port) => ({ make, ...port })));

const HELP = `Usage: platewise simulate ${SIMULATOR_MAKES.join('|')} [options]

Switches a simulated printer on that speaks its make's real protocol. Prints one JSON line when it is
ready, then runs until SIGTERM or SIGINT.

Options:
  --host H              address to bind to (default 127.0.0.1)
  --port N              main port: ${rows.map(([, { mainPort }]) => mainPort.protocol).join(', ')} (default: the last one, or any free one)
${portOptions.map(({ make, name, help }) => `  ${`--${name}-port N`.padEnd(22)}${make}: ${help}`).join('\n')}
  --control-port N      port on loopback for the hands of an operator
  --profile P           ${rows.flatMap(([make, { profiles }]) => (profiles ? `${make}: ${profiles}` : [])).join(`\n${' '.repeat(24)}`)}
${rows.flatMap(([, { options }]) => options ?? []).join('\n')}
  --load SLOT=MATERIAL  put a filament into a slot before the printer is first switched on, e.g.
                        nozzle1=pla_white_esun; may be repeated. Later: POST /load at the control port
  --speed N             printer seconds in one second (default $SIM_SPEED, or 60)
  --data DIR            files, state, truth log (default .platewise/simulators/<make>)
  --serial S            serial number
  --access-code C       ${rows.flatMap(([make, { accessCode }]) => (accessCode ? `${make}: ${accessCode}` : [])).join('; ')}
  --operator O          manual (default) or immediate: who takes parts off the plate
  --name N              name that the printer shows
  --exit-with-stdin     end when standard input ends, for example with the parent process
`;

/** `platewise simulate`: one simulated printer in this process. */
export const simulate: Command = {
  summary: 'run a simulated printer that speaks the real protocol',
  help: HELP,
  async run(args) {
    const { make, options, exitWithStdin } = parse(args);
    const ended = untilStopped(exitWithStdin);
    let simulator: Awaited<ReturnType<typeof startSimulator>>;
    try {
      simulator = await startSimulator(make, options);
    } catch (error) {
      if (error instanceof SimulatorRequestError) throw new UsageError(error.message);
      throw error;
    }
    process.stdout.write(`${JSON.stringify(simulator.ready)}\n`);
    await ended;
    await simulator.close();
    return EXIT.ok;
  },
};

interface Invocation {
  make: SimulatorMake;
  options: SimulatorOptions;
  exitWithStdin: boolean;
}

function parse(args: string[]): Invocation {
  const { values, positionals } = read(args);
  const make = SIMULATOR_MAKES.find((candidate) => candidate === positionals[0]);
  if (make === undefined || positionals.length !== 1) {
    throw new UsageError(`Name one make: ${SIMULATOR_MAKES.join(', ')}.`);
  }
  const ports: Record<string, number> = {};
  const setPort = (name: string, given: string | undefined): void => {
    if (given !== undefined) ports[name] = number('port', given, 0, 65_535);
  };
  setPort(simulatedMakes[make].mainPort.name, values.port);
  for (const { name } of [...portOptions, { name: 'control' }]) {
    const given = Object.entries(values).find(([option]) => option === `${name}-port`)?.[1];
    setPort(name, typeof given === 'string' ? given : undefined);
  }
  const speed = values.speed ?? process.env.SIM_SPEED ?? '60';
  const options: SimulatorOptions = {
    dataDir: values.data ?? join('.platewise', 'simulators', make),
    ports,
    speed: number('speed', speed, 0.001, 1_000_000),
    operator: operatorNamed(values.operator ?? 'manual'),
  };
  if (values.host !== undefined) options.host = values.host;
  if (values.profile !== undefined) options.profile = values.profile;
  if (values.serial !== undefined) options.serial = values.serial;
  if (values['access-code'] !== undefined) options.accessCode = values['access-code'];
  if (values.name !== undefined) options.name = values.name;
  if (values.extruders !== undefined) options.extruders = number('extruders', values.extruders, 1, 8);
  if (values.ams !== undefined) options.ams = values.ams;
  if (values.load !== undefined) options.loads = loadsOf(values.load);
  return { make, options, exitWithStdin: values['exit-with-stdin'] === true };
}

function read(args: string[]) {
  const text = { type: 'string' } as const;
  const ports: Record<string, typeof text> = Object.fromEntries(portOptions.map(({ name }) => [`${name}-port`, text]));
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        host: text,
        port: text,
        'control-port': text,
        ...ports,
        profile: text,
        speed: text,
        data: text,
        serial: text,
        'access-code': text,
        operator: text,
        name: text,
        extruders: text,
        ams: text,
        load: { type: 'string', multiple: true },
        'exit-with-stdin': { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(asError(error).message);
  }
}

function number(name: string, given: string, least: number, most: number): number {
  const value = Number(given);
  if (given.trim() === '' || !(value >= least && value <= most)) {
    throw new UsageError(`--${name} takes a number from ${least} to ${most}, not "${given}".`);
  }
  return value;
}

function loadsOf(given: string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((load) => {
      const [slot = '', material = '', ...more] = load.split('=');
      if (slot !== '' && material !== '' && more.length === 0) return [slot, material];
      throw new UsageError(`--load takes SLOT=MATERIAL, for example extruder=pla_black_esun, not "${load}".`);
    }),
  );
}

function operatorNamed(name: string): Operator {
  if (name === 'manual' || name === 'immediate') return name;
  throw new UsageError(`--operator is manual or immediate, not "${name}".`);
}

/** Resolves on SIGTERM, SIGINT or, if requested, at the end of standard input. */
function untilStopped(exitWithStdin: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    if (!exitWithStdin) return;
    process.stdin.once('end', () => resolve());
    process.stdin.once('error', () => resolve());
    process.stdin.resume();
  });
}
