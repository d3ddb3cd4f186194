import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, createReadStream, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backUp } from '../../lib/farm/backup';
import { BackupError, type BackupManifest } from '../../lib/farm/backup-format';
import type { Farm } from '../../lib/farm/farm';
import { createKey, listKeys } from '../../lib/farm/keys';
import { LocalFileStore } from '../../lib/files/file-store';
import { submitJob } from '../../lib/jobs/submit';
import { relayLock } from '../../lib/services/relay';
import { restore } from '../../lib/services/restore';
import { storeFile } from '../../lib/shared-files/take-file';
import { migrationsOf, sequencesOf, tablesOf } from '../../lib/store/copy';
import { Database } from '../../lib/store/database';
import { findJob } from '../../lib/store/jobs';
import { knownMigrations, migrate, SchemaTooNewError } from '../../lib/store/migrate';
import { allPrinters } from '../../lib/store/printers';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import { addDefaultFarm } from '../support/default-farm';
import { writeBox } from '../support/models';
import { OwnDatabase } from '../support/own-database';
import { platewise } from '../support/program';
import { embeddedPostgres, temporaryDirectory } from '../support/servers';
import { bringAttemptTo, bringJobTo } from '../support/stages';

const actor = 'test';
/** A name with line separators where only a line feed should end a line. */
const oddName = 'part "ü"\u2028\t\\ \u{1F9E9}';

describe('A backup of the farm', () => {
  let farm: Farm;
  let directory: string;
  let target: Database;
  let files: LocalFileStore;
  before(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
    await createKey(farm.database, 'shop', 'submit');
    const model = writeBox(join(temporaryDirectory('model'), 'box.stl'), 10, 10, 10);
    const { stl_path } = await storeFile(farm, createReadStream(model), 'box.stl');
    await submitJob(farm, { job_name: oddName, stl_path, material_id: 'pla_black_esun' }, actor);
    const job = await addJob(farm, 'printing part');
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot) VALUES ($1, 1, 'elegoo_giga', 'part', 'extruder')
       RETURNING id`,
      [job],
    );
    await bringJobTo(farm.database, job, 'printing');
    await bringAttemptTo(farm.database, rows[0]?.id ?? '', 'printing');
    // A poison message may be any JSON.
    for (const message of ['null', '"text"', '[]', '{"a": null}']) {
      await farm.database.query('INSERT INTO dead_letters (message, reason) VALUES ($1, $2)', [message, 'poison']);
    }
  });
  after(() => dropFarm(farm));

  beforeEach(async () => {
    directory = join(temporaryDirectory('backup'), 'made');
    const connection = await embeddedPostgres();
    const schema = `test_${randomUUID().replaceAll('-', '')}`;
    target = new Database({ connection, schema, onProblem: () => undefined });
    files = new LocalFileStore(join(temporaryDirectory('restored'), 'files'));
  });
  afterEach(async () => {
    await target.query(`DROP SCHEMA IF EXISTS ${target.schema} CASCADE`);
    const { rows } = await target.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
      `${target.schema}_restoring`,
    ]);
    await target.close();
    assert.deepEqual(rows, [], 'nothing is left over');
  });

  const into = (more: { replace?: boolean } = {}) =>
    restore(target, files, directory, { replace: false, actor, ...more });
  const manifest = (): BackupManifest =>
    JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as BackupManifest;
  const code = (expected: BackupError['code']) => (error: unknown) =>
    error instanceof BackupError && error.code === expected;
  const rowsOf = async (database: Database, table: string): Promise<string[]> =>
    (await database.query<{ line: string }>(`SELECT row_to_json(t)::text AS line FROM ${table} t`)).rows
      .map(({ line }) => line)
      .sort();

  it('restores everything, and trusts no running attempt', async () => {
    const made = await backUp(farm.database, farm.files, directory);
    assert.equal(made.files, 1);
    const done = await into();
    assert.deepEqual([done.files, done.outcomeUnknown, done.held, done.beds], [1, 1, 1, 3]);
    const changed = ['printers', 'print_jobs', 'print_attempts', 'outbox', 'job_status_history', 'farm', 'farm_marks'];
    const tables = await tablesOf(farm.database);
    assert.deepEqual(await tablesOf(target), tables);
    for (const table of tables.filter((name) => !changed.includes(name))) {
      assert.deepEqual(await rowsOf(target, table), await rowsOf(farm.database, table), table);
    }
    assert.deepEqual(await migrationsOf(target), await migrationsOf(farm.database));
    assert.equal((await listKeys(target))[0]?.name, 'shop');
    const { rows } = await target.query<{ id: string; sha256: string }>(
      'SELECT id, model_sha256 AS sha256 FROM print_jobs WHERE job_name = $1',
      [oddName],
    );
    const [job] = rows;
    assert.ok(job);
    assert.equal((await findJob(target, job.id)).status, 'queued');
    const path = files.pathOf(job.sha256, '.stl');
    assert.equal(await files.hash(path), job.sha256);
    assert.ok((await allPrinters(target)).every(({ bedCause }) => bedCause === 'unknown'));
    const farmId = async (database: Database) => (await database.query('SELECT id FROM farm')).rows;
    assert.deepEqual(await farmId(target), await farmId(farm.database));
    // Sequences continue with unused numbers, and references are checked as before.
    const [before, now] = [await sequencesOf(farm.database), await sequencesOf(target)];
    for (const [name, last] of Object.entries(before)) assert.ok((now[name] ?? 0) >= last, name);
    await assert.rejects(target.query(`UPDATE print_jobs SET material_id = 'none'`), /foreign key/);
    await assert.rejects(target.query(`UPDATE print_jobs SET status = 'completed'`), /cannot go from/);
    const guards = async (database: Database) =>
      (
        await database.query(
          `SELECT conname AS name, condeferrable::text AS how FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
           UNION ALL SELECT tgname, tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal
           ORDER BY 1, 2`,
        )
      ).rows;
    assert.deepEqual(await guards(target), await guards(farm.database));
  });

  it('is readable by its user alone, and contains no key', async () => {
    const { key } = await createKey(farm.database, 'other', 'read');
    await backUp(farm.database, farm.files, directory);
    const names = readdirSync(directory, { recursive: true, withFileTypes: true });
    for (const entry of names) {
      const path = join(entry.parentPath, entry.name);
      assert.equal(statSync(path).mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, path);
      if (entry.isFile()) assert.ok(!readFileSync(path).includes(key), path);
    }
    assert.equal(names.filter((entry) => entry.isFile()).length, manifest().parts.length + 1);
  });

  it('is written only to a new directory', async () => {
    await backUp(farm.database, farm.files, directory);
    await assert.rejects(backUp(farm.database, farm.files, directory), code('backup_exists'));
  });

  it('is not made of a database without a farm', async () => {
    await assert.rejects(backUp(target, files, directory), code('database_empty'));
  });

  const damages: Record<string, () => void> = {
    'a table with an extra line': () => appendFileSync(join(directory, 'database', 'materials.jsonl'), '{}\n'),
    'a table with a changed byte': () => {
      const path = join(directory, 'database', 'print_jobs.jsonl');
      writeFileSync(path, readFileSync(path, 'utf8').replace('printing part', 'printing pary'));
    },
    'a missing table': () => rmSync(join(directory, 'database', 'printers.jsonl')),
    'a table that the manifest does not name': () => {
      const { parts, ...rest } = manifest();
      const others = parts.filter(({ path }) => path !== 'database/spools.jsonl');
      writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ ...rest, parts: others }));
    },
    'a truncated stored file': () => {
      const [name = ''] = readdirSync(join(directory, 'files'));
      writeFileSync(join(directory, 'files', name), readFileSync(join(directory, 'files', name)).subarray(1));
    },
    'an incomplete manifest': () => {
      const text = readFileSync(join(directory, 'manifest.json'), 'utf8');
      writeFileSync(join(directory, 'manifest.json'), text.slice(0, text.length / 2));
    },
    'no manifest': () => rmSync(join(directory, 'manifest.json')),
    'a path outside the backup': () => {
      const { parts, ...rest } = manifest();
      const [first, ...others] = parts;
      const led = { ...first, path: '../database/materials.jsonl' };
      writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ ...rest, parts: [led, ...others] }));
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(`is rejected with ${name}, and nothing is changed`, async () => {
      await backUp(farm.database, farm.files, directory);
      damage();
      await migrate(target);
      await addDefaultFarm(target);
      await target.query(`UPDATE materials SET name = 'mine'`);
      const before = await rowsOf(target, 'materials');
      await assert.rejects(into({ replace: true }), code('backup_damaged'));
      assert.deepEqual(await rowsOf(target, 'materials'), before);
      for await (const { path } of files.list()) assert.fail(path);
    });
  }

  it('replaces the contents of the database only with the explicit option', async () => {
    await backUp(farm.database, farm.files, directory);
    await migrate(target);
    await addDefaultFarm(target);
    await target.query(`UPDATE materials SET name = 'mine'`);
    await target.query('CREATE TABLE of_a_newer_version (id INT)');
    await assert.rejects(into(), code('database_not_empty'));
    assert.equal((await target.query(`SELECT 1 FROM materials WHERE name = 'mine'`)).rowCount, 12);
    await into({ replace: true });
    assert.deepEqual(await rowsOf(target, 'materials'), await rowsOf(farm.database, 'materials'));
    assert.ok(!(await tablesOf(target)).includes('of_a_newer_version'));
  });

  it('does not replace a running farm', async () => {
    await backUp(farm.database, farm.files, directory);
    const other = await openBareFarm();
    assert.ok(await other.database.locks.hold(relayLock));
    try {
      const again = restore(other.database, files, directory, { replace: true, actor });
      await assert.rejects(again, code('farm_running'));
    } finally {
      await dropFarm(other);
    }
  });

  it('of a newer version is rejected, and nothing is changed', async () => {
    await backUp(farm.database, farm.files, directory);
    const made = manifest();
    made.schema.push('000999_what-is-to-come');
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(made));
    await assert.rejects(into(), (error) => error instanceof SchemaTooNewError && /The backup/.test(error.message));
    assert.equal((await target.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [target.schema])).rowCount, 0);
  });

  it('of an older version is migrated', async () => {
    const old = new Database({
      connection: await embeddedPostgres(),
      schema: `${target.schema}_old`,
      onProblem: () => undefined,
    });
    try {
      await migrate(old, 12);
      await old.query(
        `INSERT INTO print_jobs (job_name, stl_path, material_id, print_settings, model_sha256, model_kind, model_x_mm, model_y_mm, model_z_mm, model_volume_mm3)
         VALUES ('part', '/part.stl', 'pla_black_esun', '{}', repeat('0', 64), 'stl', 1, 1, 1, 1)`,
      );
      await backUp(old, files, directory);
      assert.equal(manifest().schema.length, 12);
    } finally {
      await old.query(`DROP SCHEMA ${old.schema} CASCADE`);
      await old.close();
    }
    await into();
    assert.deepEqual(await migrationsOf(target), knownMigrations());
    // Every earlier backup of that farm identifies it by the same id.
    assert.equal((await target.query('SELECT 1 FROM farm f JOIN print_jobs j ON j.id = f.id')).rowCount, 1);
  });

  it('is made and restored by "platewise backup" and "platewise restore"', async () => {
    const own = await new OwnDatabase().create();
    try {
      const there = { DATABASE_URL: await own.url(), PLATEWISE_DATA: temporaryDirectory('data') };
      const empty = await platewise(['backup', directory], there);
      assert.equal(empty.code, 1);
      assert.match(empty.stderr, /no farm in this database\. .*DATABASE_URL/s);
      rmSync(directory, { recursive: true });
      await backUp(farm.database, farm.files, directory);
      const first = await platewise(['restore', directory, '--json'], there);
      assert.equal(first.code, 0, first.stderr);
      assert.equal((JSON.parse(first.stdout) as { outcome_unknown: number }).outcome_unknown, 1);
      const again = join(temporaryDirectory('backup'), 'again');
      const second = await platewise(['backup', again, '--json'], there);
      assert.equal(second.code, 0, second.stderr);
      assert.equal((JSON.parse(second.stdout) as { files: number }).files, 1);
      const refused = await platewise(['restore', again], there);
      assert.deepEqual([refused.code, /not empty.*--replace/s.test(refused.stderr)], [1, true]);
      const replaced = await platewise(['restore', again, '--replace'], there);
      assert.equal(replaced.code, 0, replaced.stderr);
      assert.equal((await platewise(['restore'], there)).code, 2);
      assert.equal((await platewise(['backup', 'a', 'b'], there)).code, 2);
    } finally {
      await own.drop();
    }
  });
});
