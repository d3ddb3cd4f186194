import type { Node } from 'node-red';
import type { Farm } from '../../lib/farm/farm';
import type { FarmUser } from './farm-lifecycle';

/** Kept by Node-RED apart from the flow; never logged. */
export interface PrintFarmCredentials {
  databaseUrl?: unknown;
  amqpUrl?: unknown;
}

/** The config node that the other nodes share. */
export interface PrintFarmNode extends Node<PrintFarmCredentials> {
  add(user: FarmUser): void;
  remove(user: FarmUser): Promise<void>;
  farm(): Promise<Farm>;
}
