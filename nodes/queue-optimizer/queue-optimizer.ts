import type { Node, NodeAPI } from 'node-red';
import type { Farm } from '../../lib/farm/farm';
import { planMessage, plannedForAll } from '../../lib/schedule/plan';
import { asError } from '../../lib/model/errors';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { onInput } from '../input';

interface QueueOptimizerDefinition extends FarmNodeDefinition {
  /** Seconds between plans when nothing happens. */
  interval: string | number;
}

const defaultInterval = 30;
/** Events that come together make one plan (ms). */
const gathering = 100;

export = (RED: NodeAPI): void => {
  function QueueOptimizer(this: Node, definition: QueueOptimizerDefinition): void {
    RED.nodes.createNode(this, definition);
    let timer: NodeJS.Timeout | undefined;
    let soon: NodeJS.Timeout | undefined;
    let unlisten: (() => void) | undefined;
    let planning: Promise<void> = Promise.resolve();

    const plan = async (farm: Farm): Promise<void> => {
      const payload = planMessage(await plannedForAll(farm));
      const waiting = Object.keys(payload.positions).length;
      this.status({ fill: 'green', shape: 'dot', text: `${waiting} waiting` });
      this.send({ topic: 'plan', payload });
    };
    const fire = (farm: Farm): void => {
      planning = planning
        .then(() => plan(farm))
        .catch((error: unknown) => {
          this.status({ fill: 'red', shape: 'dot', text: 'no plan' });
          this.error(asError(error).message, { topic: 'plan', payload: null });
        });
    };

    const access = useFarm(RED, this, definition, {
      opened: async (farm) => {
        const seconds = Number(definition.interval) > 0 ? Number(definition.interval) : defaultInterval;
        timer = setInterval(() => fire(farm), seconds * 1000);
        unlisten = await farm.database.listen((payload) => {
          if (payload !== 'plan' && payload !== 'reconnected') return;
          soon ??= setTimeout(() => {
            soon = undefined;
            fire(farm);
          }, gathering);
        });
        fire(farm);
      },
      closing: async () => {
        clearInterval(timer);
        clearTimeout(soon);
        soon = undefined;
        unlisten?.();
        await planning;
      },
    });
    onInput(this, { access, scope: 'read' }, async () => ({
      payload: planMessage(await plannedForAll(await access.farm())),
    }));
  }
  RED.nodes.registerType('queue-optimizer', QueueOptimizer);
};
