import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Driver, isSameJob, type StartOrder } from '../../lib/makes/driver';
import { connect } from '../../lib/makes/probe';
import { makeTraits } from '../../lib/makes/traits';
import { isActive, makes } from '../../lib/model/printer';
import { type Command, EXIT, UsageError } from '../command';
import { namedPrinter, printerHelp } from './printer-options';

const HELP = `Usage: platewise print ${makes.join('|')} FILE --host H [options]

Sends one file that is sliced for this printer, starts it, and follows it to its end. The bed must be empty: there is no check.
Prints one JSON line for each step. Exit code: 0 finished, 1 not finished, 2 invalid arguments.

Options:
${printerHelp}
  --slot S              the slot to print from, as probe names it; once for each filament of the file
`;

/** The longest time between the decision to start and the start command (ms). */
const startLimit = 60_000;

/** `platewise print`: one file on one printer, with the driver of the node and no farm around it. */
export const print: Command = {
  summary: 'send one sliced file to a printer and follow it to its end',
  help: HELP,
  async run(args) {
    const slots = args.flatMap((arg, index) => (args[index - 1] === '--slot' ? [arg] : []));
    const rest = args.filter((arg, index) => arg !== '--slot' && args[index - 1] !== '--slot');
    const printer = namedPrinter(rest, ['json']);
    const [path] = printer.files;
    if (path === undefined || !existsSync(path)) throw new UsageError('Name a file that exists.');
    const { driver } = printer;
    try {
      const answer = await connect(driver, printer.timeoutMs);
      if ('problem' in answer) return refuse([answer.problem]);
      const order = await orderOf(path, makeTraits[printer.make].printFile.extension, slots);
      const checks = await driver.preflight(order);
      if (checks.length > 0) return refuse(checks);
      tell({ step: 'upload', file_name: order.identity.fileName, size: order.file.size });
      let shown = 0;
      await driver.upload(order, {
        signal: new AbortController().signal,
        progress: (fraction) => {
          if (fraction < shown + 0.1 && fraction < 1) return;
          shown = fraction;
          tell({ step: 'upload', progress: Math.round(fraction * 100) / 100 });
        },
      });
      await driver.start(order, {
        notAfter: performance.now() + startLimit,
        observedWithin: 5000,
        check: (report) => {
          if (report.state !== 'idle') throw new Error(`The printer is ${report.state}.`);
        },
        sent: () => tell({ step: 'start' }),
      });
      return await follow(driver, order);
    } finally {
      await driver.close();
    }
  },
};

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function refuse(checks: object[]): number {
  tell({ step: 'refused', checks });
  return EXIT.failed;
}

async function orderOf(path: string, extension: string, slots: string[]): Promise<StartOrder> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let lines = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    md5.update(chunk);
    for (const byte of chunk) if (byte === 10) lines++;
  }
  const digests = { sha256: sha256.digest('hex'), md5: md5.digest('hex') };
  const name = basename(path).replace(/(\.gcode)?(\.3mf)?$/i, '');
  const stem = name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40);
  return {
    identity: {
      attemptId: randomUUID(),
      fileName: `${stem || 'print'}-${randomBytes(4).toString('hex')}${extension}`,
      taskId: randomInt(1, 2 ** 31 - 1),
      ...digests,
    },
    file: { path, size: (await stat(path)).size, ...digests, lines, estimatedSeconds: null },
    slots,
    tool: 0,
    plate: 1,
  };
}

/** Follows the print until the printer reports how it ended. */
function follow(driver: Driver, order: StartOrder): Promise<number> {
  return new Promise((resolve) => {
    let shown = -1;
    const look = (): void => {
      const report = driver.report;
      if (!report || !isSameJob(order.identity, report.job)) return;
      const progress = Math.floor((report.progress ?? 0) * 100);
      if (isActive(report.state) && progress > shown) {
        shown = progress;
        tell({ step: report.state, progress: progress / 100, remaining_minutes: report.remainingMinutes });
      } else if (!isActive(report.state) && report.ending !== null) {
        driver.off('report', look);
        tell({ step: 'ended', ending: report.ending, message: report.message ?? null });
        resolve(report.ending === 'finished' ? EXIT.ok : EXIT.failed);
      }
    };
    driver.on('report', look);
    look();
  });
}
