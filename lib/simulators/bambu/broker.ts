import { createServer, type Server } from 'node:tls';
import type { Delivery } from '../delivery';
import type { Identity } from './certificates';

const USER = 'bblp';

/** The package is an ES module, which CommonJS can only import when it runs. */
const loadAedes = async () => (await import('aedes')).Aedes;

type Aedes = InstanceType<Awaited<ReturnType<typeof loadAedes>>>;

export interface BrokerOptions {
  identity: Identity;
  serial: string;
  accessCode(): string;
  /** A message on device/<serial>/request. */
  request(payload: Buffer): void;
  /** A client that subscribes to the topic of requests is disconnected. */
  guardsRequests: boolean;
  delivery: Delivery;
  /** More clients than these are cut off. */
  mostClients(): number;
}

/**
 * The printer's MQTT broker over TLS 1.2 (protocol notes, sections 1.3, 1.4 and 8.2): any subscription is accepted, but only
 * device/<serial>/report ever carries anything, and only device/<serial>/request is read.
 */
export class PrinterBroker {
  private constructor(
    readonly server: Server,
    private readonly broker: Aedes,
    private readonly reportTopic: string,
    private readonly delivery: Delivery,
  ) {}

  static async create(options: BrokerOptions): Promise<PrinterBroker> {
    const { identity, serial, accessCode, request } = options;
    const Aedes = await loadAedes();
    const requestTopic = `device/${serial}/request`;
    const broker = await Aedes.createBroker({
      authenticate: (_client, username, password, done) =>
        done(null, username === USER && password?.toString('utf8') === accessCode()),
      preConnect: (_client, _packet, done) => done(null, broker.connectedClients < options.mostClients()),
      authorizeSubscribe: (client, subscription, done) => {
        if (options.guardsRequests && subscription.topic === requestTopic) client?.close();
        else done(null, subscription);
      },
      authorizePublish: (client, packet, done) => {
        if (client !== null) {
          if (packet.topic === requestTopic) request(Buffer.from(packet.payload));
          // Messages of clients are acknowledged and not forwarded to other clients.
          packet.topic = `unheard/${client.id}`;
          packet.retain = false;
        }
        done(null);
      },
    });
    const server = createServer(
      { key: identity.key, cert: identity.certificate, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
      (socket) => {
        socket.on('error', () => {});
        broker.handle(socket);
      },
    );
    server.on('tlsClientError', () => {});
    broker.on('clientError', (client) => client.conn.destroy());
    broker.on('connectionError', (client) => client.conn.destroy());
    return new PrinterBroker(server, broker, `device/${serial}/report`, options.delivery);
  }

  get clients(): number {
    return this.broker.connectedClients;
  }

  /** Sends a report or an answer to all subscribers, QoS 0. */
  publish(message: Record<string, unknown>, ragged = false): void {
    const text = Buffer.from(JSON.stringify(message, null, 4));
    const payload = ragged ? spoilt(text) : text;
    this.delivery.pass(() => {
      if (this.broker.closed) return;
      this.broker.publish(
        { cmd: 'publish', topic: this.reportTopic, payload, qos: 0, retain: false, dup: false },
        () => {},
      );
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.broker.close(() => resolve());
    });
  }
}

/** As some firmware sends it: a NUL at the end, and a byte in a name that no UTF-8 has. */
function spoilt(text: Buffer): Buffer {
  const payload = Buffer.concat([text, Buffer.from([0])]);
  const mark = payload.indexOf('\\ud800');
  if (mark >= 0) payload.fill(0xff, mark, mark + 6);
  return payload;
}
