import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { FilamentSpecification } from './filament';
import { SimulatorRequestError } from './request-error';
import type { RunningSimulator } from './simulator';
import { SwitchedServer } from './switched-server';

/** The operations that the control port offers; a running simulator without what only its maker needs. */
export type Controllable = Omit<RunningSimulator, 'ready' | 'close'>;

const LARGEST_BODY = 64 * 1024;

/**
 * The HTTP port by which a person (or a test that plays one) acts on the printer. It always listens on loopback and is
 * no part of any printer's protocol. POST takes and answers JSON; GET /state shows what the printer is doing.
 */
export class ControlPort {
  readonly #server: SwitchedServer;

  constructor(private readonly printer: Controllable) {
    const server = createServer((request, response) => {
      this.#answer(request).then(
        (body) => send(response, 200, body),
        (error: unknown) => {
          const known = error instanceof SimulatorRequestError;
          send(response, known ? 400 : 500, { error: error instanceof Error ? error.message : String(error) });
        },
      );
    });
    server.keepAliveTimeout = 1000;
    this.#server = new SwitchedServer(server);
  }

  listen(port: number, preferred: number): Promise<number> {
    return this.#server.listen('127.0.0.1', port, preferred);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<unknown> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method === 'GET' && path === '/state') return this.printer.state();
    if (request.method !== 'POST') throw new SimulatorRequestError('Use POST with a JSON body, or GET /state.');
    const body = await readJson(request);
    await this.#act(path, body);
    return { ok: true, state: this.printer.state() };
  }

  async #act(path: string, body: Record<string, unknown>): Promise<void> {
    switch (path) {
      case '/plate/clear':
        return this.printer.clearPlate();
      case '/load': {
        const { slot, ...filament } = body;
        if (typeof slot !== 'string') throw new SimulatorRequestError('Say into which slot: {"slot": "…", …}.');
        const isOut = filament.material === null;
        return this.printer.load(slot, isOut ? null : (filament as unknown as FilamentSpecification));
      }
      case '/foreign-start': {
        const minutes = typeof body.minutes === 'number' ? body.minutes : 30;
        const fileName = typeof body.file_name === 'string' ? body.file_name : 'foreign.gcode';
        return this.printer.startForeignJob(fileName, minutes);
      }
      case '/screen/cancel':
        return this.printer.cancelAtScreen();
      case '/screen/pause':
        return this.printer.pauseAtScreen();
      case '/screen/resume':
        return this.printer.resumeAtScreen();
      case '/power-cycle':
        return this.printer.powerCycle();
      case '/fault': {
        const { name, ...setting } = body;
        if (typeof name !== 'string') throw new SimulatorRequestError('A fault needs a name.');
        return this.printer.setFault(name, setting);
      }
      default: {
        const action = this.printer.actions[path.slice(1)];
        if (action === undefined) throw new SimulatorRequestError(`There is nothing at ${path}.`);
        return action(body);
      }
    }
  }
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new SimulatorRequestError('The body is too large.');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Record<string, unknown>;
    }
  } catch {
    // Said below.
  }
  throw new SimulatorRequestError('The body must be a JSON object.');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
