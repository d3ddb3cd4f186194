import assert from 'node:assert/strict';
import { StartNotSentError } from '../../../lib/makes/driver';
import { Stage } from '../../contract/stage';
import { subjects } from '../../contract/subjects';
import { permit } from '../fixtures';

describe('A task id that a Bambu printer knows from a farm whose database was lost', () => {
  let stage: Stage;
  before(async () => {
    const subject = subjects.find(({ make }) => make === 'bambu') ?? assert.fail();
    stage = await Stage.set(subject, 60);
    await stage.connect();
  });
  after(() => stage.strike());

  it('is not taken for ours, and no print is started under it', async () => {
    const before = await stage.running(60);
    await stage.ended(before);
    const order = await stage.order(60);
    const ours = { ...order, identity: { ...order.identity, taskId: before.identity.taskId } };
    assert.equal(await stage.traced(ours), 'none');
    await stage.upload(ours);
    const permission = permit();
    await assert.rejects(stage.driver.start(ours, permission), StartNotSentError);
    assert.deepEqual([permission.sentCount, stage.count(ours, 'start')], [0, 0]);
    // The next attempt has another id.
    await stage.upload(order);
    await stage.driver.start(order, permission);
  });
});
