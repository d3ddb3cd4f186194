import { createHash } from 'node:crypto';
import type { Farm } from '../farm/farm';
import { MalformedInputError } from '../model/errors';
import { figures } from '../store/figures';
import { printers } from '../views/queries';
import type { PrinterView } from '../views/shapes';

/** A message for an MQTT broker. */
export interface MqttMessage {
  topic: string;
  payload: string;
  retain: boolean;
}

/** The parts of the farm that Home Assistant shows. */
export interface HomeView {
  printers: PrinterView[];
  queue: { queued: number; printing: number };
}

/** One entity of a device; its value is a field of the device's state. */
interface Entity {
  field: string;
  component: 'sensor' | 'binary_sensor';
  name: string;
  more: Record<string, unknown>;
}

const discoveryPrefix = 'homeassistant';
const defaultBase = 'platewise';
/** The length limit of Home Assistant for states. */
const longestState = 255;

const printerEntities: readonly Entity[] = [
  {
    field: 'state',
    component: 'sensor',
    name: 'State',
    more: {
      device_class: 'enum',
      options: ['offline', 'unknown', 'idle', 'preparing', 'printing', 'paused', 'busy', 'fault'],
      icon: 'mdi:printer-3d',
    },
  },
  {
    field: 'progress',
    component: 'sensor',
    name: 'Progress',
    more: { unit_of_measurement: '%', icon: 'mdi:progress-clock' },
  },
  {
    field: 'minutes_left',
    component: 'sensor',
    name: 'Time left',
    more: { device_class: 'duration', unit_of_measurement: 'min' },
  },
  { field: 'job', component: 'sensor', name: 'Job', more: { icon: 'mdi:cube-outline' } },
  {
    field: 'bed',
    component: 'binary_sensor',
    name: 'Bed',
    more: { payload_on: 'occupied', payload_off: 'clear', device_class: 'occupancy' },
  },
];
const queueEntities: readonly Entity[] = [
  {
    field: 'queued',
    component: 'sensor',
    name: 'Waiting jobs',
    more: { icon: 'mdi:tray-full', state_class: 'measurement' },
  },
  {
    field: 'printing',
    component: 'sensor',
    name: 'Printing jobs',
    more: { icon: 'mdi:printer-3d-nozzle', state_class: 'measurement' },
  },
];

/** Returns the current state of the farm as messages: {base_topic} sets the first part of the topics of states. */
export async function homeAssistant(farm: Farm, input: Record<string, unknown>): Promise<MqttMessage[]> {
  const base = input['base_topic'] ?? defaultBase;
  if (typeof base !== 'string' || !/^[\w-]{1,40}$/.test(base)) {
    throw new MalformedInputError('The base topic is invalid.', [
      { field: 'base_topic', value: base, remedy: 'Use 1 to 40 letters, digits, hyphens and underscores.' },
    ]);
  }
  const { jobs } = await figures(farm.database);
  const queue = { queued: jobs.queued ?? 0, printing: jobs.printing ?? 0 };
  return homeMessages({ printers: (await printers(farm)).printers, queue }, base);
}

/**
 * Returns Home Assistant's MQTT discovery of every printer and of the queue, and their states; all retained. Names occur only as values,
 * never in a topic or a template.
 */
export function homeMessages({ printers: machines, queue }: HomeView, base: string): MqttMessage[] {
  const messages = machines.flatMap((printer) => {
    const device = { name: printer.name, manufacturer: printer.make, model: printer.printer_id };
    return deviceMessages(base, `printer_${topicPart(printer.printer_id)}`, device, printerEntities, stateOf(printer));
  });
  const device = { name: 'Print queue', manufacturer: 'Platewise', model: 'queue' };
  return [...messages, ...deviceMessages(base, 'queue', device, queueEntities, { ...queue })];
}

function stateOf(printer: PrinterView): Record<string, unknown> {
  return {
    state: printer.state,
    progress: printer.progress === null ? null : Math.round(printer.progress * 100),
    // A simulator's minutes are shorter than real ones.
    minutes_left:
      printer.remaining_minutes === null ? null : Math.round(printer.remaining_minutes / printer.time_scale),
    job: printer.job_name?.slice(0, longestState) ?? null,
    bed: printer.bed.state,
  };
}

function deviceMessages(
  base: string,
  id: string,
  device: { name: string; manufacturer: string; model: string },
  entities: readonly Entity[],
  state: Record<string, unknown>,
): MqttMessage[] {
  const stateTopic = `${base}/${id}/state`;
  const configurations = entities.map(({ field, component, name, more }) => ({
    topic: `${discoveryPrefix}/${component}/${base}_${id}/${field}/config`,
    payload: JSON.stringify({
      name,
      unique_id: `${base}_${id}_${field}`,
      object_id: `${base}_${id}_${field}`,
      state_topic: stateTopic,
      value_template: `{{ value_json.${field} }}`,
      availability_topic: `${base}/availability`,
      device: { identifiers: [`${base}_${id}`], ...device },
      ...more,
    }),
    retain: true,
  }));
  return [...configurations, { topic: stateTopic, payload: JSON.stringify(state), retain: true }];
}

/** Returns an id as a part of a topic. An id with any other character gets a digest, so that no two ids collide. */
function topicPart(id: string): string {
  if (/^[\w-]+$/.test(id)) return id;
  return `${id.replace(/[^\w-]+/g, '_').slice(0, 40)}_${createHash('sha256').update(id).digest('hex').slice(0, 8)}`;
}
