import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Machine } from '../machine';
import type { Access } from './access';
import { MoonrakerError } from './errors';
import type { GcodeStore } from './gcode-store';
import type { History } from './history';
import { type Connection, eventTime, type Hub } from './hub';
import type { Klipper } from './klipper';
import { printerObjects, selectObjects } from './printer-objects';
import type { Profile } from './profiles';
import type { MoonrakerState } from './state';
import { webcamsOf } from './webcam';

export type Arguments = Record<string, unknown>;

/** One remote method: reachable by JSON-RPC under its name, and over HTTP by the verb and path. */
export interface Method {
  name: string;
  /** Missing: JSON-RPC only. */
  http?: { verb: 'GET' | 'POST' | 'DELETE'; path: string };
  /** Missing: HTTP and JSON-RPC. */
  rpc?: false;
  call(parameters: Arguments, connection: Connection | undefined): unknown;
}

export interface Services {
  machine: Machine<MoonrakerState>;
  profile: Profile;
  klipper: Klipper;
  files: GcodeStore;
  history: History;
  hub: Hub;
  access: Access;
}

/** The methods that both vintages have, and those of the profile (protocol notes, sections 2 to 5). */
export function methodsOf(services: Services): Method[] {
  return [
    ...printerMethods(services),
    ...serverMethods(services),
    ...fileMethods(services),
    ...accessMethods(services),
  ];
}

function printerMethods({ machine, profile, klipper }: Services): Method[] {
  const objects = (): ReturnType<typeof printerObjects> => printerObjects(machine, profile);
  return [
    both('GET', 'printer.info', () => {
      klipper.requireConnected();
      return {
        state: machine.extra.klippy,
        state_message: machine.extra.klippyMessage,
        hostname: machine.options.name ?? hostname(),
        klipper_path: '/home/elegoo/klipper',
        python_path: '/usr/bin/python3',
        process_id: process.pid,
        user_id: 1000,
        group_id: 1000,
        log_file: '/home/elegoo/printer_data/logs/klippy.log',
        config_file: '/home/elegoo/printer_data/config/printer.cfg',
        software_version: profile.klipperVersion,
        cpu_info: '4 core ARMv8 Processor rev 4 (v8l)',
      };
    }),
    both('GET', 'printer.objects.list', () => {
      klipper.requireConnected();
      return { objects: Object.keys(objects()) };
    }),
    both('GET', 'printer.objects.query', (parameters) => {
      klipper.requireConnected();
      return { eventtime: eventTime(), status: selectObjects(objects(), wantedObjects(parameters)) };
    }),
    both('POST', 'printer.objects.subscribe', (parameters, connection) => {
      klipper.requireConnected();
      const wanted = wantedObjects(parameters);
      const status = selectObjects(objects(), wanted);
      if (connection !== undefined) {
        connection.subscription = wanted;
        connection.baseline(status);
      }
      return { eventtime: eventTime(), status };
    }),
    both('POST', 'printer.print.start', (parameters) => klipper.start(text(parameters, 'filename'))),
    both('POST', 'printer.print.pause', () => klipper.pause()),
    both('POST', 'printer.print.resume', () => klipper.resume()),
    both('POST', 'printer.print.cancel', () => klipper.cancel()),
    both('POST', 'printer.emergency_stop', () => klipper.emergencyStop()),
    both('POST', 'printer.restart', () => klipper.restart()),
    both('POST', 'printer.firmware_restart', () => klipper.restart()),
    both('POST', 'printer.gcode.script', (parameters) => klipper.script(text(parameters, 'script'))),
    both('GET', 'printer.query_endstops.status', () => ({ x: 'open', y: 'open', z: 'open' })),
  ];
}

function serverMethods({ machine, profile, history, hub, access }: Services): Method[] {
  const queueStatus = (): Record<string, unknown> => ({
    queued_jobs: machine.extra.queue.map((job) => ({ ...job, time_in_queue: Date.now() / 1000 - job.time_added })),
    queue_state: 'paused',
  });
  const queueChanged = (action: string): Record<string, unknown> => {
    machine.persist();
    const { queued_jobs: updated_queue, queue_state } = queueStatus();
    hub.notify('notify_job_queue_changed', [{ action, updated_queue, queue_state }]);
    return queueStatus();
  };
  return [
    {
      name: 'server.connection.identify',
      call(parameters, connection) {
        if (connection === undefined) throw new MoonrakerError(404, 'Not Found');
        for (const name of ['client_name', 'version', 'type', 'url']) text(parameters, name);
        if (connection.identified) throw new MoonrakerError(400, 'Connection already identified');
        if (parameters.api_key !== undefined && !access.isKey(parameters.api_key)) {
          throw new MoonrakerError(401, 'Invalid API Key');
        }
        connection.authorized ||= parameters.api_key !== undefined;
        connection.identified = true;
        return { connection_id: connection.id };
      },
    },
    both('GET', 'server.info', () => ({
      klippy_connected: machine.extra.klippy !== 'disconnected',
      klippy_state: machine.extra.klippy,
      components: profile.components,
      failed_components: [],
      registered_directories: ['config', 'logs', 'gcodes', 'config_examples', 'docs'],
      warnings: [],
      websocket_count: hub.size,
      moonraker_version: profile.moonrakerVersion,
      missing_klippy_requirements: [],
      api_version: profile.apiVersion,
      api_version_string: profile.apiVersion.join('.'),
    })),
    both('GET', 'server.history.list', (parameters) => history.list(parameters)),
    both('GET', 'server.history.totals', () => history.totals()),
    both('GET', 'server.history.job', (parameters) => {
      const uid = text(parameters, 'uid');
      const job = history.find(uid);
      if (job === undefined) throw new MoonrakerError(404, `Invalid job uid: ${uid}`);
      return { job: history.show(job) };
    }),
    both('GET', 'server.job_queue.status', queueStatus),
    {
      name: 'server.job_queue.post_job',
      http: { verb: 'POST', path: '/server/job_queue/job' },
      call(parameters) {
        const { filenames } = parameters;
        const names = typeof filenames === 'string' ? filenames.split(',') : Array.isArray(filenames) ? filenames : [];
        if (names.length === 0) throw new MoonrakerError(400, 'No data for argument: filenames');
        for (const filename of names.map(String)) {
          const job_id = randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase();
          machine.extra.queue.push({ filename, job_id, time_added: Date.now() / 1000 });
        }
        return queueChanged('jobs_added');
      },
    },
    {
      name: 'server.job_queue.delete_job',
      http: { verb: 'DELETE', path: '/server/job_queue/job' },
      call(parameters) {
        const ids = String(parameters.job_ids ?? '').split(',');
        const all = parameters.all === true || parameters.all === 'true';
        machine.extra.queue = all ? [] : machine.extra.queue.filter(({ job_id }) => !ids.includes(job_id));
        return queueChanged('jobs_removed');
      },
    },
    both('GET', 'server.gcode_store', () => ({ gcode_store: [] })),
    both('GET', 'server.config', () => ({ config: {}, orig: {}, files: [] })),
    both('GET', 'machine.proc_stats', () => ({ moonraker_stats: [], cpu_temp: 45.2, websocket_connections: hub.size })),
    both('GET', 'server.webcams.list', () => ({ webcams: webcamsOf(machine, profile) })),
    both('GET', 'server.temperature_store', () => ({})),
    both('GET', 'machine.system_info', () => ({
      system_info: {
        cpu_info: { cpu_count: 4, serial_number: `10000000${machine.hardwareId}` },
        service_state: {},
      },
    })),
  ];
}

function fileMethods({ machine, profile, files, hub }: Services): Method[] {
  const remove = async (path: string): Promise<Record<string, unknown>> => {
    const resolved = files.resolve(path);
    await files.remove(resolved);
    const item = { path: resolved, root: 'gcodes' };
    const gone = { modified: 0, size: 0, permissions: '', ...item };
    hub.notify('notify_filelist_changed', [{ action: 'delete_file', item: { size: 0, modified: 0, ...item } }]);
    return profile.legacy ? { item, action: 'delete_file' } : { action: 'delete_file', item: gone };
  };
  const methods = [
    both('GET', 'server.files.list', (parameters) => {
      const root = optionalText(parameters, 'root') ?? 'gcodes';
      if (root !== 'gcodes') throw new MoonrakerError(404, `Root ${root} not available`);
      return files.list();
    }),
    both('GET', 'server.files.metadata', (parameters) => files.metadata(files.resolve(text(parameters, 'filename')))),
    {
      name: 'server.files.get_directory',
      http: { verb: 'GET' as const, path: '/server/files/directory' },
      call: (parameters: Arguments) => files.directory(optionalText(parameters, 'path') ?? 'gcodes'),
    },
    { name: 'server.files.delete_file', call: (parameters: Arguments) => remove(text(parameters, 'path')) },
    {
      name: 'server.files.delete',
      http: { verb: 'DELETE' as const, path: '/server/files/gcodes/*' },
      rpc: false as const,
      call: (parameters: Arguments) => remove(text(parameters, 'path')),
    },
  ];
  if (profile.legacy) return methods;
  const path = machine.filesDir;
  return [...methods, both('GET', 'server.files.roots', () => [{ name: 'gcodes', path, permissions: 'rw' }])];
}

function accessMethods({ profile, access }: Services): Method[] {
  const httpOnly = profile.legacy ? { rpc: false as const } : {};
  return [
    {
      ...both('GET', 'access.info', () => ({
        default_source: 'moonraker',
        available_sources: ['moonraker'],
        ...(profile.legacy ? {} : { login_required: false, trusted: access.trusted }),
      })),
      ...httpOnly,
    },
    { ...both('GET', 'access.oneshot_token', () => access.oneshotToken()), ...httpOnly },
    {
      ...both('GET', 'access.user', () => ({
        username: access.trusted ? '_TRUSTED_USER_' : '_API_KEY_USER_',
        source: 'moonraker',
        created_on: 1_795_461_435.01,
      })),
      ...httpOnly,
    },
    { ...both('GET', 'access.get_api_key', () => randomUUID().replaceAll('-', '')), ...httpOnly },
  ];
}

/** A method whose HTTP path is its name with slashes. */
function both(verb: 'GET' | 'POST', name: string, call: Method['call']): Method {
  return { name, http: { verb, path: `/${name.replaceAll('.', '/')}` }, call };
}

function text(parameters: Arguments, name: string): string {
  const value = parameters[name];
  if (typeof value !== 'string') throw new MoonrakerError(400, `No data for argument: ${name}`);
  return value;
}

function optionalText(parameters: Arguments, name: string): string | undefined {
  return typeof parameters[name] === 'string' ? parameters[name] : undefined;
}

/** `objects` of JSON-RPC, or the query string of HTTP where each object is an argument and fields are comma-separated. */
function wantedObjects(parameters: Arguments): Record<string, readonly string[] | null> {
  const source = parameters.objects ?? parameters;
  if (typeof source !== 'object' || source === null) throw new MoonrakerError(400, 'Invalid argument: objects');
  const wanted: Record<string, readonly string[] | null> = {};
  for (const [name, fields] of Object.entries(source as Arguments)) {
    if (name === 'token' || name === 'connection_id') continue;
    if (Array.isArray(fields)) wanted[name] = fields.filter((field): field is string => typeof field === 'string');
    else wanted[name] = typeof fields === 'string' && fields !== '' ? fields.split(',') : null;
  }
  return wanted;
}
