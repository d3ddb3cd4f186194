import type { Node, NodeAPI } from 'node-red';
import type { Subscription } from '../../lib/messaging/broker';
import { listenToStatus } from '../../lib/messaging/status-listener';
import { listenToChanges } from '../../lib/services/changes-feed';
import { type FarmNodeDefinition, useFarm } from '../farm-user';

interface StatusBusDefinition extends FarmNodeDefinition {
  /** `all`, the name of one event, or `changed`: only a notification of any change. */
  events: string;
}

export = (RED: NodeAPI): void => {
  function StatusBus(this: Node, definition: StatusBusDefinition): void {
    RED.nodes.createNode(this, definition);
    let subscription: Subscription | undefined;
    let offState: (() => void) | undefined;
    let unlisten: (() => void) | undefined;
    useFarm(RED, this, definition, {
      opened: async (farm) => {
        const show = (): void => {
          const { status } = farm.broker.state;
          if (status === 'connected') this.status({ fill: 'green', shape: 'dot', text: 'listening' });
          else this.status({ fill: 'red', shape: 'ring', text: 'broker away' });
        };
        offState = farm.broker.onState(show);
        show();
        if (definition.events === 'changed') {
          unlisten = await listenToChanges(farm, () => this.send({ topic: 'changed', payload: { event: 'changed' } }));
          return;
        }
        const wanted = definition.events || 'all';
        subscription = await listenToStatus(farm, (event) => {
          if (wanted === 'all' || wanted === event.event) this.send({ topic: event.event, payload: event });
        });
      },
      closing: async () => {
        offState?.();
        unlisten?.();
        await subscription?.cancel();
        subscription = undefined;
      },
    });
  }
  RED.nodes.registerType('status-bus', StatusBus);
};
