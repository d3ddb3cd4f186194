import type { Node, NodeAPI } from 'node-red';
import { parseTickPlan, type TickPlan, tick } from '../../lib/jobs/tick';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { actorOf, type FlowMessage } from '../http/request';
import { onInput } from '../input';

/** The plan on the wire, perhaps changed there; undefined if the message brings none. @throws MalformedInputError */
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
      const plan = planOf(message);
      const actor = message.req ? actorOf(message) : 'scheduler';
      const { assignments, refused } = await tick(farm, plan, actor);
      for (const refusal of refused) this.debug(`${refusal.jobId} on ${refusal.printerId}: ${refusal.reason}`);
      this.status({
        fill: 'green',
        shape: 'dot',
        text: assignments.length > 0 ? `${assignments.length} dispatched` : 'ready',
      });
      return {
        payload: {
          scheduled_jobs: assignments.length,
          assignments: assignments.map((one) => ({
            job_id: one.jobId,
            printer_id: one.printerId,
            attempt_id: one.attemptId,
            status: one.status,
          })),
          refused: refused.map((one) => ({ job_id: one.jobId, printer_id: one.printerId, reason: one.reason })),
        },
      };
    });
  }
  RED.nodes.registerType('scheduler-tick', SchedulerTick);
};
