/** Something that prevents work from reaching printers, regardless of the plan. */
export interface Obstacle {
  /** Stable; programs may match it. */
  code:
    | 'database_away'
    | 'database_read_only'
    | 'broker_away'
    | 'broker_blocked'
    | 'publish_refused'
    | 'topology_conflict'
    | 'no_relay'
    | 'outbox_stuck'
    | 'farm_paused'
    | 'database_restored';
  /** One sentence. */
  text: string;
  /** An instruction for the operator. */
  remedy: string;
  /** The only printer that it concerns; absent: all of them. */
  printerId?: string;
}
