import type { ToolUse } from './analysis';

/** More tools than any machine has, and below Bambu's T255, T1000 and T65535, which do not mean a tool. */
export const mostTools = 64;

/** The extrusion and the highest temperature of each tool. */
export class ToolUses {
  private readonly pushed = new Float64Array(mostTools);
  private readonly mostPushed = new Float64Array(mostTools);
  private readonly extruding = new Uint8Array(mostTools);
  /** By the active tool, and by the number in the command. */
  private readonly activeTemperature = new Float64Array(mostTools);
  private readonly namedTemperature = new Float64Array(mostTools);
  private allTemperature = 0;
  active = 0;

  /** @param amount mm, negative for a retraction */
  push(amount: number): void {
    const sum = (this.pushed[this.active] ?? 0) + amount;
    this.pushed[this.active] = sum;
    if (sum > (this.mostPushed[this.active] ?? 0)) this.mostPushed[this.active] = sum;
  }

  extrude(): void {
    this.extruding[this.active] = 1;
  }

  /** @param tool the number in the command, `all`, or undefined: the active one */
  heat(tool: number | 'all' | undefined, temperature: number): void {
    if (tool === 'all') this.allTemperature = Math.max(this.allTemperature, temperature);
    else {
      const temperatures = tool === undefined ? this.activeTemperature : this.namedTemperature;
      const at = tool ?? this.active;
      temperatures[at] = Math.max(temperatures[at] ?? 0, temperature);
    }
  }

  /** mm that all tools extruded. */
  get filamentMm(): number {
    return this.mostPushed.reduce((sum, amount) => sum + amount, 0);
  }

  /** °C; 0 if none is set. */
  get maxTemperature(): number {
    return Math.max(this.allTemperature, ...this.activeTemperature, ...this.namedTemperature);
  }

  /** Tools that extrude, by number. */
  get tools(): number[] {
    return [...this.extruding.keys()].filter((tool) => this.extruding[tool] === 1);
  }

  /** @param nozzleOf the number by which temperatures refer to the nozzle of a tool, if it is a different one; else null */
  uses(nozzleOf: (tool: number) => number | null): ToolUse[] {
    return this.tools.map((tool) => ({
      tool,
      filamentMm: this.mostPushed[tool] ?? 0,
      maxNozzleTemperature: Math.max(
        this.allTemperature,
        this.activeTemperature[tool] ?? 0,
        this.namedTemperature[nozzleOf(tool) ?? tool] ?? 0,
      ),
    }));
  }
}
