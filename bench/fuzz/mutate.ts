import * as fc from 'fast-check';

/** One way to corrupt bytes; positions are fractions, so that they fit any length. */
export type Damage =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'set'; at: number; value: number }
  | { kind: 'cut'; at: number; length: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array }
  | { kind: 'end'; at: number };

const at = fc.double({ min: 0, max: 1, noNaN: true });

/** Ways to corrupt bytes: flipped bits, other bytes, missing pieces, extra pieces, an early end. */
export const damage: fc.Arbitrary<Damage[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('set' as const), at, value: fc.nat(255) }),
    fc.record({ kind: fc.constant('cut' as const), at, length: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ maxLength: 24 }) }),
    fc.record({ kind: fc.constant('end' as const), at }),
  ),
  { maxLength: 4 },
);

export function spoil(bytes: Buffer, damages: readonly Damage[]): Buffer {
  let spoilt = Buffer.from(bytes);
  for (const one of damages) {
    const index = Math.floor(one.at * spoilt.length);
    switch (one.kind) {
      case 'flip':
        if (index < spoilt.length) spoilt[index] = (spoilt[index] ?? 0) ^ (1 << one.bit);
        break;
      case 'set':
        if (index < spoilt.length) spoilt[index] = one.value;
        break;
      case 'cut':
        spoilt = Buffer.concat([spoilt.subarray(0, index), spoilt.subarray(index + one.length)]);
        break;
      case 'insert':
        spoilt = Buffer.concat([spoilt.subarray(0, index), one.bytes, spoilt.subarray(index)]);
        break;
      case 'end':
        spoilt = spoilt.subarray(0, index);
    }
  }
  return spoilt;
}

/** A place in a JSON value, and its replacement. */
const graft = fc.record({ path: fc.array(fc.nat(200), { maxLength: 4 }), value: fc.jsonValue({ maxDepth: 2 }) });
export const grafts = fc.array(graft, { maxLength: 3 });

/** Replaces values in a JSON value; each step of a path selects one of the existing members. */
export function regraft(json: unknown, changes: readonly { path: number[]; value: unknown }[]): unknown {
  return changes.reduce<unknown>((whole, { path, value }) => replaceAt(whole, path, value), json);
}

function replaceAt(json: unknown, [step, ...rest]: number[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(json)) {
    if (json.length === 0) return json;
    const index = step % json.length;
    return json.map((member, each) => (each === index ? replaceAt(member, rest, value) : member));
  }
  if (typeof json !== 'object' || json === null) return json;
  const members = Object.entries(json);
  if (members.length === 0) return json;
  const index = step % members.length;
  return Object.fromEntries(
    members.map(([key, member], each) => [key, each === index ? replaceAt(member, rest, value) : member]),
  );
}
