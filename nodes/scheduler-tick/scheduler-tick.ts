import type { Node, NodeAPI } from 'node-red';
import { parseTickPlan, type TickPlan } from '../../lib/jobs/tick';
import { schedule } from '../../lib/services/scheduler';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { actorOf, type FlowMessage } from '../http/request';
import { onInput } from '../input';

/**
 * Returns the plan in the message, possibly changed on the wire; undefined if the message has none. @throws
 * MalformedInputError
 */
function planOf(message: FlowMessage): TickPlan | undefined {
  const { payload } = message;
  if (message.req || typeof payload !== 'object' || payload === null || !('lines' in payload)) return undefined;
  return parseTickPlan(payload);
}

export = (RED: NodeAPI): void => {
  function SchedulerTick(this: Node, definition: FarmNodeDefinition): void {
    RED.nodes.createNode(this, definition);
    const access = useFarm(RED, this, definition);
    onInput(this, { access, scope: 'operate' }, async (message) => {
      const farm = await access.farm();
      const payload = await schedule(farm, planOf(message), message.req ? actorOf(message) : 'scheduler');
      for (const { job_id, printer_id, reason } of payload.refused) this.debug(`${job_id} on ${printer_id}: ${reason}`);
      const { scheduled_jobs: count } = payload;
      this.status({ fill: 'green', shape: 'dot', text: count > 0 ? `${count} dispatched` : 'ready' });
      return { payload };
    });
  }
  RED.nodes.registerType('scheduler-tick', SchedulerTick);
};
