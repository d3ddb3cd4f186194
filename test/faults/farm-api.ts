import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import type { Simulated } from './farm-floor';
import { descriptionOf } from './filament';
import { Random } from './random';
import type { NodeRed } from './system';

export interface ApiAnswer {
  status: number;
  body: Record<string, unknown>;
}

export interface ApiPrinter {
  printer_id: string;
  online: boolean;
  state: string | null;
  job_id: string | null;
  bed: { state: 'clear' | 'occupied'; attempt_id: string | null; version: number };
  slots: { slot: string; material_id: string | null }[];
}

/** The API of whichever Node-RED is running, as an external program sees it. */
export class FarmApi {
  constructor(private readonly processes: NodeRed[]) {}

  /** One request. Status 0: no answer, so its outcome is unknown. */
  async call(
    method: string,
    path: string,
    options: { body?: unknown; at?: number; limit?: number } = {},
  ): Promise<ApiAnswer> {
    const running = this.processes.filter((process) => process.running);
    const target = Random.pick(running, options.at ?? Math.random());
    if (!target) return { status: 0, body: {} };
    try {
      const form = options.body instanceof FormData;
      const response = await fetch(`${target.url}${path}`, {
        method,
        signal: AbortSignal.timeout(options.limit ?? 40_000),
        ...(options.body !== undefined && {
          body: form ? (options.body as FormData) : JSON.stringify(options.body),
          ...(!form && { headers: { 'content-type': 'application/json' } }),
        }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
      };
    } catch {
      return { status: 0, body: {} };
    }
  }

  /** Retries a request until it succeeds. Only for idempotent requests. */
  async insist(method: string, path: string, body?: unknown, limit = 120_000): Promise<Record<string, unknown>> {
    const end = performance.now() + limit;
    let last: ApiAnswer = { status: 0, body: {} };
    while (performance.now() < end) {
      last = await this.call(method, path, { body });
      if (last.status >= 200 && last.status < 300) return last.body;
      if (last.status === 400 || last.status === 422) break;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    throw new Error(`${method} ${path} was answered ${last.status} ${JSON.stringify(last.body)}`);
  }

  /** Resolves when all of these printers are online. @throws Error they are not within two minutes */
  async untilOnline(printers: readonly Simulated[]): Promise<void> {
    const end = performance.now() + 120_000;
    let seen: string[] = [];
    while (performance.now() < end) {
      const online = (await this.printers()).filter((printer) => printer.online);
      seen = online.map(({ printer_id }) => printer_id);
      if (printers.every(({ id }) => seen.includes(id))) return;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const logs = this.processes.map(({ log }) => log.slice(-3000)).join('\n');
    throw new Error(`Not every printer came online (${seen.join(', ')}).\n${logs}`);
  }

  /** Defines the materials in the slots of these printers, and books them there: more than a run can use up. */
  async bookFilament(printers: readonly Simulated[]): Promise<void> {
    const known = (await this.insist('GET', '/materials'))['materials'] as { material_id: string }[];
    const loaded = new Set(printers.flatMap(({ slots }) => slots.map(({ material }) => material)));
    for (const { material_id } of known) loaded.delete(material_id);
    for (const material of loaded) await this.insist('POST', '/materials', descriptionOf(material));
    for (const { printer_id, slots } of await this.printers()) {
      const printer = printers.find(({ id }) => id === printer_id);
      if (!printer) continue;
      for (const { slot } of slots) {
        const material_id = printer.slots.find((filled) => filled.slot === slot)?.material;
        const spool = material_id && (await this.insist('POST', '/spools', { material_id, grams: 100_000 }));
        const spool_id = spool ? spool['spool_id'] : null;
        await this.insist('PUT', `/printers/${printer_id}/slots/${slot}`, { spool_id });
      }
    }
  }

  /** Uploads a file. @returns its `stl_path` */
  async upload(path: string): Promise<string> {
    return String((await this.insist('POST', '/files', await formOf(path)))['stl_path']);
  }

  async printers(): Promise<ApiPrinter[]> {
    const { status, body } = await this.call('GET', '/printers', { limit: 10_000 });
    return status === 200 ? (body['printers'] as ApiPrinter[]) : [];
  }
}

/** A file as the upload form sends it. */
export async function formOf(path: string): Promise<FormData> {
  const form = new FormData();
  form.append('file', await openAsBlob(path), basename(path));
  return form;
}
