import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptPhases, phaseGraph } from '../../lib/model/attempt';
import { isTerminal, type JobStatus, jobStatuses, statusGraph } from '../../lib/model/status';
import type { Database } from '../../lib/store/database';
import { packageDirectory } from '../fixtures';
import { freshDatabase } from '../support/fresh-database';
import { databases } from '../support/servers';

const architecture = readFileSync(join(packageDirectory(__dirname), 'docs', 'architecture.md'), 'utf8');

/** The first Mermaid diagram below a heading of docs/architecture.md. */
function diagram(heading: string): string {
  const section = architecture.split(`\n${heading}\n`)[1] ?? '';
  return /```mermaid\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
}

const edgesOf = (graph: Readonly<Record<string, readonly string[]>>): string[] =>
  Object.entries(graph).flatMap(([from, next]) => next.map((to) => `${from} --> ${to}`));

/** The transitions that a diagram draws, without its beginning and end. */
const drawn = (heading: string): string[] =>
  [...diagram(heading).matchAll(/^ +(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} --> ${to}`);

const sorted = (edges: Iterable<string>): string[] => [...new Set(edges)].sort();

describe('The diagrams of docs/architecture.md', () => {
  it('show the statuses of a job, with the transitions that the text below adds', () => {
    const open = jobStatuses.filter((status) => !isTerminal(status));
    // From every open status a job may fail or be cancelled; a job of several copies may step back.
    const added = open.flatMap((from, index) =>
      (['failed', 'cancelled', ...open.slice(1, Math.max(1, index))] as JobStatus[]).map((to) => `${from} --> ${to}`),
    );
    assert.ok(drawn('### A job').length > 10);
    assert.deepEqual(sorted([...drawn('### A job'), ...added]), sorted(edgesOf(statusGraph)));
  });

  it('show the phases of an attempt, with the transitions that the text below adds', () => {
    const added = [
      // An attempt may end in every phase.
      ...attemptPhases.filter((phase) => phase !== 'ended').map((phase) => `${phase} --> ended`),
      // After a restore of the database.
      ...['claimed', 'preparing', 'uploading'].map((phase) => `${phase} --> outcome_unknown`),
    ];
    assert.ok(drawn('### An attempt').length > 10);
    assert.deepEqual(sorted([...drawn('### An attempt'), ...added]), sorted(edgesOf(phaseGraph)));
  });

  describe('show the relations of the tables', () => {
    let database: Database;
    let drop: () => Promise<void>;
    before(async () => {
      const [first] = databases();
      ({ database, drop } = await freshDatabase(await (first as NonNullable<typeof first>).connection()));
    });
    after(() => drop());

    it('as the foreign keys of the schema are, with their cardinalities', async () => {
      const { rows } = await database.query<{ child: string; parent: string; optional: boolean; single: boolean }>(
        `SELECT c.relname AS child, p.relname AS parent,
           (SELECT bool_or(NOT a.attnotnull) FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) AS optional,
           EXISTS (SELECT 1 FROM pg_constraint u WHERE u.conrelid = k.conrelid AND u.contype IN ('p', 'u') AND u.conkey <@ k.conkey) AS single
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
         WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace`,
      );
      const keys = rows.map(
        ({ child, parent, optional, single }) =>
          `${parent} ${optional ? '|o' : '||'}--${single ? 'o|' : 'o{'} ${child}`,
      );
      const lines = [...diagram('## Schema').matchAll(/^ +(\w+ \S+ \w+) :/gm)].map(([, relation = '']) => relation);
      // The rows of `print_outcomes` outlive their attempts, so that there is no foreign key.
      const outlived = 'print_attempts |o--o| print_outcomes';
      assert.ok(lines.includes(outlived));
      // Both sides of a bed are optional and single, so that either may stand first.
      const bed = (relation: string): string =>
        relation.replace('print_attempts |o--o| printers', 'printers |o--o| print_attempts');
      assert.deepEqual(sorted(lines.filter((line) => line !== outlived)), sorted(keys.map(bed)));
    });

    it('and name every table', async () => {
      const { rows } = await database.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`,
      );
      const section = (architecture.split('\n## Schema\n')[1] ?? '').split('\n## ')[0] ?? '';
      const named = new Set(section.match(/\w+/g));
      assert.deepEqual(
        rows.map(({ name }) => name).filter((name) => !named.has(name)),
        [],
      );
    });
  });
});
