import type { Node, NodeAPI } from 'node-red';
import type { AgentContext, Log } from '../../lib/services/agents/context';
import { PrinterAgent } from '../../lib/services/agents/printer-agent';
import type { Farm } from '../../lib/farm/farm';
import { PrepareAhead } from '../../lib/services/prepare-ahead';
import { announcePrinter, refinePrinter } from '../../lib/beds/register-printer';
import { asError, MalformedInputError, NotFoundError } from '../../lib/model/errors';
import { type PrinterId, printerId } from '../../lib/model/ids';
import type { Make, PrinterReport, ReportedCapabilities } from '../../lib/model/printer';
import { describePrinter, modelOf, type PrinterFacts, slotsFromReport } from '../../lib/makes/describe-printer';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import type { PrinterModel } from '../../lib/makes/model-table';
import { toolOfSlot } from '../../lib/makes/slot-tools';
import { findPrinter, type Printer } from '../../lib/store/printers';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { bodyOf } from '../http/request';
import { onInput } from '../input';
import { addPrinterRoutes, type ConnectedPrinter } from './admin-routes';
import { type CapabilityFields, type GivenCapabilities, readCapabilities } from './printer-fields';

/** What the editor stores of every printer, whatever its make. */
export interface PrinterDefinition extends FarmNodeDefinition, CapabilityFields {
  printerId: string;
  host: string;
  /** How many times faster than real the printer's clock runs; 1 for a real machine. */
  timeScale: string | number;
  /** Whether it is a simulator: its bed begins clear, and output of the built-in slicer may be sent to it. */
  simulated: boolean | string;
  /** The owner's word that output of the built-in slicer may be sent to this printer. */
  allowBuiltInSlicer: boolean;
}

/** One node type: its make with its driver, and what a printer of it can do if nobody says otherwise. */
export interface PrinterMake<Definition extends PrinterDefinition, Credentials> {
  type: string;
  make: Make;
  credentials: Record<string, { type: 'password' | 'text' }>;
  /** The models to choose from in the form; empty: there is nothing to choose. */
  models: readonly PrinterModel[];
  /** What is known of a printer of which neither its owner nor itself has said what it is. */
  fallback: PrinterModel;
  /** Models that are known and not driven, each with its reason. */
  refused?: readonly { token: string; name: string; reason: string }[];
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
    let said: GivenCapabilities;
    try {
      said = readDefinition(printerMake, definition);
    } catch (thrown) {
      const { message } = asError(thrown);
      this.status({ fill: 'red', shape: 'ring', text: 'not configured' });
      this.error(message, { topic: `printer/${id}`, payload: { code: 'malformed_input' } });
      return;
    }
    let agent: PrinterAgent | undefined;
    let ahead: PrepareAhead | undefined;
    let refined = Promise.resolve();
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
        const shown = farm.events.redactor.line(message);
        if (level === 'info') this.log(shown);
        else this[level](shown);
        farm.events.write(level, 'message', { printer_id: id, message });
      };
      const simulated = definition.simulated === true || definition.simulated === 'true';
      const stored = await storedPrinter(farm, id);
      const watts = optionalNumber(secretOf(id, 'WATTS', ''));
      const facts: PrinterFacts = {
        models: printerMake.models,
        fallback: printerMake.fallback,
        chosen: said.model,
        given: { ...said.capabilities, ...(watts !== undefined && watts >= 0 && { watts }) },
        stored: stored?.capabilities,
      };
      const first = describePrinter(facts);
      await announcePrinter(
        farm,
        {
          id,
          name: definition.name || definition.printerId,
          make: printerMake.make,
          capabilities: first,
          ...((said.slots || !stored) && { slots: said.slots ?? [...modelOf(facts).slots] }),
        },
        simulated,
      );
      const { model: _assumed, ...certain } = first;
      const driver = printerMake.createDriver(
        {
          host: definition.host,
          // Only a model that somebody chose is one that the printer can contradict.
          capabilities: said.model === undefined ? certain : first,
          timeScale: optionalNumber(definition.timeScale) ?? 1,
          log,
        },
        definition,
        this.credentials ?? {},
      );
      let told: ReportedCapabilities = {};
      let known = '';
      let trouble = '';
      /** What the printer says of itself is known of it from then on. */
      const refine = ({ capabilities, slots }: PrinterReport): void => {
        told = { ...told, ...capabilities };
        const added = said.slots ? [] : slotsFromReport(printerMake.make, slots);
        const described = describePrinter({ ...facts, reported: told });
        const now = JSON.stringify([described, added]);
        if (now === known) return;
        known = now;
        driver.describe(described);
        refined = refined
          .then(() => refinePrinter(farm, id, described, added))
          .catch((thrown: unknown) => {
            // The next report tries again; the same trouble is told once.
            known = '';
            const { message } = asError(thrown);
            if (message !== trouble) log('warn', `What the printer says of itself was not stored: ${message}`);
            trouble = message;
          });
      };
      driver.on('report', refine);
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
        await refined;
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

/** @throws MalformedInputError naming each field that makes no sense */
function readDefinition(
  { make, models, refused = [] }: Pick<PrinterMake<never, never>, 'make' | 'models' | 'refused'>,
  definition: CapabilityFields,
): GivenCapabilities {
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

async function storedPrinter(farm: Farm, id: PrinterId): Promise<Printer | undefined> {
  try {
    return await findPrinter(farm.database, id);
  } catch (thrown) {
    if (thrown instanceof NotFoundError) return undefined;
    throw thrown;
  }
}
