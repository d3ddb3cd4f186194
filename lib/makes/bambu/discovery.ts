import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { FoundPrinter } from '../found-printer';
import { isObject, objectOf, textOf } from '../values';
import { judgeModel } from './models';

const multicastGroup = '239.255.255.250';
const longestDetectReply = 65_535;

/** Listens for the announcements that printers send every 5 s, until the signal fires. */
export function listenForBambu(port: number, signal: AbortSignal): Promise<FoundPrinter[]> {
  return new Promise((resolve) => {
    const found = new Map<string, FoundPrinter>();
    // Studio and other programs listen on the same port.
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    const finish = (): void => {
      socket.close();
      resolve([...found.values()]);
    };
    if (signal.aborted) {
      finish();
      return;
    }
    signal.addEventListener('abort', finish, { once: true });
    socket.on('error', () => {
      signal.removeEventListener('abort', finish);
      finish();
    });
    socket.on('message', (message, from) => {
      const printer = readAnnouncement(message.toString('utf8'), from.address);
      if (printer?.serial !== undefined && !found.has(printer.serial)) found.set(printer.serial, printer);
    });
    socket.bind(port, () => {
      try {
        // The packets name this group, although they are broadcast.
        socket.addMembership(multicastGroup);
      } catch {
        // A machine without a network cannot join groups.
      }
    });
  });
}

/** Reads an SSDP announcement; undefined if it is not one of a Bambu printer. */
export function readAnnouncement(text: string, sender: string): FoundPrinter | undefined {
  const headers = new Map<string, string>();
  const [first = '', ...lines] = text.split(/\r?\n/);
  if (!/^(NOTIFY |HTTP\/1\.[01] 200)/.test(first)) return undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const kind = headers.get('nt') ?? headers.get('st') ?? '';
  const serial = headers.get('usn') ?? '';
  if (!/bambulab-com:device:3dprinter/i.test(kind) || serial === '') return undefined;
  const location = /(\d{1,3}(?:\.\d{1,3}){3})/.exec(headers.get('location') ?? '')?.[1];
  return describe({
    host: location ?? sender,
    serial,
    name: headers.get('devname.bambu.com') ?? '',
    token: headers.get('devmodel.bambu.com') ?? '',
    firmware: headers.get('devversion.bambu.com') ?? '',
    mode: headers.get('devconnect.bambu.com') ?? '',
  });
}

/** Checks whether a host is a Bambu printer, with the probe of Bambu's own software. */
export function detectBambu(host: string, port: number, signal: AbortSignal): Promise<FoundPrinter[]> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    const finish = (found: FoundPrinter[] = []): void => {
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(found);
    };
    const giveUp = (): void => finish();
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('error', giveUp);
    socket.on('close', giveUp);
    socket.once('connect', () => socket.write(detectFrame({ login: { command: 'detect', sequence_id: '20004' } })));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = readDetectFrame(received);
      if (answer !== undefined) {
        const login = objectOf(answer.login);
        finish(
          textOf(login.id) === undefined
            ? []
            : [
                describe({
                  host,
                  serial: textOf(login.id) ?? '',
                  name: textOf(login.name) ?? '',
                  token: textOf(login.model) ?? '',
                  firmware: textOf(login.version) ?? '',
                  mode: textOf(login.connect) ?? '',
                }),
              ],
        );
      } else if (received.length > longestDetectReply) giveUp();
    });
  });
}

/** A frame of the detect protocol: `a5 a5`, its whole length, JSON, `a7 a7`. */
function detectFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.alloc(body.length + 6);
  frame.writeUInt16BE(0xa5a5, 0);
  frame.writeUInt16LE(frame.length, 2);
  body.copy(frame, 4);
  frame.writeUInt16BE(0xa7a7, frame.length - 2);
  return frame;
}

/** The message of the first whole frame; undefined while there is none. */
function readDetectFrame(bytes: Buffer): Record<string, unknown> | undefined {
  const start = bytes.indexOf(Buffer.from([0xa5, 0xa5]));
  if (start < 0 || bytes.length < start + 6) return undefined;
  const length = bytes.readUInt16LE(start + 2);
  if (length < 6 || bytes.length < start + length) return undefined;
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8', start + 4, start + length - 2));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function describe(told: {
  host: string;
  serial: string;
  name: string;
  token: string;
  firmware: string;
  mode: string;
}): FoundPrinter {
  const verdict = judgeModel(told);
  const supported = verdict?.supported !== false;
  const known = verdict?.supported ? verdict.model : undefined;
  const model = known?.name ?? (verdict?.supported === false ? verdict.name : told.token);
  const notes = [
    ...(verdict?.supported === false ? [verdict.reason] : []),
    ...(told.mode === 'cloud'
      ? ["It is in cloud mode: switch on LAN Only Mode and Developer Mode in the printer's network settings."]
      : []),
  ];
  return {
    make: 'bambu',
    host: told.host,
    serial: told.serial,
    name: told.name || model || told.serial,
    model,
    ...(known && { token: known.token }),
    ...(told.firmware === '' ? {} : { firmware: told.firmware }),
    supported,
    ...(notes.length > 0 && { note: notes.join(' ') }),
  };
}
