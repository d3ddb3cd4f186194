import type { Farm } from '../farm/farm';
import { offerFiles } from '../shared-files/foreign-files';
import type { Service } from './service';

/** Copies files that other processes request into the database, if there can be other processes. */
export class FileOffers implements Service {
  readonly #farm: Farm;
  #end: (() => void) | undefined;

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  async start(): Promise<void> {
    if (this.#farm.sharesFiles) this.#end ??= await offerFiles(this.#farm);
  }

  async stop(): Promise<void> {
    this.#end?.();
    this.#end = undefined;
  }
}
