import { stopSharedServers } from './servers';

/** Stops the shared servers that the tests of this process have started. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await stopSharedServers();
  },
};
