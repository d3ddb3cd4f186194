import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';

const ANNOUNCE_EVERY_MS = 5000;
const SSDP_PORT = 2021;
const FIRMWARE = '01.03.00.00';
const LONGEST_REQUEST = 4096;

export interface Announced {
  /** The address that the printer listens on. */
  host: string;
  serial: string;
  /** The token of the model. */
  model: string;
  name: string;
  /** No cable, or no power. */
  silent(): boolean;
}

/** The SSDP announcement that a printer broadcasts every 5 s (protocol notes, section 1.1). */
export class Announcement {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly printer: Announced,
    private readonly port = SSDP_PORT,
  ) {
    this.#socket = createSocket('udp4');
    this.#socket.on('error', () => {});
    this.#socket.bind(0, () => {
      this.#socket.setBroadcast(true);
      this.#announce();
    });
    this.#timer = setInterval(() => this.#announce(), ANNOUNCE_EVERY_MS);
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  #announce(): void {
    if (this.printer.silent()) return;
    // A printer that only this machine can reach announces itself only to this machine.
    const everybody = this.printer.host.startsWith('127.') ? '127.255.255.255' : '255.255.255.255';
    this.#socket.send(announcementOf(this.printer), this.port, everybody, () => {});
  }
}

function announcementOf({ host, serial, model, name }: Announced): string {
  const lines = [
    'NOTIFY * HTTP/1.1',
    'HOST: 239.255.255.250:1990',
    'Server: UPnP/1.0',
    `Location: ${shownAddress(host)}`,
    'NT: urn:bambulab-com:device:3dprinter:1',
    'NTS: ssdp:alive',
    `USN: ${serial}`,
    'Cache-Control: max-age=1800',
    `DevModel.bambu.com: ${model}`,
    `DevName.bambu.com: ${name}`,
    'DevSignal.bambu.com: -56',
    'DevConnect.bambu.com: lan',
    'DevBind.bambu.com: free',
    'Devseclink.bambu.com: secure',
    'DevInf.bambu.com: wlan0',
    `DevVersion.bambu.com: ${FIRMWARE}`,
    'DevCap.bambu.com: 1',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function shownAddress(host: string): string {
  if (host !== '0.0.0.0') return host;
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry?.family === 'IPv4' && !entry.internal);
  return outside?.address ?? '127.0.0.1';
}

/**
 * The plain port on which a printer identifies itself: frames `a5 a5`, whole length, JSON, `a7 a7` (protocol notes, section
 * 1.1).
 */
export function createDetectServer({ serial, model, name }: Announced): Server {
  return createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > LONGEST_REQUEST) socket.destroy();
      const length = received.length >= 4 ? received.readUInt16LE(2) : Infinity;
      if (received.length < length || length < 6) return;
      const asked = readJson(received.subarray(4, length - 2));
      received = received.subarray(length);
      if (asked?.login?.command !== 'detect') return;
      const body = Buffer.from(
        JSON.stringify({
          login: {
            bind: 'free',
            command: 'detect',
            connect: 'lan',
            dev_cap: 1,
            id: serial,
            model,
            name,
            sequence_id: 3021,
            version: FIRMWARE,
          },
        }),
      );
      const frame = Buffer.concat([Buffer.from([0xa5, 0xa5, 0, 0]), body, Buffer.from([0xa7, 0xa7])]);
      frame.writeUInt16LE(frame.length, 2);
      socket.write(frame);
    });
  });
}

function readJson(bytes: Buffer): { login?: { command?: unknown } } | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
