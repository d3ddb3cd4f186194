import { createReadStream } from 'node:fs';
import { TLSSocket } from 'node:tls';
import { Client, enterPassiveModeIPv4, enterPassiveModeIPv6, type FTPContext, FTPError } from 'basic-ftp';
import { asError, PlatewiseError } from '../../model/errors';
import { PrinterRefusedError, UploadFailedError } from '../driver';
import { checkPinned, explainTls, type PrinterTrust, tlsOptions } from './tls';

export interface FtpsAddress {
  host: string;
  port: number;
  accessCode: string;
  trust: PrinterTrust;
  /** How long the server may stay silent (ms). */
  replyMs: number;
  /** How connections are made; over the network if missing. */
  wiring?: FtpWiring;
}

/** Makes the two connections of FTP. */
export interface FtpWiring {
  /** Opens the control connection and waits for the greeting. */
  control(client: Client): Promise<void>;
  /** Opens a data connection for the transfer that follows. */
  data(ftp: FTPContext): ReturnType<typeof enterPassiveModeIPv4>;
}

export interface UploadTask {
  path: string;
  size: number;
  fileName: string;
  signal: AbortSignal;
  progress(fraction: number): void;
}

const leastDeadlineMs = 600_000;
const slowestBytesPerSecond = 25_000;
const progressIntervalMs = 250;
const readBytes = 256 * 1024;

/** Uploads a file into the root of the printer's storage and verifies its size on a new connection. A partial or an
 * older file of that name is removed first: printers refuse to overwrite.
 */
export async function uploadByFtps(address: FtpsAddress, task: UploadTask): Promise<void> {
  if (task.size === 0) throw new UploadFailedError('The file is empty.', { retryable: false });
  const deadlineMs = Math.max(leastDeadlineMs, (task.size / slowestBytesPerSecond) * 1000);
  let failure: Error | undefined;
  try {
    await withFtps(address, task.signal, deadlineMs, (client) => store(client, task));
  } catch (thrown) {
    failure = asError(thrown);
  }
  if (task.signal.aborted) {
    await removeByFtps(address, task.fileName).catch(() => {});
    throw new UploadFailedError('The upload was given up.', { cause: failure });
  }
  if (failure !== undefined && !mayHaveArrived(failure)) {
    // The partial file on a full stick would take the space of the next one.
    if (failure instanceof FTPError && failure.code === 552) await removeByFtps(address, task.fileName).catch(() => {});
    throw explain(failure, address.trust);
  }
  let size: number;
  try {
    size = await withFtps(address, task.signal, address.replyMs, (client) => client.size(`/${task.fileName}`));
  } catch (thrown) {
    throw explain(failure ?? asError(thrown), address.trust);
  }
  if (size !== task.size) {
    await removeByFtps(address, task.fileName).catch(() => {});
    throw new UploadFailedError(
      `The file arrived with ${size} of ${task.size} bytes${failure === undefined ? '' : `: ${failure.message}`}.`,
      { cause: failure },
    );
  }
  task.progress(1);
}

/** Deletes a file; rejects if that fails. */
export async function removeByFtps(address: FtpsAddress, fileName: string): Promise<void> {
  const never = new AbortController();
  await withFtps(address, never.signal, address.replyMs, (client) => client.remove(`/${fileName}`));
}

async function store(client: Client, task: UploadTask): Promise<void> {
  await client.remove(`/${task.fileName}`, true);
  const tick = setInterval(() => {
    const sent = client.ftp.dataSocket?.bytesWritten ?? 0;
    task.progress(Math.min(0.99, sent / task.size));
  }, progressIntervalMs);
  try {
    await client.uploadFrom(createReadStream(task.path, { highWaterMark: readBytes }), `/${task.fileName}`);
  } finally {
    clearInterval(tick);
  }
}

/** Failures after which the file may still be complete: a late or wrong final reply. */
function mayHaveArrived(error: Error): boolean {
  if (error instanceof FTPError) return error.code === 426 || error.code === 451;
  return !(error instanceof PlatewiseError) && /Timeout|ECONNRESET|closed|premature/i.test(error.message);
}

async function withFtps<T>(
  address: FtpsAddress,
  signal: AbortSignal,
  deadlineMs: number,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(address.replyMs);
  const wiring = address.wiring ?? networkWiring(address);
  client.prepareTransfer = (ftp) => wiring.data(ftp);
  const stop = (): void => client.close();
  const timer = setTimeout(stop, deadlineMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) throw new UploadFailedError('The upload was given up.');
    await wiring.control(client);
    await client.login('bblp', address.accessCode);
    await client.useDefaultSettings();
    const result = await use(client);
    if (!client.closed) await client.sendIgnoringError('QUIT').catch(() => {});
    return result;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    client.close();
  }
}

/** Implicit TLS to the printer, whose identity is verified before the access code is sent. */
function networkWiring({ host, port, trust }: FtpsAddress): FtpWiring {
  return {
    async control(client) {
      await client.connectImplicitTLS(host, port, tlsOptions(trust));
      if (client.ftp.socket instanceof TLSSocket) checkPinned(client.ftp.socket, trust);
    },
    data: passiveMode,
  };
}

/** EPSV, or PASV with the address that the control connection uses: some printers answer 0.0.0.0. */
async function passiveMode(ftp: FTPContext): ReturnType<typeof enterPassiveModeIPv4> {
  try {
    return await enterPassiveModeIPv6(ftp);
  } catch (error) {
    if (!(error instanceof FTPError)) throw error;
    return enterPassiveModeIPv4(toControlHost(ftp));
  }
}

function toControlHost(ftp: FTPContext): FTPContext {
  const host = (ftp.socket.remoteAddress ?? '').replace(/^::ffff:/, '').replace(/\./g, ',');
  const request: FTPContext['request'] = async (command) => {
    const reply = await ftp.request(command);
    return { ...reply, message: reply.message.replace(/\d+,\d+,\d+,\d+(?=,\d+,\d+)/, host) };
  };
  return new Proxy(ftp, {
    get(target, property) {
      if (property === 'request') return request;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, property, value) => Reflect.set(target, property, value, target),
  });
}

function explain(error: Error, trust: PrinterTrust): Error {
  if (error instanceof PlatewiseError) return error;
  if (error instanceof FTPError) {
    if (error.code === 530) {
      return new PrinterRefusedError(
        'The printer does not accept the access code.',
        "Enter the access code that the printer's screen shows now.",
        error,
      );
    }
    if (error.code === 553 || error.code === 552) {
      return new UploadFailedError('The printer cannot store the file.', {
        remedy: 'Put a USB stick with free space, formatted as FAT32 or exFAT, into the printer.',
        cause: error,
      });
    }
    return new UploadFailedError(`The printer answered ${error.code} to the upload.`, { cause: error });
  }
  const explained = explainTls(error, trust);
  return explained instanceof PrinterRefusedError
    ? explained
    : new UploadFailedError(`The upload broke off: ${error.message}`, { cause: error });
}
