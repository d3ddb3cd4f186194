import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { analyseFile } from '../../lib/files/analyse-file';
import type { FileAnalysis } from '../../lib/files/analysis';
import { plateOf } from '../../lib/files/plates';
import { estimatePrint } from '../../lib/slicing/estimate';
import { defaultQuality, Profiles } from '../../lib/slicing/profile';
import { shippedProfiles } from '../../lib/slicing/shipped-profiles';
import { type Case, casesOf, isForFitting } from './cases';
import { writeShapes } from './shapes';
import { SlicedCases } from './sliced';

/**
 * Compares hours and grams before slicing with the slicer's figures, over models × printers × settings × slicers. Constants
 * may be fitted to one half of the models (`isForFitting`) and to generated shapes; the limits apply to the other half, and a missed
 * one exits the bench with 1. Sliced results are cached in the system's temporary folder, so that a second run takes seconds.
 * usage: npm run bench:estimate -- [FOLDER OF MODELS]
 */
const defaultFolder = join(__dirname, '../../../shared/data/models');

/** For the held-out half: shares of the sliced figures. */
const limits = {
  hours: { bias: 0.03, median: 0.08, ninetieth: 0.2 },
  grams: { median: 0.04, ninetieth: 0.1 },
} as const;

type Quantity = keyof typeof limits;
const quantities = ['hours', 'grams'] as const;

interface Result extends Case {
  /** Signed, as a share of the sliced figure. */
  errors: Record<Quantity, number>;
  estimated: Record<Quantity, number>;
  actual: Record<Quantity, number>;
}

/** The quantile of the values for a share. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(9);

/** Median of the signed errors; median, 90th percentile and maximum of the absolute ones. */
function figuresOf(results: readonly Result[], quantity: Quantity) {
  const errors = results.map((result) => result.errors[quantity]);
  const absolute = errors.map(Math.abs);
  return {
    bias: quantile(errors, 0.5),
    median: quantile(absolute, 0.5),
    ninetieth: quantile(absolute, 0.9),
    worst: Math.max(...absolute),
  };
}

function line(name: string, results: readonly Result[]): string {
  const columns = quantities.flatMap((quantity) => {
    const { bias, median, ninetieth, worst } = figuresOf(results, quantity);
    return [bias, median, ninetieth, worst].map(percent);
  });
  return `${name.padEnd(34)} ${String(results.length).padStart(5)} ${columns.join('')}`;
}

const columnNames = ['bias', 'median', 'p90', 'worst'].map((name) => name.padStart(9)).join('');
const heading = `${''.padEnd(34)} ${'cases'.padStart(5)} ${columnNames}${columnNames}`;

function report(title: string, results: readonly Result[]): void {
  console.log(`\n${title}\n${''.padEnd(41)}${'hours'.padEnd(36)}grams\n${heading}`);
  console.log(line('all', results));
  const groups: Record<string, (result: Result) => string> = {
    slicer: ({ slicer }) => slicer,
    printer: ({ machine }) => machine.printerId,
    setting: ({ name }) => name,
    model: ({ model }) => basename(model),
  };
  for (const group of Object.values(groups)) {
    for (const name of new Set(results.map(group))) {
      console.log(
        line(
          name,
          results.filter((result) => group(result) === name),
        ),
      );
    }
  }
  for (const quantity of quantities) {
    const worst = [...results].sort((a, b) => Math.abs(b.errors[quantity]) - Math.abs(a.errors[quantity])).slice(0, 10);
    console.log(`worst ${quantity}:`);
    for (const { errors, estimated, actual, model, slicer, machine, name } of worst) {
      const figures = `${estimated[quantity].toPrecision(3)} for ${actual[quantity].toPrecision(3)}`;
      console.log(
        `${percent(errors[quantity])}  ${figures}  ${basename(model)}, ${slicer}, ${machine.printerId}, ${name}`,
      );
    }
  }
}

/** Prints each figure of the held-out half beside its limit, and returns those that miss it. */
function compareWithLimits(results: readonly Result[]): string[] {
  return quantities.flatMap((quantity) => {
    const figures = figuresOf(results, quantity);
    return Object.entries<number>(limits[quantity]).flatMap(([figure, limit]) => {
      const reached = figures[figure as keyof typeof figures];
      console.log(`${quantity}, ${figure}: ${percent(reached).trim()}, at most ${percent(limit).trim()}`);
      return Math.abs(reached) <= limit ? [] : [`${quantity}, ${figure}`];
    });
  });
}

async function main(): Promise<void> {
  const folder = process.argv[2] ?? defaultFolder;
  if (!existsSync(folder)) throw new Error(`There is no folder ${folder}; name one with models as the argument.`);
  const kept = join(tmpdir(), 'platewise-bench-estimate');
  const sliced = new SlicedCases(kept);
  const shapes = join(kept, 'shapes');
  writeShapes(shapes);
  const profiles = new Profiles([shippedProfiles()]);
  const analyses = new Map<string, FileAnalysis>();
  const results: Result[] = [];
  const refused = new Map<string, Set<string>>();
  for (const one of [...casesOf(folder), ...casesOf(shapes)]) {
    const { model, machine, material, asked, slicer } = one;
    const profile = await profiles.load({ ...machine, material, quality: asked.quality ?? defaultQuality });
    const found = await sliced.of(one, profile);
    if ('refused' in found) {
      const whats = refused.get(`${basename(model)}, ${slicer}: ${found.refused}`) ?? new Set();
      refused.set(`${basename(model)}, ${slicer}: ${found.refused}`, whats.add(one.name));
      continue;
    }
    const analysis = analyses.get(model) ?? plateOf(await analyseFile(model), undefined);
    analyses.set(model, analysis);
    const estimated = estimatePrint(analysis, machine, material, asked, profile, slicer);
    const actual = { hours: found.seconds / 3600, grams: found.grams };
    const errors = { hours: estimated.hours / actual.hours - 1, grams: estimated.grams / actual.grams - 1 };
    results.push({ ...one, estimated, actual, errors });
  }
  for (const [what, settings] of refused) console.log(`not sliced (${settings.size} settings): ${what}`);
  const isDrawn = ({ model }: Result) => model.startsWith(shapes);
  const models = results.filter((result) => !isDrawn(result));
  const heldOut = models.filter(({ model }) => !isForFitting(basename(model)));
  report('Drawn shapes, for fitting', results.filter(isDrawn));
  report(
    'The half of the models for fitting',
    models.filter(({ model }) => isForFitting(basename(model))),
  );
  report('The half that is held out', heldOut);
  const misses = compareWithLimits(heldOut);
  for (const miss of misses) console.log(`MISSED ${miss}`);
  if (misses.length === 0) console.log('All limits are met.');
  process.exitCode = misses.length > 0 ? 1 : 0;
}

void main();
