import { deepStrictEqual } from 'node:assert';
import { subjects } from '../subjects';
import { scenarios } from './scenarios';
import { publishedTable } from './table';

describe('the table of the conformance suite', () => {
  it('has every scenario and every driver, and nothing else', () => {
    const { columns, rows } = publishedTable();
    deepStrictEqual(
      columns,
      subjects.map((subject) => subject.title),
    );
    deepStrictEqual(
      [...rows.keys()],
      scenarios.map((scenario) => scenario.name),
    );
  });
});
