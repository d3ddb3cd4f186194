import type { Health as ContractHealth } from '../contracts/farm';
import type { Farm } from '../farm/farm';
import type { Obstacle } from '../model/obstacle';
import { obstacles } from './obstacles';

/** Whether the farm can do its work, for monitoring. It reveals nothing about the work itself, so it needs no key. */
export type Health = ContractHealth;

/** Public texts: no names, no addresses. `why`, which requires a key, returns the details. */
const inGeneral: Record<Obstacle['code'], string> = {
  database_away: 'The database cannot be reached.',
  database_read_only: 'The database accepts no changes.',
  broker_away: 'The broker cannot be reached.',
  broker_blocked: 'The broker is short of memory or disk space and accepts no messages.',
  publish_refused: 'The broker denies permission to publish.',
  topology_conflict: 'A queue or exchange of the farm exists in the broker with other settings.',
  no_relay: 'The outbox is not being published: no rabbitmq-dispatch node is running.',
  farm_paused: 'The farm is paused by an operator; nothing new starts.',
  database_restored: 'The database was restored from a backup, and not every bed has been checked since.',
  outbox_stuck: 'A message has waited for more than a minute to be published.',
};

/** Checks the database, the broker, and whether anything prevents dispatches. */
export async function health(farm: Farm): Promise<Health> {
  const codes = new Set((await obstacles(farm)).map(({ code }) => code));
  return {
    status: codes.size === 0 ? 'ok' : 'degraded',
    database: codes.has('database_away') ? 'away' : codes.has('database_read_only') ? 'read_only' : 'ok',
    broker: codes.has('broker_away') ? 'away' : codes.has('broker_blocked') ? 'blocked' : 'ok',
    reasons: [...codes].map((code) => ({ code, text: inGeneral[code] })),
  };
}
