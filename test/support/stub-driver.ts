import { EventEmitter } from 'node:events';
import type {
  ConnectionState,
  Driver,
  DriverEvents,
  JobIdentity,
  JobTrace,
  PreflightFailure,
  StartOrder,
  StartPermit,
} from '../../lib/makes/driver';
import type { PrinterReport } from '../../lib/model/printer';
import { idle } from './bare-farm';

/** A driver without a printer: connected, idle, and every command succeeds. A test replaces the commands that should fail. */
export class StubDriver extends EventEmitter<DriverEvents> implements Driver {
  readonly make = 'moonraker';
  connection: ConnectionState = { status: 'connected' };
  report: PrinterReport | undefined = { ...idle, receivedAt: performance.now() };
  uploaded: StartOrder[] = [];
  started: StartOrder[] = [];
  stopped: JobIdentity[] = [];
  traced = 0;
  closed = false;

  /** Shows another report, as a printer does. */
  show(report: Partial<PrinterReport>): void {
    this.report = { ...idle, ...report, receivedAt: performance.now() };
    this.emit('report', this.report);
  }

  open(): void {}
  async close(): Promise<void> {
    this.closed = true;
    this.connection = { status: 'disconnected' };
  }
  reset(): void {}
  admit(): void {}
  describe(): void {}

  async observe(): Promise<PrinterReport> {
    this.show(this.report ?? {});
    return this.report ?? idle;
  }

  preflight: () => Promise<PreflightFailure[]> = async () => [];

  upload: (order: StartOrder) => Promise<void> = async (order) => {
    this.uploaded.push(order);
  };

  start: (order: StartOrder, permit: StartPermit) => Promise<PrinterReport> = async (order, permit) => {
    permit.check(await this.observe());
    this.started.push(order);
    permit.sent();
    const job = { name: order.identity.fileName };
    this.show({ state: 'printing', job, progress: 0 });
    return this.report ?? idle;
  };

  trace: (order: StartOrder) => Promise<JobTrace> = async () => ({ verdict: 'none', evidence: 'nothing is there' });

  async pause(): Promise<void> {}
  async resume(): Promise<void> {}
  async stop(identity: JobIdentity): Promise<void> {
    this.stopped.push(identity);
  }
  async forget(): Promise<void> {}
}
