import assert from 'node:assert/strict';
import { endpoints } from '../../lib/api/endpoints';
import { describeApi } from '../../lib/api/openapi';
import {
  parseBedClear,
  parseClosure,
  parseJobChange,
  parseJobSubmission,
  parseMaterialChange,
  parseNewMaterial,
  parseNewSpool,
  parseOutcomeAnswer,
  parsePriorityChange,
  parseReassignment,
  parseSetupDone,
  parseSlotChange,
  parseSpoolChange,
  parseWhatIf,
} from '../../lib/contracts/messages';
import { ApiDescription } from '../support/api-description';

const described = new ApiDescription();
describe('The description of the API', () => {
  it('matches the table of endpoints', () => {
    assert.deepEqual(described.document, JSON.parse(JSON.stringify(describeApi(endpoints))), 'run npm run build');
  });

  it('names every operation once, and lists its possible errors', () => {
    const ids = described.operations().map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { path, operation } of described.operations()) {
      const statuses = Object.keys(operation.responses);
      assert.ok(statuses.includes('503'), path);
      if (path === '/health') assert.deepEqual(operation.security, []);
      else assert.ok(statuses.includes('401') && statuses.includes('403'), path);
      if (path.includes('{')) assert.ok(statuses.includes('404'), path);
    }
  });

  it('has no dangling reference', () => {
    const text = JSON.stringify(described.document);
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#([^"]+)"/g)) {
      let found: unknown = described.document;
      for (const part of pointer.split('/').slice(1)) found = (found as Record<string, unknown> | undefined)?.[part];
      assert.ok(found !== undefined, pointer);
    }
  });

  const uuid = '8b0f7c1e-5d2a-4c3b-9e4f-0a1b2c3d4e5f';
  const silk = {
    ...{ material_id: 'pla_silk', name: 'Silk', type: 'PLA', colour: 'gold', colour_hex: 'D4AF37', brand: 'eSUN' },
    ...{ density_g_cm3: 1.25, usd_per_kg: 24.5, nozzle_temp: 215, bed_temp: 60 },
  };
  const parsers: [string, string, (input: unknown) => unknown, object[]][] = [
    [
      'POST',
      '/jobs',
      parseJobSubmission,
      [
        { job_name: 'a', stl_path: 'b', material_id: 'c' },
        { job_name: '', stl_path: 'b', material_id: 'c' },
        { job_name: 'a', stl_path: 'b', material_id: 'c', copies: 0 },
        { job_name: 'a', stl_path: 'b', material_id: 'c', depends_on: [uuid], hold: true, deadline_at: null },
        { job_name: 'a', stl_path: 'b', material_id: 'c', deadline_at: 'soon' },
        { job_name: 'a', stl_path: 'b', material_id: 'c', print_settings: { infill: 101 } },
        { job_name: 'a', stl_path: 'b', material_id: 'c', colour: 'red' },
      ],
    ],
    ['PATCH', '/jobs/{id}/priority', parsePriorityChange, [{ priority: 1 }, { priority: 0 }, { priority: 2.5 }, {}]],
    [
      'PATCH',
      '/jobs/{id}',
      parseJobChange,
      [
        { depends_on: [] },
        { deadline_at: null, not_before: '2026-11-25T00:00:00Z', copies: 3, priority: 1, job_name: 'a' },
        { copies: 0 },
        { plate_sharing: 'jobs' },
        {},
      ],
    ],
    [
      'PATCH',
      '/jobs/{id}/printer',
      parseReassignment,
      [{ force_printer: null }, { force_printer: 'a' }, { force_printer: '' }, {}],
    ],
    ['POST', '/printers/{id}/bed/clear', parseBedClear, [{}, { bed_version: 3 }, { bed_version: -1 }, { version: 3 }]],
    ['POST', '/attempts/{id}/outcome', parseOutcomeAnswer, [{ printed: true }, { printed: 'yes' }, {}]],
    ['POST', '/spools', parseNewSpool, [{ material_id: 'a', grams: 5 }, { material_id: 'a', grams: 0 }, { grams: 5 }]],
    [
      'PATCH',
      '/spools/{id}',
      parseSpoolChange,
      [
        { grams_left: 5 },
        { gross_grams: 900, tare_grams: 200 },
        { gross_grams: 900 },
        { grams_left: 5, gross_grams: 900, tare_grams: 200 },
        {},
      ],
    ],
    ['POST', '/materials', parseNewMaterial, [silk, { ...silk, colour_hex: 'gold' }, { material_id: 'a' }]],
    [
      'PATCH',
      '/materials/{id}',
      parseMaterialChange,
      [{ usd_per_kg: 3 }, { bed_temp: 60.5 }, { material_id: 'b' }, {}],
    ],
    [
      'PUT',
      '/printers/{id}/slots/{slot}',
      parseSlotChange,
      [{ spool_id: null }, { spool_id: uuid }, { spool_id: 'x' }, {}],
    ],
    [
      'POST',
      '/printers/{id}/closures',
      parseClosure,
      [
        { from: '2026-11-25T00:00:00Z', until: '2026-11-26T00:00:00Z', reason: 'oil' },
        { from: 'now', until: 'later', reason: 'oil' },
        {},
      ],
    ],
    ['POST', '/setups/{id}/done', parseSetupDone, [{}, { spool_id: uuid }, { spool_id: null }]],
    [
      'POST',
      '/what-if',
      parseWhatIf,
      [
        {},
        { jobs: [{ like: uuid }] },
        { jobs: [{ hours: 0 }] },
        { operator_hours: '08:00-20:00' },
        { operator_hours: '8-20' },
        { printers_down: ['a'] },
        { spools: [{ material_id: 'a' }] },
      ],
    ],
  ];
  for (const [method, path, parse, bodies] of parsers) {
    it(`accepts and rejects the same bodies as the code: ${method} ${path}`, () => {
      const verdicts = bodies.map((body) => {
        let taken = true;
        try {
          parse(structuredClone(body));
        } catch {
          taken = false;
        }
        assert.equal(described.problemsOfRequest(method, path, body).length === 0, taken, JSON.stringify(body));
        return taken;
      });
      assert.ok(verdicts.includes(true) && verdicts.includes(false), 'both kinds are tried');
    });
  }
});
