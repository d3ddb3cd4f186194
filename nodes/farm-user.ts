import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Farm } from '../lib/farm/farm';
import { asError, PlatewiseError } from '../lib/model/errors';
import type { PrintFarmNode } from './print-farm/print-farm-node';

/** The configuration of every node that names a farm. */
export interface FarmNodeDefinition extends NodeDef {
  farm: string;
}

/** What a node does while the farm is open. */
export interface FarmWork {
  opened?(farm: Farm): Promise<void> | void;
  closing?(): Promise<void> | void;
}

/** A node's access to its farm. */
export interface FarmAccess {
  /** @throws PlatewiseError the farm is not open */
  farm(): Promise<Farm>;
  /** The farm, if it is open already. */
  openFarm(): Farm | undefined;
}

/**
 * Ties a node to its farm: registers it, shows on its status dot whether the farm is open, and unregisters it when the
 * node is closed.
 */
export function useFarm(RED: NodeAPI, node: Node, definition: FarmNodeDefinition, work: FarmWork = {}): FarmAccess {
  const farmNode = RED.nodes.getNode(definition.farm) as PrintFarmNode | null;
  if (!farmNode?.farm) {
    node.status({ fill: 'red', shape: 'ring', text: 'no farm chosen' });
    const missing = new PlatewiseError('This node has no print-farm.', {
      code: 'no_farm',
      remedy: 'Open the node, choose a print-farm and deploy.',
    });
    return { farm: () => Promise.reject(missing), openFarm: () => undefined };
  }
  let open: Farm | undefined;
  const user = {
    opened: async (farm: Farm) => {
      open = farm;
      if (!work.opened) {
        node.status({ fill: 'green', shape: 'dot', text: 'ready' });
        return;
      }
      await work.opened(farm);
    },
    closing: async () => {
      open = undefined;
      await work.closing?.();
    },
    failed: (error: Error) => {
      node.status({ fill: 'red', shape: 'ring', text: 'farm not open' });
      const reason = error instanceof PlatewiseError ? `${error.message} ${error.remedy}` : error.message;
      node.error(reason, {
        topic: 'print-farm',
        payload: { code: error instanceof PlatewiseError ? error.code : 'internal' },
      });
    },
  };
  node.status({ fill: 'yellow', shape: 'ring', text: 'opening' });
  farmNode.add(user);
  node.on('close', (done: (error?: Error) => void) => {
    farmNode.remove(user).then(
      () => {
        node.status({});
        done();
      },
      (error: unknown) => done(asError(error)),
    );
  });
  return { farm: () => farmNode.farm(), openFarm: () => open };
}
