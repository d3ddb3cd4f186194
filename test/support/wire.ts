import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

interface Pair {
  client: Socket;
  server: Socket;
  up: boolean;
  down: boolean;
}

/** A wire between two parts of the system that can be cut, or go silent in one direction or both. */
export class Wire {
  readonly #target: NetConnectOpts;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #silent = { up: false, down: false };
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

  /** Resets every connection. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      // To the far side a reset and an end are the same, and a Unix socket knows no reset.
      server.destroy();
    }
    this.#pairs.clear();
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

  /** Everything passes again. Connections that were silent go on where they stopped, as after a stall. */
  pass(): void {
    this.#silent = { up: false, down: false };
    this.#refusing = false;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    const pair = { client, server, up: false, down: false };
    this.#pairs.add(pair);
    const end = (): void => {
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

  #apply(pair: Pair): void {
    const { client, server } = pair;
    const { up, down } = { up: !this.#silent.up, down: !this.#silent.down };
    if (up && !pair.up) client.pipe(server);
    if (!up) client.unpipe(server).pause();
    if (down && !pair.down) server.pipe(client);
    if (!down) server.unpipe(client).pause();
    Object.assign(pair, { up, down });
  }
}
