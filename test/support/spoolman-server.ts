import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A spool in the form of Spoolman's REST API. */
export interface ServedSpool {
  id: number;
  filament: Record<string, unknown>;
  remaining_weight: number;
  initial_weight: number;
  used_weight: number;
  archived: boolean;
  lot_nr?: string;
}

/**
 * A server that answers like Spoolman 0.22: `GET /api/v1/spool` and `PATCH /api/v1/spool/{id}` with `remaining_weight`,
 * written from its OpenAPI document.
 */
export class SpoolmanServer {
  readonly spools = new Map<number, ServedSpool>();
  /** Bodies of all changes, in order. */
  readonly changes: { id: number; remaining_weight: number }[] = [];
  /** Executes the next change, but drops the connection instead of answering. */
  loseNextReply = false;
  #server: Server | undefined;

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const answer = (status: number, body: unknown) => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        };
        const url = new URL(request.url ?? '/', 'http://localhost');
        if (request.method === 'GET' && url.pathname === '/api/v1/spool') {
          const archived = url.searchParams.get('allow_archived') === 'true';
          return answer(
            200,
            [...this.spools.values()].filter((spool) => archived || !spool.archived),
          );
        }
        const id = Number(/^\/api\/v1\/spool\/(\d+)$/.exec(url.pathname)?.[1]);
        const spool = this.spools.get(id);
        if (request.method !== 'PATCH' || !spool) return answer(404, { message: 'Not found.' });
        const { remaining_weight } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { remaining_weight: number };
        if (!(remaining_weight >= 0)) return answer(422, { message: 'remaining_weight' });
        spool.remaining_weight = remaining_weight;
        spool.used_weight = spool.initial_weight - remaining_weight;
        this.changes.push({ id, remaining_weight });
        if (this.loseNextReply) {
          this.loseNextReply = false;
          return request.socket.destroy();
        }
        return answer(200, spool);
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    if (!address) throw new Error('The server does not listen.');
    return `http://127.0.0.1:${address.port}`;
  }

  add(id: number, remaining: number, filament: Record<string, unknown> = {}): void {
    this.spools.set(id, {
      id,
      filament: {
        id: 7,
        name: 'Galaxy Black',
        vendor: { id: 1, name: 'Prusament' },
        material: 'PETG',
        density: 1.27,
        diameter: 1.75,
        weight: 1000,
        price: 29.99,
        color_hex: '1a1a1a',
        settings_extruder_temp: 250,
        settings_bed_temp: 85,
        ...filament,
      },
      remaining_weight: remaining,
      initial_weight: 1000,
      used_weight: 1000 - remaining,
      archived: false,
    });
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}
