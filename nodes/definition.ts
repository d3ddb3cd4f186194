import type { NodeDef } from 'node-red';

/**
 * The current version of the configuration that the editor stores with a node. Nodes of 0.1.0 have none and count as 1.
 */
export const currentVersion = 2;

type Stored = Record<string, unknown>;

/** Fields that a version has added, by node type, with the value that preserves the earlier behaviour. */
const added: Readonly<Record<number, Readonly<Record<string, Stored>>>> = {
  2: {
    'print-farm': {
      ...{ uploadsPerMinute: '', keepFilesDays: '', keepJobsDays: '', keepKeysDays: '', lowStockGrams: '' },
      ...{ operatorHours: '', operatorDays: '', timeZone: '', quietHours: '', orcaSlicerPath: '', spoolmanUrl: '' },
      ...{ tariff: '', retryPolicy: '' },
    },
    'elegoo-printer': { pathPrefix: '', caFile: '', fingerprint: '' },
    'klipper-printer': { model: '', pathPrefix: '', caFile: '', fingerprint: '' },
    'fabrication-api': { base: '' },
    'job-control': { keyNeeded: false },
  },
};

/**
 * Returns the configuration of a node in the format of this version, whatever version has stored it. A configuration of
 * a later version is used unchanged; its additional fields are ignored.
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
