import { SimulatorRequestError } from './request-error';
import type { FaultSetting } from './simulator';

/** The faults that are switched on. A make names the ones that it knows. */
export class Faults {
  readonly #active = new Map<string, FaultSetting>();
  readonly #known: readonly string[];
  readonly #listeners: ((name: string) => void)[] = [];

  constructor(known: readonly string[]) {
    this.#known = known;
  }

  get known(): readonly string[] {
    return this.#known;
  }

  set(name: string, setting: FaultSetting): void {
    if (!this.#known.includes(name)) {
      throw new SimulatorRequestError(`There is no fault "${name}". Faults: ${this.#known.join(', ')}.`);
    }
    if (setting.on === false) this.#active.delete(name);
    else this.#active.set(name, { ...setting });
    for (const listener of this.#listeners) listener(name);
  }

  onChange(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether the fault is on; does not count as an occurrence. */
  isOn(name: string): boolean {
    return this.#active.has(name);
  }

  /** The setting of a fault that happens now, undefined if it is off. Counts one of its `times`. */
  take(name: string): FaultSetting | undefined {
    const setting = this.#active.get(name);
    if (setting === undefined) return undefined;
    if (typeof setting.times === 'number') {
      if (setting.times <= 1) this.#active.delete(name);
      else this.#active.set(name, { ...setting, times: setting.times - 1 });
    }
    return setting;
  }

  toJSON(): Record<string, FaultSetting> {
    return Object.fromEntries(this.#active);
  }
}

/** A number among a fault's parameters. */
export function faultNumber(setting: FaultSetting, parameter: string, otherwise: number): number {
  const value = setting[parameter];
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

/** A text among a fault's parameters. */
export function faultText(setting: FaultSetting, parameter: string, otherwise: string): string {
  const value = setting[parameter];
  return typeof value === 'string' ? value : otherwise;
}
