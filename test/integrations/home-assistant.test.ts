import assert from 'node:assert/strict';
import { type HomeView, homeMessages } from '../../lib/integrations/home-assistant';
import type { PrinterView } from '../../lib/views/shapes';

const printer = (printer_id: string, more: Partial<PrinterView> = {}): PrinterView => ({
  printer_id,
  name: printer_id,
  make: 'moonraker',
  accepts_models: [],
  online: true,
  state: 'printing',
  problem: null,
  remedy: null,
  since: null,
  identity: { ids: {}, status: 'unverified', found: null },
  actions: [],
  job_id: null,
  current_job_id: null,
  job_name: 'part',
  progress: 0.425,
  remaining_minutes: 120,
  time_scale: 60,
  temperatures: [],
  bed: { state: 'occupied', cause: 'attempt', attempt_id: null, version: 1, since: '2026-11-26T00:00:00Z' },
  slots: [],
  ...more,
});
const view = (...printers: PrinterView[]): HomeView => ({ printers, queue: { queued: 7, printing: 2 } });

describe('Messages for Home Assistant', () => {
  it('describe each entity so that its template finds its value', () => {
    const messages = homeMessages(view(printer('elegoo_giga')), 'platewise');
    const states = new Map(
      messages.filter(({ topic }) => topic.endsWith('/state')).map(({ topic, payload }) => [topic, payload]),
    );
    const configurations = messages.filter(({ topic }) => topic.endsWith('/config'));
    assert.equal(configurations.length, 7);
    for (const { topic, payload, retain } of configurations) {
      assert.match(topic, /^homeassistant\/(sensor|binary_sensor)\/[\w-]+\/[\w-]+\/config$/);
      assert.equal(retain, true);
      const { state_topic, value_template } = JSON.parse(payload) as { state_topic: string; value_template: string };
      const state = JSON.parse(states.get(state_topic) ?? assert.fail(state_topic)) as Record<string, unknown>;
      const [, field = ''] = /^\{\{ value_json\.(\w+) \}\}$/.exec(value_template) ?? [];
      assert.ok(field in state, value_template);
    }
    assert.deepEqual(JSON.parse(states.get('platewise/printer_elegoo_giga/state') ?? ''), {
      state: 'printing',
      progress: 43,
      minutes_left: 2,
      job: 'part',
      bed: 'occupied',
    });
    assert.deepEqual(JSON.parse(states.get('platewise/queue/state') ?? ''), { queued: 7, printing: 2 });
  });

  it('keep hostile names out of topics and templates, and keep ids distinct', () => {
    const names = ['a/b', 'a+b', 'a#', '$SYS/x', '../x', '{{ states }}', 'ü', '\u0000', 'a b', 'x'.repeat(50)];
    const messages = homeMessages(
      view(...names.map((name) => printer(name, { name, job_name: `{{ 7*7 }}<script>${'y'.repeat(300)}` }))),
      'platewise',
    );
    for (const { topic, payload } of messages) {
      assert.match(topic, /^[\w/-]+$/);
      const parsed = JSON.parse(payload) as Record<string, unknown>;
      for (const [field, value] of Object.entries(parsed)) {
        if (/template|topic|_id$/.test(field)) assert.match(String(value), /^(\{\{ value_json\.\w+ \}\}|[\w/-]+)$/);
      }
      assert.ok(String(parsed['job'] ?? '').length <= 255);
    }
    const ids = messages.flatMap(({ payload }) => (JSON.parse(payload) as { unique_id?: string }).unique_id ?? []);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, names.length * 5 + 2);
  });
});
