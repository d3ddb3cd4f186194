import type { Node, NodeAPI } from 'node-red';
import { problemOf } from '../../lib/api/problem';
import { checkSource } from '../../lib/http/source';
import { describePrinter, modelOf, slotsFromReport } from '../../lib/makes/describe-printer';
import { discover } from '../../lib/makes/discovery';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import type { MakeRow } from '../../lib/makes/make';
import { type Probe, probe, undescribedPrinter } from '../../lib/makes/probe';
import { asError, MalformedInputError } from '../../lib/model/errors';
import type { PrinterCapabilities, PrinterReport } from '../../lib/model/printer';
import type { PrinterCredentials, PrinterDefinition, PrinterNodeType } from './printer-definition';
import { shownModel } from './shown-defaults';

/** The printer that a deployed node is connected to. */
export interface ConnectedPrinter {
  driver: Driver;
  definition: PrinterDefinition;
}

/** How long a printer may take to answer (ms); long enough for a tap on an Artisan's touchscreen. */
const testTimeoutMs = 25_000;
/** Bambu printers announce themselves every 5 s. */
const discoveryTimeoutMs = 6000;
/** What the editor shows instead of a stored secret. */
const unchangedSecret = '__PWRD__';
/** Properties that affect neither the connection nor the model. */
const unrelated = ['name', 'farm', 'simulated', 'timeScale', 'allowBuiltInSlicer'];

/**
 * The routes behind a printer's form: `POST /platewise/<type>/test` and `…/discover`, which need the permission to
 * write, because they make the server connect to an address that the caller names; `GET …/models`, which needs the
 * permission to read.
 * @param connected the deployed node with this id, if it is connected: some printers accept one client only
 */
export function addPrinterRoutes(
  RED: NodeAPI,
  printerType: PrinterNodeType,
  connected: (id: string) => ConnectedPrinter | undefined,
  driverOf: (base: DriverOptions, definition: PrinterDefinition, credentials: PrinterCredentials) => Driver,
): void {
  const { type, row, fallback } = printerType;
  const allowed = RED.auth.needsPermission(`${type}.write`);
  const route = (name: string, answer: (body: Record<string, unknown>) => Promise<object>): void => {
    RED.httpAdmin.post(`/platewise/${type}/${name}`, allowed, (request, response) => {
      // Without a login the editor checks no permission, and a page of another site must not make the server probe the
      // network.
      const asked = Promise.resolve().then(() => checkSource(request));
      asked
        .then(() => answer(objectOf(request.body)))
        .then(
          (body) => response.json(body),
          (thrown: unknown) => {
            const problem = problemOf(asError(thrown));
            response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
          },
        );
    });
  };

  route('test', async (body) => {
    const id = typeof body['id'] === 'string' ? body['id'] : '';
    const properties = withEnvironment(RED, objectOf(body['properties'])) as unknown as PrinterDefinition;
    const host = hostOf(properties.host, 'properties.host');
    const stored = objectOf(RED.nodes.getCredentials(id));
    const given = objectOf(body['credentials']);
    const isNew = (name: string): boolean => (given[name] ?? '') !== (stored[name] ?? '');
    const changed = Object.keys(given).filter((name) => given[name] !== unchangedSecret && isNew(name));
    const deployed = connected(id);
    if (deployed !== undefined && changed.length === 0 && isSameConnection(deployed.definition, properties)) {
      return withDefaults(await probe(deployed.driver, host, testTimeoutMs), printerType, properties.model);
    }
    const secrets = { ...stored, ...Object.fromEntries(changed.map((name) => [name, given[name]])) };
    const base = { host, capabilities: describedAs(row, properties.model), timeScale: 1, log: () => {} };
    const driver = driverOf(base, properties, secrets);
    try {
      return withDefaults(await probe(driver, host, testTimeoutMs), printerType, properties.model);
    } finally {
      await driver.close();
    }
  });

  const readable = RED.auth.needsPermission(`${type}.read`);
  RED.httpAdmin.get(`/platewise/${type}/models`, readable, (_request, response) => {
    const models = row.models.map((model) => ({
      token: model.token,
      name: model.name,
      defaults: shownModel(model),
    }));
    const refused = row.refused.map(({ token, name, reason }) => ({ token, name, reason }));
    response.json({ models, refused, fallback: shownModel(fallback) });
  });

  route('discover', async (body) => {
    const { host } = withEnvironment(RED, { host: body['host'] });
    const hosts = typeof host === 'string' && host.trim() !== '' ? [hostOf(host, 'host')] : [];
    return { printers: await discover({ timeoutMs: discoveryTimeoutMs, makes: [row.make], hosts }) };
  });
}

/** Only the model is passed on, if one was chosen, so that a printer of a different model reports the mismatch. */
function describedAs({ models }: MakeRow, token: string | undefined): PrinterCapabilities {
  const model = models.find((one) => one.token === token)?.capabilities.model;
  return { ...undescribedPrinter, ...(model !== undefined && { model }) };
}

/** Returns the effective values of empty fields according to the printer's report, as fields of the form. */
function withDefaults(seen: Probe, { row, fallback }: PrinterNodeType, chosen: string | undefined): object {
  const { make, models } = row;
  if (seen.report === null) return seen;
  const { capabilities, slots } = seen.report as Pick<PrinterReport, 'capabilities' | 'slots'>;
  const facts = { models, fallback, chosen, given: {}, reported: capabilities };
  const model = modelOf(facts);
  const reported = slotsFromReport(make, slots);
  const described = {
    ...model,
    capabilities: describePrinter(facts),
    slots: reported.length > 0 ? reported : model.slots,
  };
  return { ...seen, defaults: shownModel(described) };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function hostOf(value: unknown, field: string): string {
  if (typeof value === 'string' && /^[^\s/]+$/.test(value)) return value;
  throw new MalformedInputError('The address of the printer is missing or is none.', [
    { field, value: value ?? null, remedy: 'Enter a name or an IP address, without http://.' },
  ]);
}

/** Resolves a property that names a variable, as in a deployed flow. */
function withEnvironment(RED: NodeAPI, properties: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(properties).map(([name, value]) => {
    const isVariable = typeof value === 'string' && /^\$\{[^}]+\}$/.test(value);
    return [name, isVariable ? RED.util.evaluateNodeProperty(value, 'env', {} as Node, {}) : value];
  });
  return Object.fromEntries(entries);
}

function isSameConnection(deployed: PrinterDefinition, tried: PrinterDefinition): boolean {
  const fields = Object.entries(tried).filter(([name]) => !unrelated.includes(name));
  return fields.every(([name, value]) => String(value) === String(Reflect.get(deployed, name) ?? ''));
}
