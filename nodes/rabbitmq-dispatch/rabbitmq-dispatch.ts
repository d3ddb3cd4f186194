import type { Node, NodeAPI } from 'node-red';
import { recordDeadLetters } from '../../lib/services/dead-letter-recorder';
import { OutboxRelay } from '../../lib/services/relay';
import type { Subscription } from '../../lib/messaging/broker';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { onInput } from '../input';

export = (RED: NodeAPI): void => {
  function RabbitmqDispatch(this: Node, definition: FarmNodeDefinition): void {
    RED.nodes.createNode(this, definition);
    let relay: OutboxRelay | undefined;
    let letters: Subscription | undefined;
    let offState: (() => void) | undefined;
    const access = useFarm(RED, this, definition, {
      opened: async (farm) => {
        const show = (): void => {
          const { status } = farm.broker.state;
          if (status === 'connected') this.status({ fill: 'green', shape: 'dot', text: farm.broker.kind });
          else this.status({ fill: 'red', shape: 'ring', text: 'broker away' });
        };
        offState = farm.broker.onState(show);
        show();
        relay = new OutboxRelay(farm, (row) => {
          if (row.kind === 'dispatch') this.send({ topic: row.routingKey, payload: row.body });
        });
        await relay.start();
        letters = await recordDeadLetters(farm);
      },
      closing: async () => {
        offState?.();
        await letters?.cancel();
        await relay?.stop();
        relay = undefined;
      },
    });
    // A tick has committed something: no need to wait for the notification. What is sent is told by the relay.
    onInput(this, { access, scope: 'operate' }, async () => {
      await access.farm();
      relay?.wake();
      return undefined;
    });
  }
  RED.nodes.registerType('rabbitmq-dispatch', RabbitmqDispatch);
};
