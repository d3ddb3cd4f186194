import type { Health as ContractHealth } from '../contracts/farm';
import type { Farm } from '../farm/farm';
import type { Obstacle } from '../model/obstacle';
import { obstacles } from './obstacles';

/** Whether the farm can do its work, for whatever watches over programs. Tells nothing of the work itself, so that everybody may ask. */
export type Health = ContractHealth;

/** What everybody may know: no names, no addresses. `why`, for which a key is needed, says more. */
const inGeneral: Record<Obstacle['code'], string> = {
  database_away: 'The database cannot be reached.',
  database_read_only: 'The database takes no changes.',
  broker_away: 'The broker cannot be reached.',
  broker_blocked: 'The broker is short of memory or disk space and takes no messages.',
  publish_refused: 'The broker does not let us publish.',
  topology_conflict: 'A queue or exchange of ours exists in the broker with other settings.',
  no_relay: 'Nobody publishes what waits: no rabbitmq-dispatch node is at work.',
  farm_paused: 'The farm is paused by an operator; nothing new starts.',
  database_restored: 'The database was restored from a backup, and not every bed was looked at since.',
  outbox_stuck: 'A message has waited for more than a minute to be published.',
};

/** Asks the database, the broker, and whether anything is in the way of dispatches. */
export async function health(farm: Farm): Promise<Health> {
  const codes = new Set((await obstacles(farm)).map(({ code }) => code));
  return {
    status: codes.size === 0 ? 'ok' : 'degraded',
    database: codes.has('database_away') ? 'away' : codes.has('database_read_only') ? 'read_only' : 'ok',
    broker: codes.has('broker_away') ? 'away' : codes.has('broker_blocked') ? 'blocked' : 'ok',
    reasons: [...codes].map((code) => ({ code, text: inGeneral[code] })),
  };
}
