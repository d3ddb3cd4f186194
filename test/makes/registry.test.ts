import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { makeRows, printerTypeNamed } from '../../lib/makes/registry';
import { makeTraits } from '../../lib/makes/traits';
import { makes } from '../../lib/model/printer';
import { simulatedMakes } from '../../lib/simulators';
import { packageDirectory } from '../fixtures';

const root = packageDirectory(__dirname);

/** The places that may name a make: its own folders, and the lists with one line per make. */
const homes = [
  ...makes.flatMap((make) => [`lib/makes/${make}/`, `lib/simulators/${make}/`, `nodes/${make}-printer/`]),
  'lib/makes/registry.ts',
  'lib/makes/traits.ts',
  'lib/model/printer.ts',
  'lib/simulators/registry.ts',
];

/** The files that must name one anyway, each with its reason. */
const allowed: Readonly<Record<string, string>> = {
  'lib/files/analysis.ts': 'the dialect of a 3MF: Bambu Studio’s or PrusaSlicer’s, whatever it is printed on',
  'lib/files/clean-project.ts': 'the same dialect',
  'lib/files/modifier-settings.ts': 'the same dialect',
  'lib/files/project.ts': 'the same dialect',
  'lib/slicing/orca-slicer.ts': 'the dialect that this slicer reads',
  'lib/files/slicer-endings.ts': 'the name of a slicer: Snapmaker Luban',
  'lib/simulators/tool-use.ts': 'a dialect of G-code that a simulated firmware reads',
  'scripts/demo-printers.mjs': 'the printers of the demonstration, one of each make',
};

const literal = new RegExp(`(['"\`])(?:${makes.join('|')})\\1`);

/** The matching sources outside the makes' own folders, with forward slashes. */
function strangers(pattern: RegExp): string[] {
  return ['lib', 'nodes', 'bin', 'plugins', 'scripts']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !homes.some((home) => path.startsWith(home)))
    .filter((path) => pattern.test(readFileSync(join(root, path), 'utf8')))
    .sort();
}

describe('the makes', () => {
  for (const make of makes) {
    it(`have a complete row each: ${make}`, () => {
      const row = makeRows[make];
      assert.equal(row.make, make);
      assert.equal(row.traits, makeTraits[make]);
      assert.ok(row.traits.printFile.extension.endsWith(row.traits.printFile.form === 'gcode' ? 'gcode' : '3mf'));
      for (const { type, fallback } of row.nodeTypes) {
        assert.equal(printerTypeNamed(type)?.row, row);
        assert.equal(printerTypeNamed(type)?.fallback, fallback);
        const form = readFileSync(join(root, 'nodes', type, `${type}.html`), 'utf8');
        for (const name of [...row.fields.map((field) => field.name), row.secret.credential]) {
          assert.match(form, new RegExp(`id="node-input-${name}"`), `the form of ${type} has no ${name}`);
        }
      }
      assert.ok(Object.hasOwn(simulatedMakes, make), 'there is no simulator');
    });
  }

  it('are named in literals only in their own folders, and in the listed exceptions', () => {
    const found = strangers(literal);
    assert.deepEqual(
      found.filter((path) => !(path in allowed)),
      [],
      'use a trait (lib/makes/<make>/traits.ts) or the row of the make (lib/makes/<make>/make.ts)',
    );
  });

  it('are not mentioned in other files either, if the word is unambiguous: Snapmaker', () => {
    assert.deepEqual(
      strangers(/snapmaker/i).filter((path) => !(path in allowed)),
      [],
    );
  });

  it('are named in every listed exception', () => {
    const found = new Set([...strangers(literal), ...strangers(/snapmaker/i)]);
    assert.deepEqual(
      Object.keys(allowed).filter((path) => !found.has(path)),
      [],
    );
  });

  it('have no node type that is not registered', () => {
    const { 'node-red': registered } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const printers = Object.keys(registered.nodes).filter((type) => type.endsWith('-printer'));
    const known = Object.values(makeRows).flatMap(({ nodeTypes }) => nodeTypes.map(({ type }) => type));
    assert.deepEqual(printers.sort(), known.sort());
  });
});
