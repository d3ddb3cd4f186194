import { authorise } from '../../lib/farm/keys';
import type { Scope } from '../../lib/model/scope';
import type { FarmLifecycle } from './farm-lifecycle';

/**
 * Checks that at least one of the farms accepts a request with this key. Only the node knows which farm the request is
 * for; it checks again.
 * @throws UnauthorizedError, ForbiddenError no farm does
 */
export async function admitted(
  farms: readonly FarmLifecycle[],
  authorization: string | undefined,
  least: Scope,
): Promise<void> {
  const asked = farms.filter(({ used }) => used);
  const answers = await Promise.allSettled(
    asked.map(async (one) => authorise((await one.farm()).database, authorization, least)),
  );
  const [refused] = answers.filter((answer) => answer.status === 'rejected');
  if (refused && !answers.some(({ status }) => status === 'fulfilled')) throw refused.reason;
}
