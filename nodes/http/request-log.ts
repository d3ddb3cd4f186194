import type { Farm } from '../../lib/farm/farm';
import type { AnsweredRequest } from './request-clock';

/** Records the duration of a request; a request that may have changed something, or failed here, is also written to the event log. */
export function recordRequest(
  farm: Farm | undefined,
  request: AnsweredRequest,
  details: { id: string | null; actor: string },
): void {
  farm?.requestDurations.observe(request);
  if (request.method === 'GET' && request.status < 500) return;
  farm?.events.write(request.status >= 500 ? 'error' : 'info', 'request', { ...request, ...details });
}
