import type { Node, NodeAPI } from 'node-red';
import type { Farm } from '../../lib/farm/farm';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import { type MakeRow, optionalNumber } from '../../lib/makes/make';
import { printerTypeNamed } from '../../lib/makes/registry';
import { toolOfSlot } from '../../lib/makes/slot-tools';
import { asError, MalformedInputError } from '../../lib/model/errors';
import { printerId } from '../../lib/model/ids';
import type { Log } from '../../lib/model/log';
import type { PrinterReport } from '../../lib/model/printer';
import { ServedPrinter } from '../../lib/services/agents/served-printer';
import { upToDate } from '../definition';
import { useFarm } from '../farm-user';
import { bodyOf } from '../http/request';
import { onInput } from '../input';
import { addPrinterRoutes, type ConnectedPrinter } from './admin-routes';
import type { PrinterCredentials, PrinterDefinition } from './printer-definition';
import { type CapabilityFields, type GivenCapabilities, readCapabilities } from './printer-fields';

/**
 * Returns a secret of a printer: from the node's credentials, otherwise from the environment variable
 * `PLATEWISE_<PRINTER>_<NAME>`.
 */
function secretOf(id: string, name: string, credential: unknown): string {
  if (typeof credential === 'string' && credential !== '') return credential;
  return process.env[`PLATEWISE_${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_${name}`] ?? '';
}

/** Creates the driver of a printer from the connection settings of its node. */
function driverOf(
  row: MakeRow,
  base: DriverOptions,
  definition: PrinterDefinition,
  credentials: PrinterCredentials,
): Driver {
  const { credential, variable } = row.secret;
  const secret = secretOf(definition.printerId, variable, credentials[credential]);
  return row.createDriver(base, { ...definition }, secret);
}

/** Registers a node type: an agent with the driver of its make. */
export function registerPrinterType(RED: NodeAPI, type: string): void {
  const printerType = printerTypeNamed(type);
  if (printerType === undefined) throw new Error(`No make has the node type ${type}.`);
  const { row, fallback } = printerType;
  const running = new Map<string, ConnectedPrinter>();
  const connected = (nodeId: string): ConnectedPrinter | undefined => {
    const printer = running.get(nodeId);
    return printer?.driver.connection.status === 'connected' ? printer : undefined;
  };
  addPrinterRoutes(RED, printerType, connected, (base, definition, credentials) =>
    driverOf(row, base, definition, credentials),
  );

  function PrinterNode(this: Node<PrinterCredentials>, stored: PrinterDefinition): void {
    RED.nodes.createNode(this, stored);
    const definition = upToDate(stored);
    const id = printerId(definition.printerId);
    // A reference to an unset variable arrives here unchanged.
    if (!definition.printerId || !definition.host || definition.host.startsWith('${')) {
      this.status({ fill: 'red', shape: 'ring', text: 'not configured' });
      return;
    }
    let said: GivenCapabilities;
    try {
      said = readDefinition(row, definition);
    } catch (thrown) {
      const { message } = asError(thrown);
      this.status({ fill: 'red', shape: 'ring', text: 'not configured' });
      this.error(message, { topic: `printer/${id}`, payload: { code: 'malformed_input' } });
      return;
    }
    let printer: ServedPrinter | undefined;
    let shown = '';

    const show = ({ driver, serving }: ServedPrinter): void => {
      const status = serving ? statusOf(driver) : standBy;
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
        const line = farm.events.redactor.line(message);
        if (level === 'info') this.log(line);
        else this[level](line);
        farm.events.write(level, 'message', { printer_id: id, message });
      };
      const watts = optionalNumber(secretOf(id, 'WATTS', ''));
      const served = await ServedPrinter.announce(
        farm,
        {
          id,
          name: definition.name || definition.printerId,
          make: row.make,
          host: definition.host,
          timeScale: optionalNumber(definition.timeScale) ?? 1,
          simulated: definition.simulated === true || definition.simulated === 'true',
          allowBuiltInSlicer: definition.allowBuiltInSlicer === true,
          models: row.models,
          fallback,
          given: {
            model: said.model,
            capabilities: { ...said.capabilities, ...(watts !== undefined && watts >= 0 && { watts }) },
            slots: said.slots,
          },
          createDriver: (base) => driverOf(row, base, definition, this.credentials ?? {}),
        },
        log,
      );
      printer = served;
      const { driver } = served;
      driver.on('connection', () => show(served));
      driver.on('report', () => show(served));
      running.set(this.id, { driver, definition });
      await served.start();
      show(served);
    };

    const access = useFarm(RED, this, definition, {
      opened: open,
      closing: async () => {
        await printer?.stop();
        printer = undefined;
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
  RED.nodes.registerType(type, PrinterNode as Parameters<NodeAPI['nodes']['registerType']>[1], {
    credentials: { [row.secret.credential]: { type: 'password' } },
  });
}

/** The message for each change of state. */
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

/** @throws MalformedInputError naming each invalid field */
function readDefinition({ make, models, refused }: MakeRow, definition: CapabilityFields): GivenCapabilities {
  const said = readCapabilities(definition, (slot) => toolOfSlot(make, slot));
  const { model } = said;
  if (model !== undefined && !models.some(({ token }) => token === model)) {
    const reason = refused.find(({ token }) => token === model)?.reason;
    const choices = models.map(({ token, name }) => `${token} (${name})`).join(', ');
    const remedy = `${reason === undefined ? '' : `${reason} `}Choose ${choices === '' ? 'none' : `one of ${choices}`}.`;
    throw new MalformedInputError(`The printer is not described rightly. model is "${model}". ${remedy}`, [
      { field: 'model', value: model, remedy },
    ]);
  }
  return said;
}
