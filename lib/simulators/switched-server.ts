import type { AddressInfo, Server, Socket } from 'node:net';

/** A listening server whose network cable can be pulled out and plugged in again. */
export class SwitchedServer {
  readonly #sockets = new Set<Socket>();
  #cut = false;

  constructor(private readonly server: Server) {
    server.prependListener('connection', (socket: Socket) => {
      if (this.#cut) {
        socket.on('error', () => {});
        socket.resetAndDestroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Binds `port`, or `preferred` if `port` is 0 and that one is free, or any free port. Resolves with the port. */
  async listen(host: string, port: number, preferred = 0): Promise<number> {
    if (port === 0 && preferred !== 0) {
      try {
        return await this.#bind(host, preferred);
      } catch {
        // Another process has taken the port.
      }
    }
    return this.#bind(host, port);
  }

  /** Resets every connection immediately from now on, including open ones. */
  cut(): void {
    this.#cut = true;
    this.dropAll();
  }

  restore(): void {
    this.#cut = false;
  }

  /** Breaks every open connection without a farewell. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #bind(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(error);
      this.server.once('error', failed);
      this.server.listen({ host, port, exclusive: true }, () => {
        this.server.removeListener('error', failed);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }
}
