import type { AgentContext } from '../../lib/farm/agent-context';
import type { Farm } from '../../lib/farm/farm';
import type { PrinterId } from '../../lib/model/ids';
import type { StubDriver } from './stub-driver';

/** The context of an agent on a bare farm, with the shortest possible waits. */
export const agentContext = (farm: Farm, printerId: PrinterId, driver: StubDriver): AgentContext => ({
  printerId,
  driver,
  database: farm.database,
  broker: farm.broker,
  files: farm.files,
  sharesFiles: farm.sharesFiles,
  slicer: (make) => farm.slicer(make),
  ...farm.agentOptions,
  workDirectory: farm.workDirectory,
  simulated: false,
  allowUntrusted: true,
  log: () => undefined,
  times: { ...farm.times, connectSeconds: 0, askAgainSeconds: 0.02, lookForJobSeconds: 0 },
});
