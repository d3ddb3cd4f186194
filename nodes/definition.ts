import type { NodeDef } from 'node-red';

/** The version of the configuration that the editor stores with a node today. Nodes of 0.1.0 carry none and count as 1. */
export const currentVersion = 2;

type Stored = Record<string, unknown>;

/** Fields that a version has added, by node type, with the value that means what was meant without them. */
const added: Readonly<Record<number, Readonly<Record<string, Stored>>>> = {
  2: {
    'print-farm': {
      ...{ uploadsPerMinute: '', keepFilesDays: '', keepJobsDays: '', keepKeysDays: '', lowStockGrams: '' },
      ...{ operatorHours: '', operatorDays: '', timeZone: '', quietHours: '', orcaSlicerPath: '', spoolmanUrl: '' },
      ...{ tariff: '', retryPolicy: '' },
    },
    'elegoo-printer': { pathPrefix: '', caFile: '', fingerprint: '' },
    'klipper-printer': { pathPrefix: '', caFile: '', fingerprint: '' },
    'fabrication-api': { base: '' },
    'job-control': { keyNeeded: false },
  },
};

/**
 * The configuration of a node as this version reads it, whatever version has stored it. One of a later version is taken as it is: what
 * it has more is not read.
 */
export function upToDate<Definition extends NodeDef>(definition: Definition): Definition {
  const { version } = definition as { version?: unknown };
  const stored = typeof version === 'number' && version >= 1 ? version : 1;
  let current: Stored = Object.fromEntries(Object.entries(definition));
  for (let next = stored + 1; next <= currentVersion; next++) {
    const given = Object.fromEntries(Object.entries(current).filter(([, value]) => value !== undefined));
    current = { ...added[next]?.[definition.type], ...given, version: next };
  }
  return current as unknown as Definition;
}
