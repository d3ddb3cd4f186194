import type { Node, NodeAPI } from 'node-red';
import { planMessage, plannedForAll } from '../../lib/schedule/plan';
import { PlannerService } from '../../lib/services/planner';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { onInput } from '../input';

interface QueueOptimizerDefinition extends FarmNodeDefinition {
  /** The longest time between two plans (s). */
  interval: string | number;
}

export = (RED: NodeAPI): void => {
  function QueueOptimizer(this: Node, definition: QueueOptimizerDefinition): void {
    RED.nodes.createNode(this, definition);
    let planner: PlannerService | undefined;
    const access = useFarm(RED, this, definition, {
      opened: async (farm) => {
        const seconds = Number(definition.interval);
        planner = new PlannerService(farm, {
          ...(seconds > 0 && { seconds }),
          planned: (payload) => {
            const waiting = Object.keys(payload.positions).length;
            this.status({ fill: 'green', shape: 'dot', text: `${waiting} waiting` });
            this.send({ topic: 'plan', payload });
          },
          failed: (error) => {
            this.status({ fill: 'red', shape: 'dot', text: 'no plan' });
            this.error(error.message, { topic: 'plan', payload: null });
          },
        });
        await planner.start();
      },
      closing: () => planner?.stop(),
    });
    onInput(this, { access, scope: 'read' }, async () => ({
      payload: planMessage(await plannedForAll(await access.farm())),
    }));
  }
  RED.nodes.registerType('queue-optimizer', QueueOptimizer);
};
