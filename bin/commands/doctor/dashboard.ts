import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Check, ok, warning } from './check';

const name = 'dashboard';

/**
 * Checks whether the dashboard of a flow is behind a login, as far as the settings beside the flow show. Only checked
 * for a farm with keys: an owner who locks the API wants the dashboard locked too.
 */
export function checkDashboard(flows: string | undefined): Check[] {
  if (flows === undefined || !hasDashboard(flows)) return [];
  const settings = textOf(join(dirname(flows), 'settings.js'));
  // The settings that `npm start` writes keep other sites out, but require no login.
  const asks = /^[^/\n]*\bioMiddleware\s*[:(](?!\s*socketFromHere\b)/m.test(settings);
  if (asks) return [ok(name, 'The settings require a login for its socket.')];
  return [
    warning(
      name,
      'The farm has keys, but the dashboard has no login: orders need a key there, but every visitor sees everything.',
      'Lock it in settings.js as docs/operating.md shows, or ignore this if a reverse proxy requires a login.',
    ),
  ];
}

function hasDashboard(flows: string): boolean {
  try {
    const nodes: unknown = JSON.parse(textOf(flows));
    return Array.isArray(nodes) && nodes.some((node: { type?: unknown } | null) => node?.type === 'ui-base');
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
