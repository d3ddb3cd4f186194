import { strict as assert } from 'node:assert';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TruthEvent, TruthLog } from '../../lib/simulators/truth-log';

const event = (name: TruthEvent['event']): TruthEvent => ({
  event: name,
  file_name: 'a.gcode',
  sha256: '',
  size: 1,
  identity: {},
  bed: 'clear',
});

describe('truth log of the simulators', () => {
  let folder: string;
  let path: string;
  const logs: TruthLog[] = [];

  const open = (): TruthLog => {
    const log = new TruthLog(path);
    logs.push(log);
    return log;
  };
  const names = (): string[] =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => (JSON.parse(line) as TruthEvent).event);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'platewise-truth-'));
    path = join(folder, 'truth.jsonl');
  });

  afterEach(() => {
    for (const log of logs.splice(0)) log.close();
    rmSync(folder, { recursive: true });
  });

  it('writes an event that a kill kept from the log, and none twice', () => {
    const before = open();
    before.note(event('start'));
    before.flush();
    before.note(event('started'));
    const stored = JSON.parse(JSON.stringify(before.pending)) as typeof before.pending;
    assert.deepEqual(names(), ['start']);

    open().restore(stored);
    assert.deepEqual(names(), ['start', 'started']);
    const later = open();
    later.restore(stored);
    later.note(event('finished'));
    later.flush();
    assert.deepEqual(names(), ['start', 'started', 'finished']);
  });

  it('continues after a truncated line', () => {
    const before = open();
    before.note(event('start'));
    before.note(event('started'));
    before.flush();
    appendFileSync(path, '{"at":"2026-01-01T');
    const after = open();
    after.note(event('finished'));
    after.flush();
    assert.deepEqual(names(), ['start', 'started', 'finished']);
    const last = JSON.parse(readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '') as { seq: number };
    assert.equal(last.seq, 3);
  });
});
