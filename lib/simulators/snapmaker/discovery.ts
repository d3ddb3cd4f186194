import { createSocket, type Socket } from 'node:dgram';

/** Answers the UDP probe `discover` (protocol notes, section 1). */
export class Discovery {
  readonly #socket: Socket;

  constructor(
    private readonly name: string,
    private readonly address: () => string,
    private readonly silent: () => boolean,
  ) {
    this.#socket = createSocket('udp4');
    this.#socket.on('error', () => {});
    this.#socket.on('message', (probe, from) => {
      if (this.silent() || probe.toString('latin1') !== 'discover') return;
      const reply = `${this.name}@${this.address()}|model:Snapmaker Artisan|SACP:1`;
      this.#socket.send(reply, from.port, from.address);
    });
  }

  async listen(host: string, port: number, preferred: number): Promise<number> {
    if (port === 0 && preferred !== 0) {
      try {
        return await this.#bind(host, preferred);
      } catch {
        // Another process has taken the port.
      }
    }
    return this.#bind(host, port);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  #bind(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(error);
      this.#socket.once('error', failed);
      this.#socket.bind({ address: host, port, exclusive: true }, () => {
        this.#socket.removeListener('error', failed);
        resolve(this.#socket.address().port);
      });
    });
  }
}
