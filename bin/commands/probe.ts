import type { PrinterReport } from '../../lib/model/printer';
import type { PreflightFailure, StartOrder } from '../../lib/printers/driver';
import { type Command, EXIT } from '../command';
import { connect } from './connecting';
import { type NamedPrinter, namedPrinter, printerHelp } from './printer-options';

const HELP = `Usage: platewise probe bambu|moonraker|snapmaker --host H [options]

Prints, as JSON, what the driver sees of a printer and whether it is ready for jobs, with each failed check and its
remedy. Changes nothing at the printer. Exit code: 0 ready, 1 not ready, 2 the command makes no sense.

Options:
${printerHelp}
  --watch               go on with one line for each report, until interrupted
  --json                one line (it is JSON without it too, in several lines)
`;

/** What the checks before a start are asked about when there is no file yet. */
const nothing: StartOrder = {
  identity: { attemptId: '', fileName: 'probe', taskId: 1, sha256: '', md5: '' },
  file: { path: '', size: 0, sha256: '', md5: '', lines: 0, estimatedSeconds: null },
  slots: [],
};

/** `platewise probe`: what the driver sees of a real printer. */
export const probe: Command = {
  summary: 'show what a printer tells, and whether it is ready for jobs',
  help: HELP,
  async run(args) {
    const printer = namedPrinter(args, ['watch', 'json']);
    const { driver, flags } = printer;
    try {
      const answer = await connect(driver, printer.timeoutMs);
      const checks = 'problem' in answer ? [answer.problem] : await failures(printer);
      const report = 'report' in answer ? answer.report : undefined;
      const ready = checks.length === 0 && report?.state === 'idle';
      const seen = { ready, make: printer.make, host: printer.host, report: shown(report), checks };
      process.stdout.write(`${JSON.stringify(seen, null, flags.has('json') || flags.has('watch') ? 0 : 2)}\n`);
      if (flags.has('watch') && report) await watch(printer);
      return ready ? EXIT.ok : EXIT.failed;
    } finally {
      await driver.close();
    }
  },
};

async function failures({ driver, make }: NamedPrinter): Promise<PreflightFailure[]> {
  const fileName = make === 'bambu' ? 'probe.gcode.3mf' : 'probe.gcode';
  try {
    return await driver.preflight({ ...nothing, identity: { ...nothing.identity, fileName } });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ check: 'preflight', message, remedy: 'Try again; look at the printer if it stays like this.' }];
  }
}

/** A report without what means something in this process only. */
function shown(report: PrinterReport | undefined): object | null {
  if (!report) return null;
  const { receivedAt: _receivedAt, timeScale: _timeScale, ...rest } = report;
  return rest;
}

function watch({ driver }: NamedPrinter): Promise<void> {
  driver.on('report', (report) => process.stdout.write(`${JSON.stringify({ report: shown(report) })}\n`));
  driver.on('connection', ({ status }) => process.stdout.write(`${JSON.stringify({ connection: status })}\n`));
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
