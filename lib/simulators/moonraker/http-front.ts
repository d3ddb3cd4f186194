import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { faultNumber } from '../faults';
import { httpErrorBody, LostReply, MoonrakerError, rpcError } from './errors';
import type { Connection } from './hub';
import type { Arguments, Method, Services } from './methods';
import { SNAPSHOT_PATH } from './state';
import { receiveUpload } from './upload';
import { drawBed } from './webcam';

const LARGEST_JSON = 1024 * 1024;

/** The one port of Moonraker: HTTP, the websocket, uploads, pictures, and the few OctoPrint look-alikes. */
export class HttpFront {
  readonly server: Server;
  readonly #websockets = new WebSocketServer({ noServer: true });
  readonly #byName: Map<string, Method>;

  constructor(
    private readonly services: Services,
    private readonly methods: Method[],
  ) {
    this.#byName = new Map(methods.filter(({ rpc }) => rpc !== false).map((method) => [method.name, method]));
    this.server = createServer((request, response) => void this.#handle(request, response));
    this.server.requestTimeout = 0;
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://printer');
    try {
      // Pictures come from the web server beside Moonraker, which requires no key.
      if (!['/access/info', '/access/login', '/', SNAPSHOT_PATH].includes(url.pathname)) {
        this.services.access.require(request, url.searchParams);
      }
      await this.#route(request, response, url);
    } catch (error) {
      if (error instanceof LostReply) {
        request.socket.resetAndDestroy();
        return;
      }
      const answer = error instanceof MoonrakerError ? error : new MoonrakerError(500, String(error));
      sendJson(response, answer.code, httpErrorBody(this.services.profile, answer));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = decodeURIComponent(url.pathname);
    const verb = request.method ?? 'GET';
    if (verb === 'POST' && (path === '/server/files/upload' || path === '/api/files/local')) {
      const body = await receiveUpload(request, this.services);
      if (this.services.machine.faults.take('upload_504') !== undefined) {
        sendGatewayTimeout(response);
        return;
      }
      const item = body.item as { path: string };
      response.setHeader(
        'location',
        `http://${request.headers.host ?? ''}/server/files/gcodes/${encodeURI(item.path)}`,
      );
      sendJson(response, 201, body);
      return;
    }
    if (verb === 'GET' && path === '/api/version') {
      sendJson(response, 200, { server: '1.5.0', api: '0.1', text: 'OctoPrint (Moonraker v0.3.1)' });
      return;
    }
    if (verb === 'GET' && path.startsWith('/server/files/gcodes/')) {
      this.#sendFile(path, response);
      return;
    }
    if (verb === 'POST' && path === '/server/jsonrpc' && !this.services.profile.legacy) {
      const answer = await this.#rpc(await readBody(request), undefined);
      sendJson(response, 200, answer ?? {});
      return;
    }
    if (verb === 'GET' && path === SNAPSHOT_PATH && url.searchParams.get('action') === 'snapshot') {
      response.writeHead(200, { 'content-type': 'image/png', 'cache-control': 'no-store' });
      response.end(drawBed(this.services.machine.engine));
      return;
    }
    if (verb === 'GET' && path === '/') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<html><head><title>Moonraker ${this.services.profile.moonrakerVersion}</title></head></html>`);
      return;
    }
    const { method, tail } = this.#find(verb, path);
    const parameters = { ...queryArguments(url), ...(await jsonArguments(request)), ...tail };
    const impatient = this.services.machine.faults.take('proxy_504');
    const patience =
      impatient === undefined
        ? undefined
        : setTimeout(() => sendGatewayTimeout(response), faultNumber(impatient, 'seconds', 60) * 1000);
    try {
      sendJson(response, 200, { result: await method.call(parameters, undefined) });
    } finally {
      clearTimeout(patience);
    }
  }

  #find(verb: string, path: string): { method: Method; tail: Arguments } {
    let known = false;
    for (const method of this.methods) {
      if (method.http === undefined) continue;
      const pattern = method.http.path;
      const open = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
      if (open === undefined ? pattern !== path : !path.startsWith(open)) continue;
      known = true;
      if (method.http.verb === verb)
        return { method, tail: open === undefined ? {} : { path: path.slice(open.length) } };
    }
    throw known ? new MoonrakerError(405, 'Method Not Allowed') : new MoonrakerError(404, 'Not Found');
  }

  #sendFile(path: string, response: ServerResponse): void {
    const { files } = this.services;
    const resolved = files.resolve(path.slice('/server/files/gcodes/'.length));
    const file = files.require(resolved);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.size });
    files.read(resolved).pipe(response);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://printer');
    const { access, profile, hub } = this.services;
    const admitted = access.admits(request, url.searchParams);
    if (url.pathname !== '/websocket') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    if (!admitted && profile.legacy) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#websockets.handleUpgrade(request, socket, head, (websocket: WebSocket) => {
      const connection = hub.add(websocket, admitted);
      websocket.on('message', (data) => {
        void this.#rpc(data.toString(), connection).then((answer) => {
          if (answer === 'lost') websocket.terminate();
          else if (answer !== undefined) connection.answer(answer);
        });
      });
    });
  }

  async #rpc(body: string, connection: Connection): Promise<Record<string, unknown> | 'lost' | undefined>;
  async #rpc(body: string, connection: undefined): Promise<Record<string, unknown> | undefined>;
  async #rpc(body: string, connection: Connection | undefined): Promise<Record<string, unknown> | 'lost' | undefined> {
    const request = parseRequest(body);
    if (request === undefined) return { error: { code: -32700, message: 'Parse error' }, id: null };
    const { id, method: name, params } = request;
    if (typeof name !== 'string') return { error: { code: -32600, message: 'Invalid Request' }, id: id ?? null };
    const method = this.#byName.get(name);
    const { profile } = this.services;
    if (method === undefined) return { error: { code: -32601, message: 'Method not found' }, id: id ?? null };
    if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params))) {
      return { error: { code: -32602, message: 'Invalid params:' }, id: id ?? null };
    }
    try {
      const unguarded = name === 'server.connection.identify' || name.startsWith('access.');
      if (connection !== undefined && !connection.authorized && !unguarded) {
        throw new MoonrakerError(401, 'Unauthorized');
      }
      const result = await method.call((params ?? {}) as Arguments, connection);
      return id === undefined ? undefined : { result, id };
    } catch (error) {
      if (error instanceof LostReply && connection !== undefined) return 'lost';
      const answer = error instanceof MoonrakerError ? error : new MoonrakerError(500, String(error));
      return id === undefined ? undefined : { error: rpcError(profile, answer), id };
    }
  }
}

function parseRequest(body: string): { id?: unknown; method?: unknown; params?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return undefined;
  }
}

function queryArguments(url: URL): Arguments {
  const parameters: Arguments = {};
  for (const [name, value] of url.searchParams) if (name !== 'token') parameters[name] = value;
  return parameters;
}

async function jsonArguments(request: IncomingMessage): Promise<Arguments> {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) return {};
  const body = await readBody(request);
  const parsed = body.trim() === '' ? {} : parseRequest(body);
  if (parsed === undefined) throw new MoonrakerError(400, 'Invalid JSON body');
  return parsed as Arguments;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_JSON) throw new MoonrakerError(413, 'Request Entity Too Large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The answer of nginx in front of Moonraker after its time limit (protocol notes, sections 2 and 5). */
function sendGatewayTimeout(response: ServerResponse): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(504, { 'content-type': 'text/html' });
  response.end('<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body></body>\r\n</html>\r\n');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' });
  response.end(JSON.stringify(body));
}
