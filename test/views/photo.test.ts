import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createReadStream, existsSync, rmSync, utimesSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { clearBedOf } from '../../lib/jobs/changes';
import { submitJob } from '../../lib/jobs/submit';
import { NotFoundError } from '../../lib/model/errors';
import { removeOldFiles } from '../../lib/services/maintenance/retention';
import { storeFile } from '../../lib/shared-files/take-file';
import { namePhoto } from '../../lib/store/outcomes';
import { forgetSharedFiles } from '../../lib/store/shared-files';
import { jobPhoto } from '../../lib/views/job-photo';
import { writeBox } from '../support/models';
import { SimulatedFarm } from '../support/simulated-farm';

const printer = 'elegoo_giga';
const ownCamera = '/webcam/?action=snapshot';

describe('A photo of the end of a print', () => {
  let farm: SimulatedFarm;
  let camera: Server | undefined;
  before(async () => {
    farm = await new SimulatedFarm({ printers: [printer], speed: 500 }).start();
    await farm.online();
  });
  after(() => farm.stop());
  beforeEach(async () => {
    await clearBedOf(farm.farm, printer, {}, 'operator');
    cameraAt(ownCamera);
  });
  afterEach(() => {
    camera?.closeAllConnections();
    camera?.close();
    camera = undefined;
  });

  const cameraAt = (url: string | null): void =>
    farm.simulators.get(printer)?.actions['webcam']?.({ snapshot_url: url });

  /** Replaces the printer's camera. */
  async function install(answer: RequestListener, host = '127.0.0.1'): Promise<Server> {
    const server = createServer(answer);
    camera = server;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    cameraAt(`http://${host}:${(server.address() as AddressInfo).port}/`);
    return server;
  }

  async function submit(more: Record<string, unknown> = {}): Promise<string> {
    const model = writeBox(join(farm.directory, 'models', 'box.stl'), 10, 10, 10);
    const { stl_path } = await storeFile(farm.farm, createReadStream(model), 'box.stl');
    const body = { job_name: 'box', stl_path, material_id: 'pla_black_esun', ...more };
    return (await submitJob(farm.farm, body, 'test')).job_id;
  }

  const outcomes = async (job: string) =>
    (
      await farm.farm.database.query<{ outcome: string; photo_reference: string | null; grams: number }>(
        'SELECT outcome, photo_reference, grams FROM print_outcomes WHERE job_id = $1 ORDER BY created_at',
        [job],
      )
    ).rows;

  /** Resolves with the matching line of the agent's log. */
  async function logged(pattern: RegExp, from: number): Promise<string> {
    for (;;) {
      const line = farm.log.slice(from).find((one) => pattern.test(one));
      if (line !== undefined) return line;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const photographed = (job: string) => farm.until(job, ({ attempts }) => attempts.at(-1)?.photo === true);

  it('is stored with the outcome of a completed print, and shows its bed', async () => {
    const id = await submit();
    const job = await photographed(id);
    assert.equal(job['status'], 'completed');
    const { bytes, type } = await jobPhoto(farm.farm, id);
    assert.equal(type, 'image/png');
    assert.equal(PNG.sync.read(bytes).width, 320);
    assert.match((await outcomes(id))[0]?.photo_reference ?? '', /^[0-9a-f]{64}\.png$/);
    const attempt = job.attempts[0]?.attempt_id ?? '';
    assert.deepEqual(await jobPhoto(farm.farm, id, attempt), { bytes, type });
    await assert.rejects(jobPhoto(farm.farm, id, id), NotFoundError);
  });

  it('is stored for a failed print too, one per attempt', async () => {
    await farm.simulators.get(printer)?.setFault('print_fails', { times: 1 });
    const id = await submit({ max_retries: 1 });
    const failed = await photographed(id);
    assert.equal(failed.attempts[0]?.outcome, 'failed');
    await clearBedOf(farm.farm, printer, {}, 'operator');
    await farm.farm.database.query('UPDATE print_jobs SET not_before = NULL WHERE id = $1', [id]);
    farm.schedule();
    const job = await farm.until(id, ({ attempts }) => attempts.length === 2 && attempts[1]?.photo === true);
    const [first, second] = await Promise.all(
      job.attempts.map(({ attempt_id }) => jobPhoto(farm.farm, id, attempt_id)),
    );
    assert.ok(first && second && !first.bytes.equals(second.bytes), 'one shows half a print, the other a whole one');
    assert.deepEqual(await jobPhoto(farm.farm, id), second);
  });

  it('is available at another site through the database', async () => {
    const id = await submit();
    await photographed(id);
    const { bytes } = await jobPhoto(farm.farm, id);
    await farm.farm.database.query(`UPDATE shared_files SET created_at = now() - interval '2 days'`);
    await forgetSharedFiles(farm.farm.database, 24);
    rmSync(join(farm.directory, 'files'), { recursive: true });
    assert.deepEqual((await jobPhoto(farm.farm, id)).bytes, bytes);
    await farm.farm.database.query('DELETE FROM shared_files');
    rmSync(join(farm.directory, 'files'), { recursive: true });
    await assert.rejects(jobPhoto(farm.farm, id), NotFoundError);
  });

  it('is kept as long as files are, and then is no longer offered', async () => {
    const id = await submit();
    await photographed(id);
    const reference = (await outcomes(id))[0]?.photo_reference ?? '';
    const path = farm.farm.files.pathOf(reference.slice(0, 64), '.png');
    const long = new Date(Date.now() - 40 * 86_400_000);
    utimesSync(path, long, long);
    await removeOldFiles(farm.farm);
    assert.ok(existsSync(path), 'its outcome is new, however old the file looks');
    const { rows } = await farm.farm.database.query<{ job_id: string }>(
      `UPDATE print_outcomes SET created_at = now() - interval '31 days' RETURNING job_id`,
    );
    await removeOldFiles(farm.farm);
    assert.equal(existsSync(path), false);
    for (const { job_id } of rows) await assert.rejects(jobPhoto(farm.farm, job_id), NotFoundError);
    assert.equal((await farm.until(id, 'completed')).attempts[0]?.photo, false);
  });

  it('is recorded by the process that ended the attempt, once', async () => {
    const id = await submit();
    const job = await photographed(id);
    const attemptId = job.attempts[0]?.attempt_id;
    const { database } = farm.farm;
    const { rows } = await database.query<{ id: string; fence: number; lease_owner: string }>(
      'SELECT id, fence, lease_owner FROM print_attempts WHERE id = $1',
      [attemptId],
    );
    const [row] = rows;
    assert.ok(row);
    const claim = { attemptId: row.id, fence: row.fence, owner: row.lease_owner } as Parameters<typeof namePhoto>[1];
    const [before] = await outcomes(id);
    await database.transaction((tx) => namePhoto(tx, claim, 'other.png'));
    assert.deepEqual(await outcomes(id), [before]);
    await database.query('UPDATE print_outcomes SET photo_reference = NULL WHERE job_id = $1', [id]);
    await database.transaction((tx) => namePhoto(tx, { ...claim, fence: claim.fence - 1 }, 'other.png'));
    await database.transaction((tx) => namePhoto(tx, { ...claim, owner: attemptId ?? '' }, 'other.png'));
    assert.equal((await outcomes(id))[0]?.photo_reference, null);
    await database.transaction((tx) => namePhoto(tx, claim, 'other.png'));
    assert.equal((await outcomes(id))[0]?.photo_reference, 'other.png');
  });

  const large = Buffer.concat([PNG.sync.write(new PNG({ width: 1, height: 1 })), Buffer.alloc(6 * 1024 * 1024)]);
  const failures: [title: string, install: () => Promise<unknown>, why: RegExp][] = [
    ['too large', () => install((_request, response) => response.end(large)), /larger than/],
    ['no picture', () => install((_request, response) => response.end('<html></html>')), /neither a JPEG nor a PNG/],
    ['of another host', () => install((_request, response) => response.end(large), 'localhost'), /alone is asked/],
    ['refused', () => install((_request, response) => response.writeHead(401).end()), /HTTP 401/],
    ['broken off', () => install((request) => request.socket.destroy()), /No picture came/],
  ];
  for (const [title, prepare, why] of failures) {
    it(`may fail, and the outcome is recorded: ${title}`, async () => {
      await prepare();
      const from = farm.log.length;
      const id = await submit();
      const job = await farm.until(id, 'completed');
      assert.match(await logged(/No photo was taken at the end/, from), why);
      const recorded = await outcomes(id);
      assert.deepEqual(
        recorded.map(({ outcome, photo_reference }) => [outcome, photo_reference]),
        [['completed', null]],
      );
      assert.ok((recorded[0]?.grams ?? 0) > 0);
      assert.equal((await farm.until(id, 'completed')).attempts[0]?.photo, false, JSON.stringify(job));
      await assert.rejects(jobPhoto(farm.farm, id), NotFoundError);
    });
  }

  it('is not requested if there is no camera', async () => {
    cameraAt(null);
    const from = farm.log.length;
    const id = await submit();
    await farm.until(id, 'completed');
    await logged(/ended: completed/, from);
    assert.equal((await outcomes(id))[0]?.photo_reference, null);
    assert.ok(!farm.log.slice(from).some((line) => line.includes('picture')));
  });

  it('delays no outcome, and is aborted if the agent ends while it is being taken', async () => {
    // A camera that never answers: whatever is recorded was recorded without a photo.
    const silent = await install(() => {});
    const asked = once(silent, 'request');
    const id = await submit();
    await farm.until(id, 'completed');
    const recorded = await outcomes(id);
    assert.equal(recorded[0]?.outcome, 'completed');
    await asked;
    assert.equal(await new Promise((resolve) => silent.getConnections((_error, count) => resolve(count))), 1);
    await farm.stopFarm();
    await farm.startFarm();
    await farm.online();
    assert.deepEqual(await outcomes(id), recorded);
    assert.equal((await farm.until(id, 'completed')).attempts.length, 1);
  });
});
