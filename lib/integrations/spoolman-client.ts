import { asError, PlatewiseError } from '../model/errors';

/** A filament in Spoolman. */
export interface SpoolmanFilament {
  id: number;
  name?: string;
  vendor?: { name?: string };
  /** `PLA`, `PETG` … */
  material?: string;
  /** g/cm³ */
  density: number;
  /** mm */
  diameter: number;
  /** Grams on a full spool. */
  weight?: number;
  /** The price of a full spool. */
  price?: number;
  /** RRGGBB, optionally with transparency. */
  color_hex?: string;
  settings_extruder_temp?: number;
  settings_bed_temp?: number;
}

/** A spool in Spoolman. */
export interface SpoolmanSpool {
  id: number;
  filament: SpoolmanFilament;
  /** Grams; absent if the filament has no weight. */
  remaining_weight?: number;
  initial_weight?: number;
  archived?: boolean;
  lot_nr?: string;
}

const timeLimitMs = 10_000;
/** The limit of an answer (bytes): about ten thousand spools. */
const longestAnswer = 16 * 1024 * 1024;

/** The part of Spoolman's REST API (`/api/v1`) that Platewise uses. */
export class SpoolmanClient {
  private readonly root: string;

  /** @param url the address of the server, for example `http://spoolman.local:7912` */
  constructor(url: string) {
    this.root = `${url.replace(/\/+$/, '')}/api/v1`;
  }

  /** Returns all spools that are not archived. @throws PlatewiseError `spoolman_unavailable` */
  async spools(): Promise<SpoolmanSpool[]> {
    const answer = await this.request('GET', '/spool?allow_archived=false');
    if (!Array.isArray(answer)) throw unavailable('it did not answer with a list of spools');
    return answer.filter(isSpool);
  }

  /** Sets the remaining weight of a spool. Idempotent. @throws PlatewiseError `spoolman_unavailable` */
  async setRemaining(id: number, grams: number): Promise<void> {
    await this.request('PATCH', `/spool/${id}`, { remaining_weight: grams });
  }

  private async request(method: string, path: string, body?: object): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(this.root + path, {
        method,
        signal: AbortSignal.timeout(timeLimitMs),
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      if (response.ok) return JSON.parse(await boundedText(response));
    } catch (error) {
      throw unavailable(asError(error).message);
    }
    throw unavailable(`${method} ${path} was answered ${response.status}`);
  }
}

/** @throws Error the answer is longer than any stock of spools */
async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > longestAnswer) throw new Error(`its answer is longer than ${longestAnswer} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isSpool(value: unknown): value is SpoolmanSpool {
  const spool = value as Partial<SpoolmanSpool> | null;
  return typeof spool?.id === 'number' && typeof spool.filament?.id === 'number' && spool.filament.density > 0;
}

function unavailable(why: string): PlatewiseError {
  return new PlatewiseError(`Spoolman cannot be used: ${why}.`, {
    code: 'spoolman_unavailable',
    retryable: true,
    remedy: 'Check its address and that it is running; spools are synchronised when it answers again.',
  });
}
