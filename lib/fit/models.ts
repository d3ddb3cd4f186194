import { makeTraits } from '../makes/traits';

/** Manufacturer prefixes that slicers put before the name of a model, in all spellings after `modelKey`. */
const makers: readonly (readonly string[])[] = [
  ...Object.values(makeTraits).map(({ brands }) => brands),
  ...['elegoo', 'prusa', 'creality', 'anycubic', 'qidi', 'voron', 'sovol', 'artillery', 'flashforge', 'ratrig'].map(
    (name) => [name],
  ),
];

/**
 * Whether a printer accepts the machine model that a file names. Slicers write the same model in many ways: with the
 * nozzle ("OrangeStorm Giga (0.4 nozzle)", "Bambu Lab H2D 0.4 nozzle"), in one word ("OrangeStormGiga"), with or
 * without its manufacturer. Models of the same name by two manufacturers are different models.
 */
export function isAcceptedModel(named: string, accepted: readonly string[] | undefined): boolean {
  const one = partsOf(named);
  return (
    one.model !== '' &&
    (accepted ?? []).some((name) => {
      const other = partsOf(name);
      return one.model === other.model && (one.brand === '' || other.brand === '' || one.brand === other.brand);
    })
  );
}

function partsOf(name: string): { brand: string; model: string } {
  const key = modelKey(name);
  for (const spellings of makers) {
    const brand = spellings.find((one) => key.startsWith(one) && key.length > one.length);
    if (brand !== undefined) return { brand: spellings[0] ?? brand, model: key.slice(brand.length) };
  }
  return { brand: '', model: key };
}

function modelKey(name: string): string {
  return name
    .toLowerCase()
    .replace(/\(?\b\d+(\.\d+)? ?(mm )?nozzle\b\)?/g, '')
    .replace(/[^a-z0-9]+/g, '');
}
