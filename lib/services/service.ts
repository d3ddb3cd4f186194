/** Background work of an open farm. Starting and stopping are idempotent. */
export interface Service {
  start(): Promise<void>;
  /** Resolves when all its work has ended. */
  stop(): Promise<void>;
}
