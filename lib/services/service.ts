/** Something that works by itself while a farm is open. Starting what runs, and stopping what has stopped, changes nothing. */
export interface Service {
  start(): Promise<void>;
  /** Resolves when nothing of it is at work any more. */
  stop(): Promise<void>;
}
