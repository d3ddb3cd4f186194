import type { Endpoint } from '../endpoint';
import { farmEndpoints, openApiEndpoint } from './farm';
import { jobsEndpoints } from './jobs';
import { planEndpoints } from './plan';
import { printersEndpoints } from './printers';
import { stockEndpoints } from './stock';
import { troubleEndpoints } from './trouble';

/** The whole API, one row per endpoint. */
export const endpoints: readonly Endpoint[] = [
  ...jobsEndpoints,
  ...planEndpoints,
  ...printersEndpoints,
  ...stockEndpoints,
  ...troubleEndpoints,
  ...farmEndpoints,
  openApiEndpoint(() => endpoints),
];
