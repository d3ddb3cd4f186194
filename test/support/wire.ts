import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

interface Pair {
  client: Socket;
  server: Socket;
  /** What passes from the client to the server, and back. */
  up: Brake;
  down: Brake;
}

/** Passes what comes at once, or each piece only after a while. */
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

/** A wire between two parts of the system that can be cut, slowed down, led elsewhere, or go silent in one direction or both. */
export class Wire {
  #target: NetConnectOpts;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Of connections whose far side is gone without a word. */
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

  /** Where it leads to. */
  get target(): NetConnectOpts {
    return this.#target;
  }

  /** Leads elsewhere from now on, as an address does that another machine has got. */
  lead(target: NetConnectOpts): void {
    this.#target = target;
    this.cut();
  }

  /** Resets every connection. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      // To the far side a reset and an end are the same, and a Unix socket knows no reset.
      server.destroy();
    }
    this.#pairs.clear();
  }

  /** The far side loses every connection, and the near side is never told. New ones pass. */
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

  /** Each piece that passes takes so long (ms); 0: at once. */
  slow(delay: number): void {
    this.#delay = delay;
  }

  /** From now on nothing passes; nobody is told. What was silent stays lost for its connection, as in a network. */
  silence(direction: 'up' | 'down' | 'both'): void {
    this.#silent = { up: direction !== 'down', down: direction !== 'up' };
    for (const pair of this.#pairs) this.#apply(pair);
  }

  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Everything passes again, at once. Connections that were silent go on where they stopped, as after a stall. */
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
