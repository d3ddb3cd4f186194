import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { showPhase } from '../../lib/jobs/show-phase';
import type { AttemptPhase } from '../../lib/model/attempt';
import type { JobStatus } from '../../lib/model/status';
import { historyOf, lockJob } from '../../lib/store/jobs';
import { arrangeAttempt, attemptOf, endAllAttempts } from '../support/attempts';
import { dropFarm, openBareFarm } from '../support/bare-farm';

describe('The status that a job shows for its attempt', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(() => endAllAttempts(farm));
  after(() => dropFarm(farm));

  const file = 'folder/pw-part.gcode';
  /** The status that the job shows, and the lines of its history, after its attempt moved from one phase to another. */
  const shown = async (from: AttemptPhase, to: AttemptPhase): Promise<[JobStatus, [string, string | null][]]> => {
    const { job, attempt } = await arrangeAttempt(farm, from);
    const before = (await historyOf(farm.database, job)).length;
    const after = await farm.database.transaction(async (tx) =>
      showPhase(
        tx,
        await lockJob(tx, job),
        { ...(await attemptOf(farm, attempt)), phase: to, fileName: file },
        'agent',
      ),
    );
    const lines = (await historyOf(farm.database, job)).slice(before);
    assert.ok(lines.every(({ changed_by: by }) => by === 'agent'));
    if (lines.length > 0) assert.equal(after.assignedPrinterId, 'elegoo_giga');
    return [after.status, lines.map(({ to_status, reason }) => [to_status, reason])];
  };

  const slicing: [string, string] = ['slicing', 'claimed for elegoo_giga'];
  const uploading: [string, string] = ['uploading', 'sent to elegoo_giga as pw-part.gcode'];
  const printing: [string, string] = ['printing', `elegoo_giga prints ${file}`];
  const table: [from: AttemptPhase, to: AttemptPhase, status: JobStatus, lines: [string, string][]][] = [
    ['ended', 'dispatched', 'scheduled', [['scheduled', 'planned for elegoo_giga']]],
    ['dispatched', 'claimed', 'slicing', [slicing]],
    ['claimed', 'preparing', 'slicing', []],
    ['preparing', 'uploading', 'uploading', [uploading]],
    ['uploading', 'starting', 'uploading', []],
    ['starting', 'printing', 'printing', [printing]],
    ['dispatched', 'printing', 'printing', [slicing, uploading, printing]],
    ['printing', 'outcome_unknown', 'printing', []],
    ['dispatched', 'outcome_unknown', 'scheduled', []],
    ['printing', 'uploading', 'printing', []],
  ];
  for (const [from, to, status, lines] of table) {
    it(`after a move from ${from} to ${to} is ${status}`, async () =>
      assert.deepEqual(await shown(from, to), [status, lines]));
  }
});
