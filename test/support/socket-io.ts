import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

/**
 * A non-browser client of the dashboard, reduced to the needs of the tests: it speaks just enough of Socket.IO to send an order
 * as a widget does.
 *
 * @param url of the dashboard, with `http:`
 * @param headers of its requests
 */
export class DashboardClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #socket: WebSocket | undefined;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  /** Connects as browsers do: by polling, and then over a websocket. @throws Error it is rejected */
  async open(): Promise<this> {
    const endpoint = `${this.#url}/socket.io/?EIO=4`;
    const poll = (sid = '', body?: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const method = body === undefined ? 'GET' : 'POST';
        const url = `${endpoint}&transport=polling${sid && `&sid=${sid}`}&t=${randomUUID()}`;
        // `fetch` would not send every header.
        const asked = request(url, { method, headers: this.#headers }, (answer) => {
          const told = (told: string): void =>
            answer.statusCode === 200 ? resolve(told) : reject(new Error(`refused: ${answer.statusCode} ${told}`));
          text(answer).then(told, reject);
        });
        asked.on('error', reject);
        asked.end(body);
      });
    const { sid } = JSON.parse((await poll()).slice(1)) as { sid: string };
    await poll(sid, '40');
    const joined = await poll(sid);
    if (!joined.includes('40')) throw new Error(`refused: ${joined}`);
    const socket = new WebSocket(`${endpoint.replace(/^http/, 'ws')}&transport=websocket&sid=${sid}`, {
      headers: this.#headers,
    });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('2probe'));
      socket.on('message', (data) => {
        const text = String(data);
        if (text === '3probe') {
          socket.send('5');
          resolve();
        } else if (text === '2') socket.send('3');
      });
    });
    return this;
  }

  /** Sends a message as the widget with this id. */
  send(widget: string, message: unknown): void {
    this.#socket?.send(`42${JSON.stringify(['widget-send', widget, message])}`);
  }

  /** Resolves with the next matching message of the server. */
  heard(wanted: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const hear = (data: unknown): void => {
        if (!wanted.test(String(data))) return;
        this.#socket?.off('message', hear);
        this.#socket?.off('close', end);
        resolve(String(data));
      };
      const end = (): void => reject(new Error('The connection was closed.'));
      this.#socket?.on('message', hear);
      this.#socket?.on('close', end);
    });
  }

  close(): void {
    this.#socket?.close();
  }
}
