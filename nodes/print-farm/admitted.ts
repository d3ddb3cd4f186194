import { authorise } from '../../lib/farm/keys';
import type { Scope } from '../../lib/model/scope';
import type { FarmLifecycle } from './farm-lifecycle';

/**
 * Makes sure that one of the farms would take a request with this key; which of them it is for only its node knows, which asks again.
 * @throws UnauthorizedError, ForbiddenError none would
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
