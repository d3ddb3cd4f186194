import type { Node, NodeAPI } from 'node-red';
import { tick } from '../../lib/coordinator/tick';
import { MalformedInputError } from '../../lib/model/errors';
import type { Plan } from '../../lib/planning/plan';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { actorOf, type FlowMessage } from '../http/request';
import { onInput } from '../input';

/** The plan on the wire, perhaps changed there; undefined if the message brings none. */
function planOf(message: FlowMessage): Pick<Plan, 'lines'> | undefined {
  const { payload } = message;
  if (message.req || typeof payload !== 'object' || payload === null || !('lines' in payload)) return undefined;
  const { lines } = payload as { lines: unknown };
  const valid =
    Array.isArray(lines) &&
    lines.every(
      (line: unknown) =>
        typeof line === 'object' &&
        line !== null &&
        typeof (line as Record<string, unknown>)['jobId'] === 'string' &&
        typeof (line as Record<string, unknown>)['printerId'] === 'string',
    );
  if (!valid) {
    throw new MalformedInputError('The plan on the wire is not one.', [
      {
        field: 'payload.lines',
        value: lines,
        remedy: 'Pass on the plan of queue-optimizer; leave out or reorder lines, but keep their fields.',
      },
    ]);
  }
  return payload as Pick<Plan, 'lines'>;
}

export = (RED: NodeAPI): void => {
  function SchedulerTick(this: Node, definition: FarmNodeDefinition): void {
    RED.nodes.createNode(this, definition);
    const access = useFarm(RED, this, definition);
    onInput(this, async (message) => {
      const farm = await access.farm();
      const plan = planOf(message);
      const actor = message.req ? actorOf(message) : 'scheduler';
      const { assignments, refused } = await tick(farm, plan, actor);
      for (const refusal of refused) this.debug(`${refusal.jobId} on ${refusal.printerId}: ${refusal.reason}`);
      if (assignments.length > 0) this.status({ fill: 'green', shape: 'dot', text: `${assignments.length} started` });
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
