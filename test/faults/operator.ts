import type { FarmApi } from './farm-api';
import type { FarmFloor, Simulated, Truth } from './farm-floor';

/** An attempt that an operator was asked about. */
export interface Question {
  attemptId: string;
  printerId: string;
  fileName: string;
  /** Whether the printer itself held no trace of it when the operator was asked. */
  undecidable: boolean;
  answer: boolean | null;
}

/** The minimum interval between power cycles of a printer with a fault (ms). */
const restartPause = 20_000;

interface OpenJob {
  job_id: string;
  status: string;
}

/**
 * An operator on the floor: removes finished parts from the plates and reports it, and answers whether an unobserved attempt
 * printed. Clears a bed only when the plate is empty.
 */
export class Operator {
  readonly questions = new Map<string, Question>();
  /** Attempts that waited for an answer, for which the API offered no action. */
  readonly withoutWayOut = new Set<string>();
  cleared = 0;
  /** When the power of a printer was last cut (ms since 1970). */
  readonly powerCycled = new Map<string, number>();
  /** One action at a time at each printer: no print is started there while it is being cleared. */
  readonly busy = new Set<string>();
  #stopped = false;
  #working: Promise<void> | undefined;

  constructor(
    private readonly api: FarmApi,
    private readonly floor: FarmFloor,
    /** The pause between two rounds (ms). */
    private readonly rest = 400,
  ) {}

  start(): void {
    this.#working = (async () => {
      while (!this.#stopped) {
        await this.#round().catch((error: unknown) => console.error(`operator: ${String(error)}`));
        await new Promise((resolve) => setTimeout(resolve, this.rest));
      }
    })();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  async #round(): Promise<void> {
    const printers = await this.api.printers();
    await Promise.all(
      printers.map(async (seen) => {
        const printer = this.floor.printers.find(({ id }) => id === seen.printer_id);
        if (!printer || seen.bed.state === 'clear' || this.busy.has(printer.id)) return;
        this.busy.add(printer.id);
        try {
          await this.#clear(printer, seen.bed.version);
        } finally {
          this.busy.delete(printer.id);
        }
      }),
    );
    for (const seen of printers.filter(({ state }) => state === 'fault')) await this.#restart(seen.printer_id);
    await this.#answerQuestions();
  }

  async #clear(printer: Simulated, version: number): Promise<void> {
    const before = await this.floor.state(printer);
    if (before.printing !== null) return;
    if (before.plate !== 'clear' && !(await this.floor.act(printer, '/plate/clear'))) return;
    const after = await this.floor.state(printer);
    if (after.printing !== null || after.plate !== 'clear') return;
    const { status } = await this.api.call('POST', `/printers/${printer.id}/bed/clear`, {
      body: { bed_version: version },
    });
    if (status === 200) this.cleared++;
  }

  /** Power-cycles a printer whose fault persists, as its remedy instructs. */
  async #restart(id: string): Promise<void> {
    const printer = this.floor.printers.find((one) => one.id === id);
    if (!printer || this.busy.has(id) || Date.now() - (this.powerCycled.get(id) ?? 0) < restartPause) return;
    if ((await this.floor.state(printer)).printing !== null) return;
    this.powerCycled.set(id, Date.now());
    await this.floor.act(printer, '/power-cycle');
  }

  async #answerQuestions(): Promise<void> {
    const { body, status } = await this.api.call('GET', '/queue?limit=200', { limit: 10_000 });
    if (status !== 200) return;
    const open = (body['jobs'] as OpenJob[]).filter((job) => job.status === 'uploading' || job.status === 'printing');
    for (const { job_id } of open) {
      const job = await this.api.call('GET', `/jobs/${job_id}`, { limit: 10_000 });
      const attempts = (job.body['attempts'] ?? []) as {
        attempt_id: string;
        printer_id: string;
        phase: string;
        file_name: string;
      }[];
      const actions = (job.body['actions'] ?? []) as { href: string }[];
      for (const attempt of attempts.filter(({ phase }) => phase === 'outcome_unknown')) {
        if (!actions.some(({ href }) => href.includes(attempt.attempt_id))) this.withoutWayOut.add(attempt.attempt_id);
        await this.#answer(attempt);
      }
    }
  }

  async #answer(attempt: { attempt_id: string; printer_id: string; file_name: string }): Promise<void> {
    const printer = this.floor.printers.find(({ id }) => id === attempt.printer_id);
    if (!printer) return;
    const state = await this.floor.state(printer);
    let question = this.questions.get(attempt.attempt_id);
    if (!question) {
      // Only the simulator still knows: after a power loss Bambu and Snapmaker forget the print, and Moonraker's history
      // reports it as "in progress" for ever; of an unobserved one a Snapmaker reports that it ran, not how it ended.
      const lost = this.powerCycled.get(printer.id) ?? 0;
      const forgotten =
        state.last?.reason === 'power_loss' ||
        (printer.make !== 'moonraker' && lost > startedAt(this.floor.truth(printer), attempt.file_name)) ||
        (printer.make === 'snapmaker' && state.last?.outcome !== 'finished');
      const shown = [state.printing, forgotten ? null : (state.last?.file_name ?? null)];
      const named = shown.some((name) => sameFile(name, attempt.file_name));
      question = {
        attemptId: attempt.attempt_id,
        printerId: printer.id,
        fileName: attempt.file_name,
        undecidable: !named,
        answer: null,
      };
      this.questions.set(attempt.attempt_id, question);
    }
    if (sameFile(state.printing, attempt.file_name)) return;
    const printed = this.floor
      .truth(printer)
      .some(({ event, file_name }) => event === 'finished' && sameFile(file_name, attempt.file_name));
    await this.api.call('POST', `/attempts/${attempt.attempt_id}/outcome`, { body: { printed } });
    question.answer = printed;
  }
}

/** When a print truly began (ms since 1970); 0 if it never did. */
function startedAt(truth: Truth[], fileName: string): number {
  const started = truth.find(({ event, file_name }) => event === 'started' && sameFile(file_name, fileName));
  return started ? Date.parse(started.at) : 0;
}

/** Whether two names belong to the same print, regardless of folder and extension. */
export function sameFile(a: string | null, b: string | null): boolean {
  const stem = (name: string): string => (name.split('/').at(-1) ?? '').replace(/(\.gcode)?(\.3mf)?$/i, '');
  return a !== null && b !== null && stem(a) === stem(b);
}
