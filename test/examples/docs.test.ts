import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

function sources(directory: string): string {
  return readdirSync(directory, { withFileTypes: true })
    .map((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return entry.name === 'de' ? '' : sources(path);
      return /\.(ts|json|sql|html)$/.test(entry.name) ? read(path) : '';
    })
    .join('\n');
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync('docs').map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('The documents', () => {
  it('contain no dead links', () => {
    for (const page of pages) {
      for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:|^\/|^http/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        assert.ok(existsSync(file), `${page}: ${target}`);
        if (anchor !== undefined) assert.ok(anchorsOf(file).includes(anchor), `${page}: ${target}`);
      }
    }
  });

  it('name paths that are there', () => {
    for (const page of pages) {
      // The changelog also names what an earlier version had.
      if (page === 'CHANGELOG.md') continue;
      for (const [, path = ''] of read(page).matchAll(/`((?:lib|nodes|test|scripts|examples|migrations)\/[^`\s]*)`/g)) {
        if (/[*<>{}…]/.test(path) || path.startsWith('test/generated')) continue;
        assert.ok(existsSync(path), `${page}: ${path}`);
      }
    }
  });

  it('contain valid JSON examples', () => {
    for (const page of pages) {
      for (const [, json = ''] of read(page).matchAll(/^```json\n([\s\S]*?)^```/gm)) {
        assert.doesNotThrow(() => JSON.parse(json), `${page}: ${json.slice(0, 80)}`);
      }
    }
  });

  it('describe each node', () => {
    const { 'node-red': nodeRed } = JSON.parse(read('package.json')) as { 'node-red': { nodes: object } };
    const headings = [...read('docs', 'flows.md').matchAll(/^## (.+)$/gm)].flatMap(([, heading = '']) =>
      heading.split(', '),
    );
    for (const type of Object.keys(nodeRed.nodes)) assert.ok(headings.includes(type), type);
  });

  it('quote in troubleshooting what the product really shows', () => {
    const shown = `${sources('lib')}\n${sources('nodes')}`;
    const quoted = [...read('docs', 'troubleshooting.md').matchAll(/^\|[^|"]*"([^"|]+)"/gm)];
    assert.ok(quoted.length > 30);
    for (const [, words = ''] of quoted) {
      // Names and numbers replace the dots.
      for (const part of words.split('…').map((one) => one.trim())) {
        if (part.length > 1) assert.ok(shown.includes(part), `"${part}" of "${words}"`);
      }
    }
  });
});
