import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

interface Pair {
  client: Socket;
  server: Socket;
  /** The bytes from the client to the server, and back. */
  up: Brake;
  down: Brake;
}

/** Passes data immediately, or each chunk only after a delay. */
class Brake extends Transform {
  constructor(private readonly delay: () => number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const delay = this.delay();
    if (delay === 0) done(null, chunk);
    else setTimeout(() => done(null, chunk), delay);
  }
}

/** A wire between two parts of the system that can be cut, delayed, redirected, or silenced in one direction or both. */
export class Wire {
  #target: NetConnectOpts;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Of connections whose far side has gone silently. */
  readonly #forgotten = new Set<Socket>();
  #silent = { up: false, down: false };
  #delay = 0;
  #refusing = false;
  port = 0;

  constructor(target: NetConnectOpts) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  listen(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        this.port = (this.#server.address() as { port: number }).port;
        resolve(this);
      });
    });
  }

  /** Its target. */
  get target(): NetConnectOpts {
    return this.#target;
  }

  /** Redirects it from now on, as when another machine gets the address. */
  lead(target: NetConnectOpts): void {
    this.#target = target;
    this.cut();
  }

  /** Resets every connection. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      // To the far side a reset and an end are the same, and a Unix socket has no reset.
      server.destroy();
    }
    this.#pairs.clear();
  }

  /** The far side loses every connection, without a notification to the near side. New ones pass. */
  halfOpen(): void {
    for (const pair of [...this.#pairs]) {
      this.#pairs.delete(pair);
      this.#forgotten.add(pair.client);
      pair.client.unpipe(pair.up);
      pair.client.on('data', () => undefined).resume();
      pair.server.unpipe(pair.down);
      pair.server.destroy();
    }
  }

  /** Delays each chunk by this long (ms); 0: no delay. */
  slow(delay: number): void {
    this.#delay = delay;
  }

  /** Passes nothing from now on, without a notification. Silenced data stays lost for its connection, as in a network. */
  silence(direction: 'up' | 'down' | 'both'): void {
    this.#silent = { up: direction !== 'down', down: direction !== 'up' };
    for (const pair of this.#pairs) this.#apply(pair);
  }

  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Passes everything again, immediately. Connections that were silent continue where they stopped, as after a stall. */
  pass(): void {
    this.#silent = { up: false, down: false };
    this.#delay = 0;
    this.#refusing = false;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  close(): void {
    this.cut();
    for (const client of this.#forgotten) client.destroy();
    this.#server.close();
  }

  #join(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    const pair: Pair = { client, server, up: new Brake(() => this.#delay), down: new Brake(() => this.#delay) };
    for (const socket of [client, server]) socket.setNoDelay(true);
    pair.up.pipe(server);
    pair.down.pipe(client);
    this.#pairs.add(pair);
    const end = (): void => {
      if (this.#forgotten.has(client)) {
        if (client.destroyed) this.#forgotten.delete(client);
        return;
      }
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    this.#apply(pair);
  }

  #apply({ client, server, up, down }: Pair): void {
    client.unpipe(up);
    server.unpipe(down);
    if (this.#silent.up) client.pause();
    else client.pipe(up);
    if (this.#silent.down) server.pause();
    else server.pipe(down);
  }
}
