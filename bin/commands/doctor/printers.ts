import { readFileSync } from 'node:fs';
import type { ConnectionField } from '../../../lib/makes/make';
import { connect } from '../../../lib/makes/probe';
import { printerTypeNamed } from '../../../lib/makes/registry';
import { toolOfSlot } from '../../../lib/makes/slot-tools';
import { asError } from '../../../lib/model/errors';
import { readCapabilities } from '../../../nodes/printer/printer-fields';
import { UsageError } from '../../command';
import { namedPrinter } from '../printer-options';
import { type Check, failed, ok, warning } from './check';

const modelField: ConnectionField = { name: 'model', option: 'model', type: 'text' };

type FlowNode = Record<string, unknown> & { type?: unknown };

/**
 * The printers of a Node-RED flow file. Their secrets are encrypted there, so they come from the environment, by the names
 * that the printer nodes read too: PLATEWISE_<PRINTER>_ACCESS_CODE, _API_KEY, _TOKEN.
 */
export async function checkPrinters(flowFile: string | undefined): Promise<Check[]> {
  if (flowFile === undefined) return [];
  const nodes = read(flowFile).filter((node) => printerTypeNamed(String(node.type)) && node['d'] !== true);
  if (nodes.length === 0) return [warning('printers', 'The flow has no printer.', 'Add a printer node in the editor.')];
  return Promise.all(nodes.map(checkPrinter));
}

function read(path: string): FlowNode[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (Array.isArray(parsed)) return parsed as FlowNode[];
  } catch (error) {
    throw new UsageError(`The flow file cannot be read: ${asError(error).message}`);
  }
  throw new UsageError('The flow file is not a list of nodes.');
}

async function checkPrinter(node: FlowNode): Promise<Check> {
  const id = text(node['printerId']);
  const name = `printer ${id || '(no id)'}`;
  const row = printerTypeNamed(String(node.type))?.row;
  if (row === undefined) return failed(name, `The type ${String(node.type)} is not known.`, 'Remove the node.');
  const host = text(node['host']);
  if (id === '' || host === '' || host.startsWith('${')) {
    return failed(
      name,
      'It is not configured.',
      'Fill in id and address in its node, or set the variable that they name.',
    );
  }
  const words = Object.fromEntries(Object.entries(node).map(([property, value]) => [property, text(value)]));
  try {
    readCapabilities(words, (slot) => toolOfSlot(row.make, slot));
  } catch (error) {
    return failed(name, asError(error).message, 'Correct it in its node in the editor.');
  }
  const args: string[] = [row.make, '--host', host];
  const options = row.modelNamed ? [...row.fields, modelField] : row.fields;
  for (const { name: property, option, type } of options) {
    const value = type === 'flag' ? '' : text(node[property]);
    if (value !== '') args.push(`--${option}`, value);
    if (type === 'flag' && node[property] === true) args.push(`--${option}`);
  }
  const secrets = `PLATEWISE_${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  let printer: ReturnType<typeof namedPrinter>;
  try {
    printer = namedPrinter([...args, '--timeout', '10'], [], secrets);
  } catch (error) {
    return failed(name, asError(error).message, 'Complete its node in the editor.');
  }
  try {
    const answer = await connect(printer.driver, printer.timeoutMs);
    if ('problem' in answer) return failed(name, answer.problem.message, answer.problem.remedy);
    const fault = answer.report.faults.find(({ blocking }) => blocking);
    if (fault) return failed(name, fault.message, fault.remedy ?? `Look up ${fault.code} at the printer and clear it.`);
    const { model } = answer.report;
    return ok(name, `${host}: ${model === undefined ? '' : `${model}, `}${answer.report.state}.`);
  } finally {
    await printer.driver.close();
  }
}

/** A value of a node; `${NAME}` is taken from the environment, as Node-RED does. */
function text(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  return String(value).replace(/\$\{([A-Za-z0-9_]+)\}/g, (whole, name: string) => process.env[name] ?? whole);
}
