import { probe as probePrinter, shownReport } from '../../lib/makes/probe';
import { makes } from '../../lib/model/printer';
import { type Command, EXIT } from '../command';
import { type NamedPrinter, namedPrinter, printerHelp } from './printer-options';

const HELP = `Usage: platewise probe ${makes.join('|')} --host H [options]

Prints, as JSON, what the driver sees of a printer and whether it is ready for jobs, with each failed check and its
remedy. Changes nothing at the printer. Exit code: 0 ready, 1 not ready, 2 the command makes no sense.

Options:
${printerHelp}
  --watch               go on with one line for each report and each change of the connection, until interrupted
  --json                one line (it is JSON without it too, in several lines)
`;

/** `platewise probe`: what the driver sees of a real printer. */
export const probe: Command = {
  summary: 'show what a printer tells, and whether it is ready for jobs',
  help: HELP,
  async run(args) {
    const printer = namedPrinter(args, ['watch', 'json']);
    const { driver, flags } = printer;
    try {
      const seen = await probePrinter(driver, printer.host, printer.timeoutMs);
      process.stdout.write(`${JSON.stringify(seen, null, flags.has('json') || flags.has('watch') ? 0 : 2)}\n`);
      if (flags.has('watch')) await watch(printer);
      return seen.ready ? EXIT.ok : EXIT.failed;
    } finally {
      await driver.close();
    }
  },
};

function watch({ driver }: NamedPrinter): Promise<void> {
  const tell = (line: object): void => {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  driver.on('report', (report) => tell({ report: shownReport(report) }));
  driver.on('connection', (connection) => {
    const reason =
      connection.status === 'refused'
        ? `${connection.error.message} ${connection.error.remedy}`
        : connection.status === 'disconnected'
          ? connection.reason?.message
          : undefined;
    tell({ connection: connection.status, ...(reason === undefined ? {} : { reason }) });
  });
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    // The reader has closed the pipe.
    process.stdout.once('error', () => resolve());
  });
}
