import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSimulator } from '../../lib/simulators';
import { Database } from '../../lib/store/database';
import { migrate } from '../../lib/store/migrate';
import { platewise } from '../support/program';
import { embeddedPostgresUrl, freePort, rabbitMq, temporaryDirectory } from '../support/servers';

interface Diagnosis {
  ready: boolean;
  checks: { name: string; status: string; detail: string; remedy: string | null }[];
}

async function diagnose(
  environment: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; text: string; diagnosis: Diagnosis }> {
  const unset = { DATABASE_URL: '', AMQP_URL: '', PLATEWISE_DATA: temporaryDirectory('doctor') };
  const { code, stdout, stderr } = await platewise(['doctor', '--json', ...args], { ...unset, ...environment });
  return { code, text: stdout + stderr, diagnosis: JSON.parse(stdout) as Diagnosis };
}

const found = (diagnosis: Diagnosis, name: string) => diagnosis.checks.find((check) => check.name === name);

describe('platewise doctor', () => {
  it('finds no problem on a machine that has only Node.js', async () => {
    const { code, diagnosis } = await diagnose({});
    assert.equal(code, 0, JSON.stringify(diagnosis));
    assert.equal(diagnosis.ready, true);
    assert.equal(found(diagnosis, 'PostgreSQL')?.status, 'ok');
  });

  it('reports whether a database is migrated', async () => {
    const url = await embeddedPostgresUrl();
    const before = await diagnose({ DATABASE_URL: url });
    assert.equal(found(before.diagnosis, 'schema')?.status, 'warning');
    const database = new Database({ connection: { connectionString: url }, onProblem: () => undefined });
    await migrate(database);
    await database.close();
    const after = await diagnose({ DATABASE_URL: url });
    assert.equal(found(after.diagnosis, 'schema')?.status, 'ok', after.text);
    assert.equal(after.code, 0);
  });

  it('reports the state of a broker', async function () {
    const broker = await rabbitMq();
    if ('skip' in broker) {
      console.log(`      skipped: ${broker.skip}`);
      return this.skip();
    }
    const { diagnosis } = await diagnose({ AMQP_URL: broker.url });
    assert.equal(found(diagnosis, 'RabbitMQ')?.status, 'ok');
    assert.match(String(found(diagnosis, 'topology')?.status), /ok|warning/);
  });

  it('names unreachable servers with a remedy, and never a password', async () => {
    const port = await freePort();
    const { code, text, diagnosis } = await diagnose({
      DATABASE_URL: `postgres://someone:secret-one@127.0.0.1:${port}/farm`,
      AMQP_URL: `amqp://someone:secret-two@127.0.0.1:${port}`,
    });
    assert.equal(code, 1);
    assert.equal(diagnosis.ready, false);
    for (const name of ['PostgreSQL', 'RabbitMQ']) {
      assert.equal(found(diagnosis, name)?.status, 'failed');
      assert.ok(found(diagnosis, name)?.remedy);
    }
    assert.doesNotMatch(text, /secret-/);
  });

  it('queries the printers of a flow', async () => {
    const directory = temporaryDirectory('doctor-printers');
    const simulator = await startSimulator('moonraker', { dataDir: join(directory, 'printer'), speed: 60 });
    try {
      const printer = (id: string, port: number | undefined) => ({
        id,
        type: 'elegoo-printer',
        printerId: id,
        host: '127.0.0.1',
        port: `\${DOCTOR_PORT_${port === undefined ? 'NONE' : 'SET'}}`,
      });
      writeFileSync(join(directory, 'flows.json'), JSON.stringify([printer('there', 1), printer('gone', undefined)]));
      const { code, diagnosis } = await diagnose(
        { DOCTOR_PORT_SET: String(simulator.ready.ports['http']), DOCTOR_PORT_NONE: String(await freePort()) },
        '--flows',
        join(directory, 'flows.json'),
      );
      assert.equal(code, 1);
      assert.deepEqual(found(diagnosis, 'printer there')?.detail, '127.0.0.1: idle.');
      assert.equal(found(diagnosis, 'printer gone')?.status, 'failed');
    } finally {
      await simulator.close();
    }
  });

  it('queries a Klipper printer like any other, and reports errors in its form', async () => {
    const directory = temporaryDirectory('doctor-forms');
    const simulator = await startSimulator('moonraker', { dataDir: join(directory, 'printer'), profile: 'modern' });
    const printer = await startSimulator('bambu', { dataDir: join(directory, 'bambu') });
    try {
      const { ports, serial, ca_file: caFile } = printer.ready;
      const klipper = { type: 'klipper-printer', host: '127.0.0.1', port: String(simulator.ready.ports['http']) };
      const reached = { mqttPort: String(ports['mqtt']), ftpsPort: String(ports['ftps']), serial, caFile };
      const bambu = { type: 'bambu-printer', host: '127.0.0.1', ...reached };
      const flow = [
        { id: '1', ...klipper, printerId: 'voron', nozzles: '0.4' },
        { id: '2', ...klipper, printerId: 'comma', nozzles: '0,4' },
        { id: '3', ...bambu, printerId: 'h2c', model: 'O1C2' },
        { id: '4', ...bambu, printerId: 'mini', model: 'N1' },
        { id: '5', ...bambu, printerId: 'h2d', model: 'O1D' },
      ];
      writeFileSync(join(directory, 'flows.json'), JSON.stringify(flow));
      const secrets = ['MINI', 'H2D'].map((id) => [`PLATEWISE_${id}_ACCESS_CODE`, printer.ready.access_code ?? '']);
      const { code, diagnosis } = await diagnose(
        Object.fromEntries(secrets),
        ...['--flows', join(directory, 'flows.json')],
      );
      assert.equal(code, 1);
      const told = (id: string): string => {
        const check = found(diagnosis, `printer ${id}`);
        return `${check?.status}: ${check?.detail} ${check?.remedy ?? ''}`;
      };
      assert.equal(found(diagnosis, 'printer voron')?.status, 'ok');
      assert.match(told('comma'), /failed: .*nozzles is "0,4"/);
      assert.match(told('h2c'), /failed: .*in the air/);
      assert.match(told('mini'), /failed: .*A1 mini.*H2D\. Choose the right model/);
      assert.match(told('h2d'), /ok: 127\.0\.0\.1: Bambu Lab H2D, idle\./);
    } finally {
      await simulator.close();
      await printer.close();
    }
  });

  it('prints its usage and exits with 2 when the arguments are invalid', async () => {
    const { code, stderr } = await platewise(['doctor', '--cure']);
    assert.equal(code, 2);
    assert.match(stderr, /Usage: platewise doctor/);
  });
});
