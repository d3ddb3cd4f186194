import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join, posix } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { faultNumber } from '../faults';
import { DigestTap, type Machine } from '../machine';
import type { BambuState } from './state';
import type { TlsSessions } from './tls-sessions';

const USER = 'bblp';
const IDLE_MS = 5 * 60 * 1000;
const DATA_WAIT_MS = 15_000;
const LONGEST_LINE = 4096;
const ILLEGAL_NAME = /[<>:"\\|?*]/;

/** One control connection of the printer's FTP server, whose root is the USB stick (protocol notes, section 1.6). */
export class FtpSession {
  #user = '';
  #authorized = false;
  #folder = '/';
  #passive: Server | undefined;
  #data: Promise<Socket> | undefined;
  #line = '';
  #queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly control: TLSSocket,
    private readonly tlsOptions: TlsOptions,
    private readonly tlsSessions: TlsSessions,
    private readonly accessCode: () => string,
    private readonly machine: Machine<BambuState>,
  ) {
    control.setTimeout(IDLE_MS, () => control.destroy());
    control.on('error', () => control.destroy());
    control.once('close', () => this.#closePassive());
    control.on('data', (chunk: Buffer) => this.#read(chunk.toString('utf8')));
    this.#reply('220 (vsFTPd 3.0.5)');
  }

  #read(text: string): void {
    this.#line += text;
    if (this.#line.length > LONGEST_LINE) {
      this.control.destroy();
      return;
    }
    for (let end = this.#line.indexOf('\n'); end >= 0; end = this.#line.indexOf('\n')) {
      const line = this.#line.slice(0, end).replace(/\r$/, '');
      this.#line = this.#line.slice(end + 1);
      this.#queue = this.#queue.then(() => this.#command(line)).catch(() => this.#reply('451 Local error.'));
    }
  }

  #reply(text: string): void {
    if (this.control.writable) this.control.write(`${text}\r\n`);
  }

  async #command(line: string): Promise<void> {
    const space = line.indexOf(' ');
    const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
    const argument = space < 0 ? '' : line.slice(space + 1);
    switch (verb) {
      case 'USER':
        this.#user = argument;
        this.#authorized = false;
        return this.#reply('331 Please specify the password.');
      case 'PASS':
        this.#authorized = this.#user === USER && argument === this.accessCode();
        return this.#reply(this.#authorized ? '230 Login successful.' : '530 Login incorrect.');
      case 'QUIT':
        this.#reply('221 Goodbye.');
        this.control.end();
        return;
      case 'NOOP':
        return this.#reply('200 NOOP ok.');
      case 'FEAT':
        return this.#reply('211-Features:\r\n EPSV\r\n PASV\r\n PBSZ\r\n PROT\r\n SIZE\r\n UTF8\r\n211 End');
      case 'PBSZ':
        return this.#reply('200 PBSZ set to 0.');
      case 'PROT':
        return this.#reply(argument.toUpperCase() === 'P' ? '200 PROT now Private.' : '536 PROT not supported.');
    }
    if (!this.#authorized) return this.#reply('530 Please login with USER and PASS.');
    switch (verb) {
      case 'SYST':
        return this.#reply('215 UNIX Type: L8');
      case 'OPTS':
        return this.#reply('200 Always in UTF8 mode.');
      case 'TYPE':
        return this.#reply(
          /^[AI]/i.test(argument) ? '200 Switching to Binary mode.' : '500 Unrecognised TYPE command.',
        );
      case 'PWD':
        return this.#reply(`257 "${this.#folder}" is the current directory`);
      case 'CWD':
      case 'CDUP':
        return this.#changeFolder(verb === 'CDUP' ? '..' : argument);
      case 'PASV':
      case 'EPSV':
        return this.#openPassive(verb);
      case 'STOR':
        return this.#store(argument);
      case 'RETR':
        return this.#retrieve(argument);
      case 'LIST':
      case 'NLST':
        return this.#list(verb, argument);
      case 'SIZE':
        return this.#size(argument);
      case 'DELE':
        return this.#delete(argument);
      default:
        return this.#reply('500 Unknown command.');
    }
  }

  #path(argument: string): string {
    return posix.resolve('/', this.#folder, argument);
  }

  #disk(path: string): string {
    return join(this.machine.filesDir, path);
  }

  get #noStick(): boolean {
    return this.machine.faults.isOn('storage_missing');
  }

  async #changeFolder(argument: string): Promise<void> {
    const path = this.#path(argument);
    const found = path === '/' || (await stat(this.#disk(path)).catch(() => undefined))?.isDirectory() === true;
    if (!found) return this.#reply('550 Failed to change directory.');
    this.#folder = path;
    this.#reply('250 Directory successfully changed.');
  }

  // Data connections -------------------------------------------------------------------------------------------------

  async #openPassive(verb: 'PASV' | 'EPSV'): Promise<void> {
    this.#closePassive();
    const server = createTcpServer();
    this.#passive = server;
    this.#data = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no data connection')), DATA_WAIT_MS);
      server.once('connection', (socket) => {
        clearTimeout(timer);
        socket.on('error', () => {});
        resolve(socket);
      });
      server.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the passive port was closed'));
      });
    });
    this.#data.catch(() => {});
    const address = this.control.localAddress ?? this.machine.host;
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const { port } = server.address() as AddressInfo;
    if (verb === 'EPSV') return this.#reply(`229 Entering Extended Passive Mode (|||${port}|)`);
    const shown = this.machine.faults.isOn('pasv_zero') ? '0.0.0.0' : address.replace(/^::ffff:/, '');
    this.#reply(`227 Entering Passive Mode (${shown.replaceAll('.', ',')},${port >>> 8},${port & 0xff}).`);
  }

  #closePassive(): void {
    this.#passive?.close();
    this.#passive = undefined;
    this.#data = undefined;
  }

  /**
   * Announces the transfer with 150 and only then begins the TLS handshake of the data connection. Answers 522 and
   * resolves with undefined if the client did not resume the session of the control connection.
   */
  async #openData(announcement: string): Promise<TLSSocket | undefined> {
    const waiting = this.#data;
    if (waiting === undefined) {
      this.#reply('425 Use PORT or PASV first.');
      return undefined;
    }
    let raw: Socket;
    try {
      raw = await waiting;
    } catch {
      this.#reply('425 Failed to establish connection.');
      return undefined;
    }
    this.#reply(announcement);
    const server = createTlsServer(this.tlsOptions);
    this.tlsSessions.attach(server);
    try {
      const socket = await new Promise<TLSSocket>((resolve, reject) => {
        server.once('secureConnection', resolve);
        server.once('tlsClientError', reject);
        raw.once('close', () => reject(new Error('closed')));
        server.emit('connection', raw);
      });
      socket.on('error', () => {});
      if (socket.isSessionReused()) return socket;
      socket.resume();
      socket.end();
    } catch {
      raw.destroy();
    }
    this.#closePassive();
    this.#reply('522 SSL connection failed: session reuse required');
    return undefined;
  }

  // Files ------------------------------------------------------------------------------------------------------------

  async #store(argument: string): Promise<void> {
    const path = this.#path(argument);
    const name = posix.basename(path);
    const parent = posix.dirname(path);
    const overwriting = await this.#sizeOf(path);
    const refused = this.#noStick || name === '' || ILLEGAL_NAME.test(name) || /^[. ]|[. ]$/.test(name);
    // Overwriting is rejected: clients delete first.
    if (refused || overwriting !== undefined) return this.#reply('553 Could not create file.');
    if (parent !== '/' && !(await stat(this.#disk(parent)).catch(() => undefined))?.isDirectory()) {
      return this.#reply('553 Could not create file.');
    }
    const data = await this.#openData('150 Ok to send data.');
    if (data === undefined) return;
    const { faults } = this.machine;
    const full = faults.isOn('storage_full') ? faults.take('storage_full') : undefined;
    const broken = full === undefined ? faults.take('upload_breaks') : undefined;
    const limited = full ?? broken;
    const tap = new DigestTap();
    const slow = faults.isOn('slow_link') ? faults.take('slow_link') : undefined;
    const link = new Throttle(slow === undefined ? Infinity : faultNumber(slow, 'bytes_per_second', 100_000));
    try {
      if (limited === undefined) await pipeline(data, link, tap, createWriteStream(this.#disk(path)));
      else
        await receivePart(data, this.#disk(path), faultNumber(limited, 'after_bytes', full === undefined ? 1024 : 0));
    } catch {
      // The received part stays on the stick.
      data.destroy();
      this.#closePassive();
      if (full !== undefined) this.#reply('552 Requested file action aborted: exceeded storage allocation.');
      else if (broken !== undefined && broken.reply_426 !== true) this.control.destroy();
      else this.#reply('426 Failure reading network stream.');
      return;
    }
    this.#closePassive();
    const digest = tap.digest();
    this.machine.extra.files[path.slice(1)] = digest;
    this.machine.persist();
    this.machine.logUpload(path.slice(1), digest);
    const late = faults.take('slow_226');
    if (late !== undefined) await new Promise((r) => setTimeout(r, faultNumber(late, 'seconds', 30) * 1000));
    this.#reply('226 Transfer complete.');
  }

  async #retrieve(argument: string): Promise<void> {
    const path = this.#path(argument);
    if ((await this.#sizeOf(path)) === undefined) return this.#reply('550 Failed to open file.');
    const data = await this.#openData('150 Opening BINARY mode data connection.');
    if (data === undefined) return;
    await pipeline(createReadStream(this.#disk(path)), data);
    this.#closePassive();
    this.#reply('226 Transfer complete.');
  }

  async #list(verb: 'LIST' | 'NLST', argument: string): Promise<void> {
    const path = this.#path(argument.replace(/^-\S+ ?/, ''));
    const names = this.#noStick ? [] : await readdir(this.#disk(path)).catch(() => []);
    const lines = await Promise.all(names.sort().map((name) => this.#listLine(verb, path, name)));
    const data = await this.#openData('150 Here comes the directory listing.');
    if (data === undefined) return;
    await new Promise<void>((resolve) => {
      data.once('close', resolve);
      data.end(lines.map((line) => `${line}\r\n`).join(''));
      data.resume();
    });
    this.#closePassive();
    this.#reply('226 Directory send OK.');
  }

  async #listLine(verb: 'LIST' | 'NLST', folder: string, name: string): Promise<string> {
    if (verb === 'NLST') return name;
    const info = await stat(this.#disk(posix.join(folder, name)));
    const month = info.mtime.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' });
    const [day, time] = [String(info.mtime.getUTCDate()).padStart(2), info.mtime.toISOString().slice(11, 16)];
    const kind = info.isDirectory() ? 'drwxr-xr-x' : '-rw-r--r--';
    return `${kind}    1 103      107      ${String(info.size).padStart(10)} ${month} ${day} ${time} ${name}`;
  }

  async #size(argument: string): Promise<void> {
    const size = await this.#sizeOf(this.#path(argument));
    this.#reply(size === undefined ? '550 Could not get file size.' : `213 ${size}`);
  }

  async #delete(argument: string): Promise<void> {
    const path = this.#path(argument);
    if ((await this.#sizeOf(path)) === undefined) return this.#reply('550 Delete operation failed.');
    await rm(this.#disk(path));
    delete this.machine.extra.files[path.slice(1)];
    this.machine.persist();
    this.#reply('250 Delete operation successful.');
  }

  async #sizeOf(path: string): Promise<number | undefined> {
    if (this.#noStick) return undefined;
    const info = await stat(this.#disk(path)).catch(() => undefined);
    return info?.isFile() ? info.size : undefined;
  }
}

/** Lets bytes through at a limited pace. */
class Throttle extends Transform {
  constructor(private readonly bytesPerSecond: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const milliseconds = (chunk.length / this.bytesPerSecond) * 1000;
    if (milliseconds > 0.001) setTimeout(done, milliseconds, null, chunk);
    else done(null, chunk);
  }
}

/** Keeps the first bytes of an upload. @throws Error when more than `limit` have come */
async function receivePart(data: TLSSocket, path: string, limit: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    let left = limit;
    for await (const chunk of data as AsyncIterable<Buffer>) {
      await file.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left < 0) throw new Error('the connection was lost');
    }
  } finally {
    await file.close();
  }
}
