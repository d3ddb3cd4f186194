/** Something that keeps work from going out to printers, whatever the plan says. */
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
  /** What to do about it. */
  remedy: string;
  /** The one printer that it concerns; absent: all of them. */
  printerId?: string;
}
