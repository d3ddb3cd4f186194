import type { PrinterReport } from '../../lib/model/printer';
import type { Driver } from '../../lib/printers/driver';

/** The printer said something, or why it did not. */
export type Answer = { report: PrinterReport } | { problem: { check: string; message: string; remedy: string } };

/** Opens the driver and waits for its first report, a refusal, or the end of patience (ms). */
export async function connect(driver: Driver, timeoutMs: number): Promise<Answer> {
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  const look = (): void => {
    const { status } = driver.connection;
    if (status === 'refused' || (status === 'connected' && driver.report)) decide();
  };
  driver.on('connection', look);
  driver.on('report', look);
  const timer = setTimeout(decide, timeoutMs);
  driver.open();
  await decided;
  clearTimeout(timer);
  driver.off('connection', look);
  driver.off('report', look);
  const { connection, report } = driver;
  if (connection.status === 'connected' && report) return { report };
  if (connection.status === 'refused') {
    const { message, remedy, code } = connection.error;
    return { problem: { check: code, message, remedy } };
  }
  return {
    problem: {
      check: 'connection',
      message: `The printer did not answer within ${timeoutMs / 1000} s.`,
      remedy: 'Check that it is switched on, on this network, and that address and port are right.',
    },
  };
}
