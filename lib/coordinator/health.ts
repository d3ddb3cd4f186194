import type { Farm } from './farm';

/** Whether the farm can do its work, for whatever watches over programs. Tells nothing else, so that everybody may ask. */
export interface Health {
  status: 'ok' | 'degraded';
  database: 'ok' | 'away';
  broker: 'ok' | 'away';
}

/** Asks the database, and whether the broker is connected. */
export async function health(farm: Farm): Promise<Health> {
  const database = await farm.database.query('SELECT 1').then(
    () => 'ok' as const,
    () => 'away' as const,
  );
  const broker = farm.broker.state.status === 'connected' ? 'ok' : 'away';
  return { status: database === 'ok' && broker === 'ok' ? 'ok' : 'degraded', database, broker };
}
