import assert from 'node:assert/strict';
import { fixture } from '../fixtures';
import { readPrometheusText, type Sample } from '../support/prometheus-text';
import { RealFarm } from '../support/real-farm';

const hostile = 'x"} 1\nplatewise_jobs{status="queued"} 99\n# ';

describe('The Prometheus metrics', () => {
  const farm = new RealFarm();
  before(() => farm.start({ SIM_SPEED: '240' }));
  after(() => farm.kill9());

  const scrape = async (): Promise<{ text: string; samples: Sample[] }> => {
    const response = await fetch(`${farm.url}/api/fabrication/metrics`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; .*version=0\.0\.4/);
    const text = await response.text();
    return { text, samples: readPrometheusText(text) };
  };
  const figure = (samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined =>
    samples.find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )?.value;

  it('count what the farm has and does, without names and ids', async () => {
    const path = await farm.upload(fixture('models', '20mm-xyz-cube.stl'));
    const printed = await farm.submit({ job_name: hostile, stl_path: path, material_id: 'pla_black_esun' });
    const held = await farm.submit({ job_name: hostile, stl_path: path, material_id: 'pla_black_esun', hold: true });
    await farm.until(printed, (job) => job['status'] === 'completed', 120_000);
    await farm.api(`/jobs/${held}`);
    await farm.api('/jobs/nothing');
    const { body: plan } = await farm.api<{ alerts: unknown[] }>('/plan');

    const { text, samples } = await scrape();
    assert.equal(figure(samples, 'platewise_jobs', { status: 'completed' }), 1);
    assert.equal(figure(samples, 'platewise_jobs', { status: 'queued' }), 1);
    assert.equal(figure(samples, 'platewise_jobs', { status: 'failed' }), 0);
    const printers = samples.filter(({ name }) => name === 'platewise_printers');
    assert.equal(
      printers.reduce((sum, { value }) => sum + value, 0),
      3,
    );
    assert.equal(figure(samples, 'platewise_attempts_ended_total', { outcome: 'completed' }), 1);
    assert.equal(figure(samples, 'platewise_dead_letters'), 0);
    assert.equal(figure(samples, 'platewise_deadlines_at_risk'), plan.alerts.length);
    assert.ok((figure(samples, 'platewise_plan_age_seconds') ?? -1) >= 0);
    assert.ok((figure(samples, 'platewise_outbox_oldest_seconds') ?? -1) >= 0);
    assert.ok(Number(figure(samples, 'process_resident_memory_bytes')) > 0);

    const requests = 'platewise_http_request_duration_seconds_count';
    const asked = { method: 'GET', route: '/api/fabrication/jobs/:id' };
    assert.ok(Number(figure(samples, requests, { ...asked, status: '200' })) >= 1);
    assert.equal(figure(samples, requests, { ...asked, status: '404' }), 1);
    for (const { labels } of samples) {
      for (const label of Object.keys(labels)) {
        assert.match(
          label,
          /^(status|state|outcome|quantile|kind|method|route|le|type|space|version|major|minor|patch)$/,
        );
      }
    }
    assert.doesNotMatch(text, /[0-9a-f]{8}-[0-9a-f]{4}-/);
    assert.ok(!text.includes('platewise_jobs{status="queued"} 99'));
  });

  it('report waiting work', async () => {
    await farm.api('/printers/elegoo_giga/closures', {
      method: 'POST',
      json: { from: new Date().toISOString(), until: '2100-01-01T00:00:00Z', reason: 'test' },
    });
    await farm.submit({
      job_name: 'waits',
      stl_path: await farm.upload(fixture('models', '20mm-xyz-cube.stl')),
      material_id: 'pla_black_esun',
      force_printer: 'elegoo_giga',
    });
    const { samples } = await scrape();
    const waited = ['0.5', '0.9', '1'].map((quantile) => figure(samples, 'platewise_queue_wait_seconds', { quantile }));
    for (const seconds of waited) assert.ok(Number(seconds) > 0, String(seconds));
  });
});
