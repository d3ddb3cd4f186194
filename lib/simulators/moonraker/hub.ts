import { WebSocket } from 'ws';
import type { Delivery } from '../delivery';
import type { PrinterObject } from './printer-objects';
import { selectObjects } from './printer-objects';

/** The old software pings every 10 s and drops a client that is silent for 30 s (protocol notes, section 2). */
const PING_EVERY_MS = 10_000;
const SILENCE_MS = 30_000;
/** Changed fields are sent at most this often, unless something happened. */
const STATUS_EVERY_MS = 250;

/** One websocket client. */
export class Connection {
  /** Objects and fields that the client subscribed to; null is all fields. */
  subscription: Record<string, readonly string[] | null> | undefined;
  authorized: boolean;
  identified = false;
  lastHeard = Date.now();
  #sent: Record<string, PrinterObject> = {};

  constructor(
    readonly id: number,
    readonly socket: WebSocket,
    authorized: boolean,
    private readonly delivery: Delivery,
  ) {
    this.authorized = authorized;
  }

  send(message: Record<string, unknown>): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Sends the answer to a request. Notifications carry changes only, so delivery faults leave them alone. */
  answer(message: Record<string, unknown>): void {
    this.delivery.pass(() => this.send(message));
  }

  /** Remembers what the client has received, so that only changes follow. */
  baseline(status: Record<string, PrinterObject>): void {
    this.#sent = structuredClone(status);
  }

  /** The fields that differ from what the client has received. */
  takeChanges(objects: Record<string, PrinterObject>): Record<string, PrinterObject> {
    if (this.subscription === undefined) return {};
    const changes: Record<string, PrinterObject> = {};
    for (const [name, object] of Object.entries(selectObjects(objects, this.subscription))) {
      const before = this.#sent[name] ?? {};
      const changed = Object.entries(object).filter(
        ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field]),
      );
      if (changed.length > 0) changes[name] = Object.fromEntries(changed);
      this.#sent[name] = structuredClone(object);
    }
    return changes;
  }
}

/** All websocket clients: notifications, and status updates for what each of them subscribed to. */
export class Hub {
  readonly #connections = new Set<Connection>();
  readonly #timers: NodeJS.Timeout[];
  #nextId = 140_571_250_858_896;

  constructor(
    private readonly objects: () => Record<string, PrinterObject>,
    private readonly delivery: () => Delivery,
  ) {
    this.#timers = [
      setInterval(() => this.flush(), STATUS_EVERY_MS),
      setInterval(() => this.#ping(), PING_EVERY_MS),
      setInterval(() => this.notify('notify_proc_stat_update', [processStatistics(this.size)]), 1000),
    ];
  }

  get size(): number {
    return this.#connections.size;
  }

  add(socket: WebSocket, authorized: boolean): Connection {
    const connection = new Connection(this.#nextId++, socket, authorized, this.delivery());
    this.#connections.add(connection);
    const heard = (): void => {
      connection.lastHeard = Date.now();
    };
    socket.on('pong', heard);
    socket.on('ping', heard);
    socket.on('message', heard);
    socket.on('error', () => {});
    socket.once('close', () => this.#connections.delete(connection));
    return connection;
  }

  notify(method: string, params?: unknown[]): void {
    for (const connection of this.#connections) {
      if (connection.authorized) connection.send({ method, ...(params === undefined ? {} : { params }) });
    }
  }

  /** Sends every client the changes since its last notification. */
  flush(): void {
    if (![...this.#connections].some(({ subscription }) => subscription !== undefined)) return;
    const objects = this.objects();
    for (const connection of this.#connections) {
      const changes = connection.takeChanges(objects);
      if (Object.keys(changes).length > 0) {
        connection.send({ method: 'notify_status_update', params: [changes, eventTime()] });
      }
    }
  }

  /** Klipper went away: every subscription is gone with it. */
  forgetSubscriptions(): void {
    for (const connection of this.#connections) connection.subscription = undefined;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { socket } of this.#connections) socket.close(1001, 'Server Shutdown');
  }

  #ping(): void {
    for (const { socket, lastHeard } of this.#connections) {
      if (Date.now() - lastHeard > SILENCE_MS) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }
}

/** Klipper's clock, in seconds. */
export function eventTime(): number {
  return performance.now() / 1000 + 1000;
}

function processStatistics(connections: number): Record<string, unknown> {
  return {
    moonraker_stats: { time: Date.now() / 1000, cpu_usage: 1.5, memory: 40_000, mem_units: 'kB' },
    cpu_temp: 45.2,
    network: {},
    websocket_connections: connections,
  };
}
