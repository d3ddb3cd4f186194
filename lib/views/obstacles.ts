import type { Farm } from '../farm/farm';
import type { Obstacle } from '../model/obstacle';
import { relayLock } from '../services/relay';
import { DatabaseReadOnlyError, DatabaseUnavailableError } from '../store/database';
import { bedsSinceRestore } from '../store/farm-epoch';
import { findFarmPause } from '../store/farm-pause';
import { oldestStuck } from '../store/outbox';
import { isHeld } from '../store/session-locks';

/** A message that waits for longer than this is stuck (seconds). */
const stuckAfter = 60;

/**
 * Returns everything that prevents dispatches from reaching printers regardless of the plan, as far as this process can see; obstacles that
 * concern all printers come first. Never rejects: an unreachable database is an obstacle.
 */
export async function obstacles(farm: Farm): Promise<Obstacle[]> {
  const found = [...(await ofDatabase(farm)), ...farm.broker.obstacles()];
  return [...found.filter((one) => one.printerId === undefined), ...found.filter((one) => one.printerId !== undefined)];
}

async function ofDatabase(farm: Farm): Promise<Obstacle[]> {
  const found: Obstacle[] = [];
  try {
    const { rows } = await farm.database.query<{ read_only: boolean }>(
      `SELECT current_setting('transaction_read_only') = 'on' AS read_only`,
    );
    if (rows[0]?.read_only === true) {
      const { message, remedy } = new DatabaseReadOnlyError(new Error());
      found.push({ code: 'database_read_only', text: message, remedy });
    }
    const paused = await findFarmPause(farm.database);
    if (paused) {
      const reason = paused.reason === null ? '' : `: ${paused.reason}`;
      found.push({
        code: 'farm_paused',
        text: `${paused.pausedBy} paused the farm at ${paused.pausedAt}${reason}`,
        remedy: 'Resume it (POST farm/resume) when new prints may start again.',
      });
    }
    for (const { id, name, restoredAt } of await bedsSinceRestore(farm.database)) {
      found.push({
        code: 'database_restored',
        text: `The database was restored from a backup at ${restoredAt}; what ${name} printed since is unknown.`,
        remedy:
          'Report the outcome of its print, if asked, then check its bed and clear it. Hold jobs that are already done.',
        printerId: id,
      });
    }
    if (farm.broker.obstacles().some(({ code }) => code === 'broker_away' || code === 'broker_blocked')) return found;
    if (!(await isHeld(farm.database, relayLock))) {
      found.push({
        code: 'no_relay',
        text: 'No Node-RED of this farm publishes the messages in the outbox.',
        remedy: 'Deploy a flow with a rabbitmq-dispatch node; the example "farm" has one.',
      });
    }
    const stuck = await oldestStuck(farm.database, stuckAfter);
    if (stuck) {
      found.push({
        code: 'outbox_stuck',
        text: `A message has waited in the outbox for ${Math.floor(stuck.seconds / 60)} min${stuck.error === null ? '.' : `: ${stuck.error}`}`,
        remedy: 'The log of the Node-RED with the rabbitmq-dispatch node shows the reason.',
      });
    }
  } catch (error) {
    const { message, remedy } =
      error instanceof DatabaseUnavailableError ? error : new DatabaseUnavailableError(error as Error);
    found.push({ code: 'database_away', text: message, remedy });
  }
  return found;
}

/** Returns the obstacles that concern a printer. */
export const obstaclesOf = (all: readonly Obstacle[], printerId: string): Obstacle[] =>
  all.filter((one) => one.printerId === undefined || one.printerId === printerId);
