import assert from 'node:assert/strict';
import { runNpm } from '../support/npm';

/** The output of `npm audit --json` (npm 7 and newer): its report, or `message` if the registry did not answer. */
interface AuditReport {
  vulnerabilities?: Record<string, { severity: string }>;
  message?: string;
}

/** The packages with a high or critical advisory, or why the registry reported none. @throws Error npm could not send the query */
function judge(printed: string): { serious: string[] } | { unanswered: string } {
  const { vulnerabilities, message }: AuditReport = JSON.parse(printed);
  if (vulnerabilities) {
    const serious = Object.entries(vulnerabilities).filter(([, { severity }]) => /^(high|critical)$/.test(severity));
    return { serious: serious.map(([name, { severity }]) => `${name}: ${severity}`) };
  }
  if (message !== undefined) return { unanswered: message };
  throw new Error(`npm audit could not query the registry: ${printed}`);
}

describe("The advisories for the package's dependencies", () => {
  it('include none that is high or critical', function () {
    const asked = ['--omit=dev', '--audit-level=high', '--json', '--fetch-retries=0', '--fetch-timeout=60000'];
    const { stdout, stderr, error } = runNpm(process.cwd(), 'audit', ...asked);
    assert.ok(stdout, error?.message ?? stderr);
    const verdict = judge(stdout);
    if ('unanswered' in verdict) {
      // In CI too: nothing that could be installed there would make a registry answer.
      console.log(`      skipped: the registry answers no audit (${verdict.unanswered})`);
      return this.skip();
    }
    assert.deepEqual(verdict.serious, []);
  });

  // Printed by npm 11 for a project with one dependency, with a registry that answers and with one that does not.
  const counts = { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0 };
  const dependencies = { prod: 2, dev: 0, optional: 0, peer: 0, peerOptional: 0, total: 1 };
  const clean = { auditReportVersion: 2, vulnerabilities: {}, metadata: { vulnerabilities: counts, dependencies } };
  const reportOf = (severity: 'moderate' | 'high' | 'critical') => ({
    auditReportVersion: 2,
    vulnerabilities: {
      'somebody-elses': {
        name: 'somebody-elses',
        severity,
        isDirect: true,
        via: [
          {
            source: 1,
            name: 'somebody-elses',
            dependency: 'somebody-elses',
            title: 'An example',
            url: 'https://example.org/advisories/1',
            severity,
            cwe: ['CWE-79'],
            cvss: { score: 0, vectorString: null },
            range: '<1.0.1',
          },
        ],
        effects: [],
        range: '1.0.0',
        nodes: ['node_modules/somebody-elses'],
        fixAvailable: true,
      },
    },
    metadata: { vulnerabilities: { ...counts, [severity]: 1, total: 1 }, dependencies },
  });
  const verdictOn = (report: unknown) => judge(JSON.stringify(report));

  it('would be found in a report', () => {
    assert.deepEqual(verdictOn(clean), { serious: [] });
    assert.deepEqual(verdictOn(reportOf('moderate')), { serious: [] });
    assert.deepEqual(verdictOn(reportOf('high')), { serious: ['somebody-elses: high'] });
    assert.deepEqual(verdictOn(reportOf('critical')), { serious: ['somebody-elses: critical'] });
  });

  it('are not taken as absent if the registry does not answer', () => {
    const message = 'request to http://127.0.0.1:4998/-/npm/v1/security/advisories/bulk failed';
    assert.deepEqual(verdictOn({ message, error: { summary: '', detail: '' } }), { unanswered: message });
    const noLock = { code: 'ENOLOCK', summary: 'This command requires an existing lockfile.', detail: '' };
    assert.throws(() => verdictOn({ error: noLock }), /requires an existing lockfile/);
  });
});
