import type { Node, NodeAPI } from 'node-red';
import { Dispatcher } from '../../lib/services/dispatcher';
import { type FarmNodeDefinition, useFarm } from '../farm-user';
import { onInput } from '../input';

export = (RED: NodeAPI): void => {
  function RabbitmqDispatch(this: Node, definition: FarmNodeDefinition): void {
    RED.nodes.createNode(this, definition);
    let dispatcher: Dispatcher | undefined;
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
        dispatcher = new Dispatcher(farm, (row) => {
          if (row.kind === 'dispatch') this.send({ topic: row.routingKey, payload: row.body });
        });
        await dispatcher.start();
      },
      closing: async () => {
        offState?.();
        await dispatcher?.stop();
        dispatcher = undefined;
      },
    });
    // A tick has committed, so there is no need to wait for the notification. The relay reports the sent messages.
    onInput(this, { access, scope: 'operate' }, async () => {
      await access.farm();
      dispatcher?.wake();
      return undefined;
    });
  }
  RED.nodes.registerType('rabbitmq-dispatch', RabbitmqDispatch);
};
