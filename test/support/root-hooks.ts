import { stopSharedServers } from './servers';

/** Ends what the tests of this process have started for all of them. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await stopSharedServers();
  },
};
