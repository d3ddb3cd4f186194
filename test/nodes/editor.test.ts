import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { endpoints } from '../../lib/api/endpoints';
import { printerTypeNamed } from '../../lib/makes/registry';
import { currentVersion } from '../../nodes/definition';
import { readCapabilities } from '../../nodes/printer/printer-fields';

const root = process.cwd();
const packageName = '@platewise/node-red-platewise';
const languages = ['en-US', 'de'];
const types = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { 'node-red': { nodes: object } })['node-red'].nodes,
);

/** The registration of an editor file, as far as the tests use it. */
interface EditorDefinition {
  category: string;
  color: string;
  icon: string;
  defaults: Record<string, { value: unknown; validate?: (value: unknown, opt: object) => unknown; type?: string }>;
  credentials?: Record<string, { type: string }>;
  inputs?: number;
  outputs?: number;
  label(): string;
}

const read = (...path: string[]): string => readFileSync(join(root, 'nodes', ...path), 'utf8');
const editorFile = (type: string): string => read(type, `${type}.html`);
const catalogueOf = (type: string, language: string): Record<string, string> =>
  flatten(JSON.parse(read(type, 'locales', language, `${type}.json`)));

function flatten(tree: object, prefix = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([key, value]) =>
      typeof value === 'string' ? { [prefix + key]: value } : flatten(value as object, `${prefix}${key}.`),
    ),
  );
}

function scriptOf(type: string): string {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(editorFile(type))?.[1];
  assert.ok(script, `${type}.html has no script of type text/javascript`);
  return script;
}

/** Runs an editor file as the editor would and returns its registration. */
function register(type: string, translate: (key: string) => string = (key) => key): EditorDefinition {
  const registered: [string, EditorDefinition][] = [];
  const RED = {
    nodes: { registerType: (name: string, definition: EditorDefinition) => registered.push([name, definition]) },
    _: translate,
  };
  const page = createContext({ RED, $: () => ({ length: 0 }) });
  // The further scripts that a page loads, in the order of the editor file.
  for (const [, file] of editorFile(type).matchAll(
    /<script src="resources\/@platewise\/node-red-platewise\/([^"]+)"/g,
  )) {
    runInContext(readFileSync(join(root, 'resources', file ?? ''), 'utf8'), page);
  }
  runInContext(scriptOf(type), page);
  assert.equal(registered.length, 1);
  const [name, definition] = registered[0] as [string, EditorDefinition];
  assert.equal(name, type);
  return definition;
}

/** Every catalogue key that the form and the script use. */
function usedKeys(type: string): string[] {
  const html = editorFile(type);
  const inForm = [...html.matchAll(/data-i18n="([^"]*)"/g)].flatMap(([, keys]) =>
    (keys ?? '').split(';').map((key) => key.replace(/^\[[^\]]*\]/, '')),
  );
  const inScript = [...html.matchAll(/_\('([^']*)'\)/g)].map(([, key]) => (key ?? '').replace(/^.*:/, ''));
  return [...new Set([...inForm, ...inScript])];
}

for (const type of types) {
  describe(`The editor side of ${type}`, () => {
    it('registers the type with a literal object that tools can read without running it', () => {
      assert.match(scriptOf(type), new RegExp(`RED\\.nodes\\.registerType\\('${type}', \\{`));
      for (const property of ['category', 'color', 'icon']) {
        assert.match(scriptOf(type), new RegExp(`^ {4}${property}: '[^']+',$`, 'm'));
      }
      const { category } = register(type);
      assert.equal(category, type === 'print-farm' ? 'config' : 'platewise');
    });

    it('has a form with an input for each property, and none for any other', () => {
      const prefix = type === 'print-farm' ? 'node-config-input-' : 'node-input-';
      const html = editorFile(type);
      assert.ok(html.includes(`data-template-name="${type}"`));
      const { defaults, credentials } = register(type);
      for (const property of [...Object.keys(defaults), ...Object.keys(credentials ?? {})]) {
        // Not for the user: it records which version of the package created the node.
        if (property === 'version') continue;
        assert.ok(html.includes(`id="${prefix}${property}"`), `no input for ${property}`);
        assert.ok(property.length > 1 && !['id', 'type', 'wires', 'inputs', 'outputs'].includes(property), property);
      }
      for (const [, target] of html.matchAll(/<label for="([^"]*)"/g)) {
        assert.ok(html.includes(`id="${target}"`), `the label of ${target} belongs to nothing`);
      }
    });

    it('carries the version of its configuration', () => {
      assert.equal(register(type).defaults['version']?.value, currentVersion);
    });

    it('has a field for its farm, unless it is one', () => {
      assert.equal(register(type).defaults['farm']?.type, type === 'print-farm' ? undefined : 'print-farm');
    });

    it('has the credentials of the runtime side as passwords', () => {
      const runtime = read(type, `${type}.ts`);
      const printerType = printerTypeNamed(type);
      const { credentials = {} } = register(type);
      for (const [name, { type: kind }] of Object.entries(credentials)) {
        assert.equal(kind, 'password');
        assert.match(editorFile(type), new RegExp(`type="password" id="node-(config-)?input-${name}"`));
      }
      const declared = printerType
        ? [printerType.row.secret.credential]
        : [...runtime.matchAll(/(\w+): \{ type: 'password' \}/g)].map(([, name]) => name);
      assert.deepEqual(Object.keys(credentials).sort(), declared.sort());
    });

    it('accepts its own defaults if nothing is required, and explains errors in words', () => {
      const catalogue = catalogueOf(type, 'en-US');
      const translate = (key: string): string => {
        const [namespace, name = ''] = key.split(':');
        assert.equal(namespace, `${packageName}/${type}`);
        return catalogue[name] ?? assert.fail(`${name} is not in the catalogue`);
      };
      const mustBeEntered = ['host', 'serial', 'caFile'];
      for (const [name, { value, validate }] of Object.entries(register(type, translate).defaults)) {
        if (!validate) continue;
        assert.equal(validate.length, 2, `the words of ${name} would not be shown`);
        const verdict = validate.call({}, value, {});
        if (mustBeEntered.includes(name)) assert.equal(typeof verdict, 'string', name);
        else assert.equal(verdict, true, name);
        assert.notEqual(validate.call({}, name === 'caFile' ? '' : 'not / valid', {}), true, name);
      }
    });

    it('has the same texts in each language, and every one that it uses', () => {
      const [first = {}, ...others] = languages.map((language) => catalogueOf(type, language));
      for (const other of others) assert.deepEqual(Object.keys(other), Object.keys(first));
      for (const key of usedKeys(type)) {
        if (key.endsWith('.')) assert.ok(Object.keys(first).some((known) => known.startsWith(key)));
        else assert.ok(first[key], `${key} is not in the catalogue`);
      }
      for (const words of [first, ...others]) {
        for (const [key, text] of Object.entries(words)) assert.ok(text.trim() !== '', `${key} is empty`);
      }
    });

    it('uses every text of its catalogue', () => {
      const used = usedKeys(type);
      for (const key of Object.keys(catalogueOf(type, 'en-US'))) {
        assert.ok(
          used.some((one) => one === key || (one.endsWith('.') && key.startsWith(one))),
          `${key} is not used`,
        );
      }
    });

    it('has help in each language, in the form that the editor shows best', () => {
      const { inputs, outputs } = register(type);
      for (const language of languages) {
        const help = read(type, 'locales', language, `${type}.html`);
        assert.match(help, new RegExp(`^<script type="text/html" data-help-name="${type}">\\s*<p>`));
        const headings = [...help.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, heading]) => heading);
        if (inputs) assert.ok(headings.includes(language === 'de' ? 'Eingangsdaten' : 'Inputs'));
        if (outputs) assert.ok(headings.includes(language === 'de' ? 'Ausgangsdaten' : 'Outputs'));
        assert.ok(headings.includes('Details'));
        assert.match(help, /<dl class="message-properties">/);
        assert.doesNotMatch(help, /<\/?(b|i|em|strong)>/);
        for (const tag of ['p', 'dl', 'dt', 'dd', 'code', 'h3', 'span', 'script']) {
          const opened = help.match(new RegExp(`<${tag}[ >]`, 'g'))?.length;
          assert.equal(opened, help.match(new RegExp(`</${tag}>`, 'g'))?.length, `<${tag}> in ${language}`);
        }
      }
    });

    it('has an icon of its own: white on transparent, 2:3, at least 40 by 60', () => {
      const { icon } = register(type);
      const svg = read(type, 'icons', icon);
      assert.match(svg, /width="40" height="60" viewBox="0 0 40 60"/);
      for (const [, colour] of svg.matchAll(/(?:fill|stroke)="([^"]*)"/g)) assert.match(colour ?? '', /^(none|#fff)$/);
      const owners = types.filter((other) => existsSync(join(root, 'nodes', other, 'icons', icon)));
      assert.deepEqual(owners, [type]);
    });

    it('sets no colours in its form', () => {
      const form = editorFile(type).split('<script type="text/javascript">')[0] ?? '';
      assert.doesNotMatch(form, /(color|background)[^;"]*:(?![^;"]*var\(--red-ui-)/);
    });

    it('keeps its label readable on its colour', () => {
      // Node-RED writes labels in #333 in both themes; WCAG requires 4.5:1 for text.
      const luminance = (hex: string): number => {
        const [r = 0, g = 0, b = 0] = (hex.slice(1).match(/../g) ?? [])
          .map((part) => Number.parseInt(part, 16) / 255)
          .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (luminance(register(type).color) + 0.05) / (luminance('#333333') + 0.05);
      assert.ok(ratio >= 4.5, `${ratio.toFixed(2)}:1`);
    });

    it('is in the built package, with texts, help and icon', () => {
      const built = join(root, 'dist', 'nodes', type);
      for (const file of [`${type}.js`, `${type}.html`, `icons/${register(type).icon}`]) {
        assert.ok(existsSync(join(built, file)), file);
      }
      for (const language of languages) {
        assert.deepEqual(readdirSync(join(built, 'locales', language)).sort(), [`${type}.html`, `${type}.json`]);
      }
    });
  });
}

describe('The capability fields of a printer form', () => {
  const printers = types.filter((type) => type.endsWith('-printer'));
  const verdict = (type: string, field: string, value: unknown): unknown =>
    register(type).defaults[field]?.validate?.call({}, value, {});
  const fields: Record<string, { good: unknown[]; bad: unknown[] }> = {
    nozzles: { good: ['', undefined, '0.4', '0.4, 0.6', `\${NOZZLES}`], bad: ['0,4', 'big', '0.4, -1'] },
    nozzleChoices: { good: ['', undefined, '0.6 0.8'], bad: ['0,8'] },
    slots: { good: ['', undefined, 'ams0-0, ams1-0=1', 'extruder'], bad: ['a, a', 'a=16', 'a=b', 'two words'] },
    materials: { good: ['', undefined, 'PLA, PA-CF'], bad: ['<b>', 'PLA, 1'] },
    maxNozzleTemperature: { good: ['', undefined, '300'], bad: ['30', 'hot'] },
    maxBedTemperature: { good: ['', undefined, '110'], bad: ['300', 'warm'] },
    maxChamberTemperature: { good: ['', undefined, '65'], bad: ['300', 'warm'] },
    allowedMacros: { good: ['', undefined, 'LINE_PURGE, _clean'], bad: ['G1 X9000', 'M112;', '9'] },
    toolVolumes: { good: ['', '25,0,0-350,320,325; -5,0,0-325,320,320'], bad: ['0,0-1,1', '9,0,0-1,1,1', ';'] },
    bedExclusions: { good: ['', 'none', '0,0-18,28; 153, 235 - 216, 256'], bad: ['0,0-18', '18,0-0,28', 'no'] },
  };
  /** Macros belong to Klipper, and an Artisan has no heated chamber. */
  const without: Record<string, string[]> = {
    'bambu-printer': ['allowedMacros'],
    'snapmaker-printer': ['allowedMacros', 'maxChamberTemperature'],
  };
  for (const type of printers) {
    it(`accept the same values as the server: ${type}`, () => {
      for (const [field, { good, bad }] of Object.entries(fields)) {
        if (register(type).defaults[field] === undefined && (without[type] ?? []).includes(field)) continue;
        for (const value of good) assert.equal(verdict(type, field, value), true, `${field} ${value}`);
        for (const value of bad) assert.equal(typeof verdict(type, field, value), 'string', `${field} ${value}`);
        for (const value of [...good, ...bad].filter((one) => !String(one).startsWith('$'))) {
          const read = (): unknown => readCapabilities({ [field]: value }, () => 0);
          if (good.includes(value)) assert.doesNotThrow(read, `${field} ${value}`);
          else assert.throws(read, `${field} ${value}`);
        }
      }
    });
  }
});

describe('The choices of the editor', () => {
  const optionsOf = (type: string): string[] =>
    [...editorFile(type).matchAll(/<option value="([^"]*)"/g)].map(([, value]) => value ?? '');
  it('are the questions that queue-status answers', () => {
    assert.deepEqual(
      optionsOf('queue-status').sort(),
      [...endpoints.flatMap(({ question }) => question?.name ?? []), 'queue-changes', 'home-assistant'].sort(),
    );
  });

  it('are the actions that job-control supports, and one that lets the message choose', () => {
    assert.deepEqual(
      optionsOf('job-control').sort(),
      ['', ...endpoints.flatMap(({ action }) => action?.name ?? [])].sort(),
    );
  });

  it('are the events that status-bus distinguishes', () => {
    assert.deepEqual(optionsOf('status-bus'), ['all', 'job', 'bed', 'low_stock', 'attention', 'changed']);
  });
});
