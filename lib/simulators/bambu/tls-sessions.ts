import type { Server } from 'node:tls';

const MOST = 1000;

/**
 * The TLS sessions of the FTP server by their id, for clients that resume without tickets (curl is one). Control and
 * data connections are different servers to Node.js, so they share this.
 */
export class TlsSessions {
  readonly #sessions = new Map<string, Buffer>();

  attach(server: Server): void {
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      const oldest = this.#sessions.keys().next().value;
      if (this.#sessions.size >= MOST && oldest !== undefined) this.#sessions.delete(oldest);
      this.#sessions.set(id.toString('hex'), session);
      done();
    });
    server.on('resumeSession', (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) => {
      done(null, this.#sessions.get(id.toString('hex')) ?? null);
    });
  }
}
