import type { Node, NodeAPI } from 'node-red';
import type { AgentContext, Log } from '../../lib/agent/context';
import { PrinterAgent } from '../../lib/agent/printer-agent';
import type { Farm } from '../../lib/coordinator/farm';
import { PrepareAhead } from '../../lib/coordinator/prepare-ahead';
import { announcePrinter } from '../../lib/coordinator/register-printer';
import { MalformedInputError } from '../../lib/model/errors';
import { printerId } from '../../lib/model/ids';
import type { Make, PrinterCapabilities, PrinterReport } from '../../lib/model/printer';
import type { Driver, DriverOptions } from '../../lib/printers/driver';
import { toolOfSlot } from '../../lib/printers/slot-tools';
import { setWatts } from '../../lib/store/printers';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { bodyOf } from '../http/request';
import { onInput } from '../input';
import { addPrinterRoutes, type ConnectedPrinter } from './admin-routes';

/** What the editor stores of every printer, whatever its make. */
export interface PrinterDefinition extends FarmNodeDefinition {
  printerId: string;
  host: string;
  /** How many times faster than real the printer's clock runs; 1 for a real machine. */
  timeScale: string | number;
  /** Whether it is a simulator: its bed begins clear, and output of the built-in slicer may be sent to it. */
  simulated: boolean | string;
  /** The owner's word that output of the built-in slicer may be sent to this printer. */
  allowBuiltInSlicer: boolean;
  /** Build volume in mm; empty: what the database knows of this printer. */
  buildX: string | number;
  buildY: string | number;
  buildZ: string | number;
  /** Names of the slots, with commas; empty: those that the database knows. */
  slots: string;
}

/** One make: its name, its driver, and what a printer of it can do if nobody says otherwise. */
export interface PrinterMake<Definition extends PrinterDefinition, Credentials> {
  type: string;
  make: Make;
  credentials: Record<string, { type: 'password' | 'text' }>;
  capabilities: Omit<PrinterCapabilities, 'buildVolume'>;
  slots: string[];
  createDriver(base: DriverOptions, definition: Definition, credentials: Partial<Credentials>): Driver;
}

/** A number that may have been left empty in the editor, or come from the environment as text. */
export function optionalNumber(value: string | number | undefined): number | undefined {
  const parsed = Number(value);
  return value === undefined || value === '' || !Number.isFinite(parsed) ? undefined : parsed;
}

/** A secret of a printer: from the node's credentials, else from the environment as `PLATEWISE_<PRINTER>_<NAME>`. */
export function secretOf(id: string, name: string, credential: unknown): string {
  if (typeof credential === 'string' && credential !== '') return credential;
  return process.env[`PLATEWISE_${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_${name}`] ?? '';
}

/** Registers the node type of a make: an agent with the make's driver. */
export function registerPrinterType<Definition extends PrinterDefinition, Credentials extends object>(
  RED: NodeAPI,
  printerMake: PrinterMake<Definition, Credentials>,
): void {
  const running = new Map<string, ConnectedPrinter>();
  addPrinterRoutes(RED, printerMake, (nodeId) => {
    const printer = running.get(nodeId);
    return printer?.driver.connection.status === 'connected' ? printer : undefined;
  });

  function PrinterNode(this: Node<Credentials>, definition: Definition): void {
    RED.nodes.createNode(this, definition);
    const id = printerId(definition.printerId);
    // What names a variable that is not set comes here as it was written.
    if (!definition.printerId || !definition.host || definition.host.startsWith('${')) {
      this.status({ fill: 'red', shape: 'ring', text: 'not configured' });
      return;
    }
    let agent: PrinterAgent | undefined;
    let ahead: PrepareAhead | undefined;
    let shown = '';

    const show = (driver: Driver): void => {
      const status = agent?.serving === false ? standBy : statusOf(driver);
      const text = `${status.fill}${status.text}`;
      if (text === shown) return;
      shown = text;
      this.status({ shape: driver.connection.status === 'connected' ? 'dot' : 'ring', ...status });
      const report = driver.report;
      if (report) this.send({ topic: `printer/${id}`, payload: reportOf(id, report) });
    };

    const open = async (farm: Farm): Promise<void> => {
      for (const secret of Object.values(this.credentials ?? {})) farm.events.redactor.hide(secret);
      const log: Log = (level, message) => {
        const shown = farm.events.redactor.text(message);
        if (level === 'info') this.log(shown);
        else this[level](shown);
        farm.events.write(level, 'message', { printer_id: id, message });
      };
      const simulated = definition.simulated === true || definition.simulated === 'true';
      const given = capabilitiesOf(definition, printerMake.capabilities);
      const slots = (definition.slots ?? '').split(',').flatMap((slot) => (slot.trim() === '' ? [] : [slot.trim()]));
      const printer = await announcePrinter(
        farm,
        {
          id,
          name: definition.name || definition.printerId,
          make: printerMake.make,
          ...(given && { capabilities: given }),
          ...((given || slots.length > 0) && {
            slots: (slots.length > 0 ? slots : printerMake.slots).map((slot) => ({
              slot,
              tool: toolOfSlot(printerMake.make, slot),
            })),
          }),
        },
        simulated,
      );
      const watts = optionalNumber(secretOf(id, 'WATTS', ''));
      if (watts !== undefined && watts >= 0) await setWatts(farm.database, id, watts);
      const driver = printerMake.createDriver(
        {
          host: definition.host,
          capabilities: printer.capabilities,
          timeScale: optionalNumber(definition.timeScale) ?? 1,
          log,
        },
        definition,
        this.credentials ?? {},
      );
      driver.on('connection', () => show(driver));
      driver.on('report', () => show(driver));
      const context: AgentContext = {
        printerId: id,
        driver,
        database: farm.database,
        broker: farm.broker,
        files: farm.files,
        sharesFiles: farm.sharesFiles,
        slicer: (make) => farm.slicer(make),
        ...farm.agentOptions,
        workDirectory: farm.workDirectory,
        simulated,
        allowUntrusted: simulated || definition.allowBuiltInSlicer === true,
        log,
        times: farm.times,
      };
      const serving = new PrinterAgent(context);
      agent = serving;
      ahead = new PrepareAhead(farm, { printerId: id, context, wanted: () => serving.serving });
      running.set(this.id, { driver, definition });
      await agent.start();
      await ahead.start();
      show(driver);
    };

    const access = useFarm(RED, this, definition, {
      opened: open,
      closing: async () => {
        await ahead?.stop();
        ahead = undefined;
        await agent?.stop();
        agent = undefined;
        running.delete(this.id);
      },
    });

    onInput(this, { access, scope: 'operate' }, async (message) => {
      await access.farm();
      const action = bodyOf(message)['action'];
      if (action !== 'pause' && action !== 'resume') {
        throw new MalformedInputError('The printer does not know this action.', [
          { field: 'action', value: action ?? null, remedy: 'Send {"action": "pause"} or {"action": "resume"}.' },
        ]);
      }
      await running.get(this.id)?.driver[action]();
      return { payload: { printer_id: id, action } };
    });
  }
  RED.nodes.registerType(printerMake.type, PrinterNode as Parameters<NodeAPI['nodes']['registerType']>[1], {
    credentials: printerMake.credentials,
  });
}

/** What is told on the wire at each change of state. */
function reportOf(id: string, report: PrinterReport): object {
  return {
    printer_id: id,
    state: report.state,
    job: report.job?.name ?? null,
    ending: report.ending,
    progress: report.progress,
    remaining_minutes: report.remainingMinutes,
    message: report.message ?? null,
    at: report.at,
  };
}

/** Another Node-RED serves the printer. */
const standBy = { fill: 'grey', text: 'standing by' } as const;

function statusOf(driver: Driver): { fill: 'red' | 'green' | 'yellow' | 'blue'; text: string } {
  const { connection, report } = driver;
  if (connection.status === 'refused') return { fill: 'red', text: 'refused' };
  if (connection.status !== 'connected' || !report) return { fill: 'yellow', text: 'connecting' };
  if (report.state === 'printing')
    return { fill: 'blue', text: `printing ${Math.floor((report.progress ?? 0) * 20) * 5} %` };
  if (report.state === 'fault' || report.state === 'unknown') return { fill: 'red', text: report.state };
  return { fill: report.state === 'idle' ? 'green' : 'blue', text: report.state };
}

function capabilitiesOf(
  definition: PrinterDefinition,
  rest: Omit<PrinterCapabilities, 'buildVolume'>,
): PrinterCapabilities | undefined {
  const [x, y, z] = [definition.buildX, definition.buildY, definition.buildZ].map(optionalNumber);
  if (x === undefined || y === undefined || z === undefined) return undefined;
  return { ...rest, buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x, y, z } } };
}
