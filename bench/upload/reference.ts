import { randomUUID } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { encodeFrame, type Frame, FrameReader } from '../../lib/simulators/snapmaker/frame';
import type { Target, Upload } from './target';

/** A client that only sends a file by its make's protocol. Resolves with the duration in seconds. */
export type ReferenceUpload = (target: Target, upload: Upload) => Promise<number>;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Implicit FTPS: log in, delete, store, wait for the confirmation. The data connection resumes the TLS session. */
export const ftps: ReferenceUpload = (target, { path, fileName }) =>
  seconds(async () => {
    const tls = {
      ca: readFileSync(target.caFile),
      servername: target.serial,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      checkServerIdentity: () => undefined,
    } as const;
    const control = connectTls({ host: '127.0.0.1', port: target.ports.ftps ?? 0, ...tls });
    const replies = repliesOf(control);
    await replies.next();
    const ask = async (command: string): Promise<string> => {
      control.write(`${command}\r\n`);
      return replies.next();
    };
    for (const command of [
      'USER bblp',
      `PASS ${target.accessCode}`,
      'TYPE I',
      'PBSZ 0',
      'PROT P',
      `DELE ${fileName}`,
    ]) {
      await ask(command);
    }
    const port = Number(/\|(\d+)\|\)/.exec(await ask('EPSV'))?.[1]);
    const raw = connect({ host: '127.0.0.1', port });
    await ask(`STOR ${fileName}`);
    const session = control.getSession();
    const data = connectTls({ socket: raw, ...tls, ...(session === undefined ? {} : { session }) });
    await pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), data);
    const done = await replies.next();
    if (!done.startsWith('226')) throw new Error(done);
    await ask('QUIT');
    control.destroy();
  });

/** The replies of an FTP server, one after the other. */
function repliesOf(control: TLSSocket): { next(): Promise<string> } {
  const arrived: string[] = [];
  const waiting: ((reply: string) => void)[] = [];
  let text = '';
  control.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (!/^\d{3} /.test(line)) continue;
      const next = waiting.shift();
      if (next === undefined) arrived.push(line);
      else next(line);
    }
  });
  return {
    next: () =>
      new Promise((resolve) => {
        const reply = arrived.shift();
        if (reply === undefined) waiting.push(resolve);
        else resolve(reply);
      }),
  };
}

/** One multipart POST, as browsers and slicers send it. */
export const multipart: ReferenceUpload = (target, { path, fileName, size, sha256 }) =>
  seconds(async () => {
    const boundary = randomUUID();
    const part = (name: string, more: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
    const head = `${part('checksum', '')}${sha256}\r\n${part('file', `; filename="${fileName}"`)}`;
    const tail = `\r\n--${boundary}--\r\n`;
    await new Promise<void>((resolve, reject) => {
      const outgoing = request({
        ...{ host: '127.0.0.1', port: target.ports.http ?? 0, method: 'POST', path: '/server/files/upload' },
        headers: {
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': head.length + size + tail.length,
        },
      });
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        response.resume();
        if (response.statusCode === 201) response.once('end', resolve);
        else reject(new Error(`HTTP ${response.statusCode}`));
      });
      outgoing.write(head);
      const file = createReadStream(path, { highWaterMark: 256 * 1024 });
      pipeline(file, outgoing, { end: false }).then(() => outgoing.end(tail), reject);
    });
  });

const chunkBytes = 61_440;

/** SACP: announces the file and answers each chunk request. The session is established before the clock starts. */
export const sacp: ReferenceUpload = async (target, { path, fileName, size, md5 }) => {
  const socket = connect({ host: '127.0.0.1', port: target.ports.sacp ?? 0 });
  const frames = new FrameReader();
  let receive: (frame: Frame) => void = () => {};
  socket.on('data', (bytes) => {
    for (const frame of frames.push(bytes)) receive(frame);
  });
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(value.length);
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const frame = (attribute: number, sequence: number, command: number, payload: Buffer): Frame => ({
    ...{ version: 1, receiver: 2, sender: 0, attribute, sequence, payload },
    ...{ commandSet: command >>> 8, commandId: command & 0xff },
  });
  const answered = (command: number): Promise<void> =>
    new Promise((resolve) => {
      receive = (got) => {
        if (((got.commandSet << 8) | got.commandId) === command) resolve();
      };
    });
  const write = (target: Socket, sent: Frame): boolean => target.write(encodeFrame(sent));
  const hello = answered(0x0105);
  write(socket, frame(0, 1, 0x0105, Buffer.concat([text('bench'), text('bench'), text('bench')])));
  await hello;
  const file = await open(path, 'r');
  try {
    return await seconds(
      () =>
        new Promise<void>((resolve, reject) => {
          receive = (got) => {
            const command = (got.commandSet << 8) | got.commandId;
            if (command === 0xb002) {
              write(socket, frame(1, got.sequence, command, Buffer.from([0])));
              if (got.payload[0] === 0) resolve();
              else reject(new Error(`The screen answered ${got.payload[0]}.`));
            } else if (command === 0xb001) {
              const index = got.payload.readUInt16LE(2 + md5.length);
              const chunk = Buffer.alloc(Math.min(chunkBytes, size - index * chunkBytes));
              file.read(chunk, 0, chunk.length, index * chunkBytes).then(() => {
                const numbers = Buffer.alloc(4);
                numbers.writeUInt16LE(index, 0);
                numbers.writeUInt16LE(chunk.length, 2);
                const payload = Buffer.concat([Buffer.from([0]), text(md5), numbers, chunk]);
                write(socket, frame(1, got.sequence, command, payload));
              }, reject);
            }
          };
          const numbers = Buffer.alloc(6);
          numbers.writeUInt32LE(size, 0);
          numbers.writeUInt16LE(Math.ceil(size / chunkBytes), 4);
          write(socket, frame(0, 2, 0xb000, Buffer.concat([text(fileName), numbers, text(md5)])));
        }),
    );
  } finally {
    await file.close();
    write(socket, frame(0, 3, 0x0106, Buffer.alloc(0)));
    socket.end();
  }
};
