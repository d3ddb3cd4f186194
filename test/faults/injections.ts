import { Random } from './random';

interface FaultKind {
  /** Its relative frequency. */
  weight: number;
  /** Only with an external broker and database. */
  servers?: true;
}

/** Every fault that the campaign injects. A seed draws in this order. */
const faultKinds = {
  kill_node_red: { weight: 4 },
  kill_at_moment: { weight: 8 },
  freeze: { weight: 3 },
  freeze_at_moment: { weight: 4 },
  clock_jump: { weight: 3 },
  broker_restart: { weight: 0.5, servers: true },
  broker_kill: { weight: 0.5, servers: true },
  broker_cut: { weight: 4, servers: true },
  broker_silence: { weight: 3, servers: true },
  database_restart: { weight: 0.5, servers: true },
  database_kill: { weight: 1 },
  database_cut: { weight: 4, servers: true },
  database_silence: { weight: 3, servers: true },
  database_session_killed: { weight: 4 },
  disk_full: { weight: 1 },
  dispatch_twice: { weight: 12 },
  two_ticks: { weight: 6 },
  start_reply_lost: { weight: 7 },
  start_ignored: { weight: 2 },
  slow_start: { weight: 4 },
  upload_breaks: { weight: 6 },
  storage_missing: { weight: 2 },
  printer_offline: { weight: 5 },
  printer_power_cycle: { weight: 3 },
  print_fails: { weight: 4 },
  screen_cancel: { weight: 2 },
  foreign_print: { weight: 5 },
  cancel_job: { weight: 8 },
  reassign_job: { weight: 5 },
  change_priority: { weight: 6 },
  hold_and_release: { weight: 4 },
  wrong_machine_file: { weight: 2 },
  damaged_file: { weight: 2 },
  wrong_type_file: { weight: 2 },
  foreign_again_unseen: { weight: 4 },
  foreign_in_outage: { weight: 1.5, servers: true },
  screen_pause: { weight: 3 },
  lasting_storage_missing: { weight: 0.5 },
  lease_ahead: { weight: 2 },
  row_locked: { weight: 3 },
  read_only_database: { weight: 0.7 },
  poison_message: { weight: 3, servers: true },
  long_freeze: { weight: 0.4 },
  pairing_refused: { weight: 0.3 },
  addresses_swapped: { weight: 2 },
  printer_slow: { weight: 3 },
  printer_half_open: { weight: 3 },
  printer_clock_jump: { weight: 2 },
  answers_late: { weight: 2 },
  answers_repeated: { weight: 2 },
  answers_shuffled: { weight: 2 },
  database_slow: { weight: 2, servers: true },
  database_half_open: { weight: 2, servers: true },
  broker_slow: { weight: 2, servers: true },
  broker_half_open: { weight: 2, servers: true },
  database_clock_jump: { weight: 2, servers: true },
  queue_deleted: { weight: 1.5, servers: true },
  queue_purged: { weight: 2, servers: true },
  connections_closed: { weight: 0.5, servers: true },
  deploy: { weight: 1.5 },
  printer_disabled: { weight: 2 },
  configuration_changed: { weight: 1.5 },
  backup_restored: { weight: 0.3 },
  database_exhausted: { weight: 1 },
} as const satisfies Record<string, FaultKind>;
export type Kind = keyof typeof faultKinds;
export const kinds = Object.keys(faultKinds) as Kind[];

/** The parts that the system under test has. */
export type Pair = 'rabbitmq' | 'embedded';

/** The moments of an attempt, as the system names them on its diagnostics channel. */
const moments = [
  ...['assign', 'publish', 'claim', 'preparing', 'uploading', 'upload', 'starting', 'start', 'undo', 'printing'],
  ...['outcome_unknown', 'ended'],
].flatMap((name) => [`${name}:before`, `${name}:after`]);
const allMoments = [...moments, 'start:written'];

/** One injection. Its target is drawn with it; for lists that differ from run to run, by a number from 0 to 1. */
export interface Injection {
  number: number;
  /** The delay after the previous one (ms). */
  pause: number;
  kind: Kind;
  /** Picks a process, a printer or a job. */
  target: number;
  moment: string;
  /** Its duration (ms), and a number for any other use. */
  duration: number;
  amount: number;
}

/** The endless sequence of injections of a seed. The same seed gives the same sequence. */
export function* injections(
  seed: number,
  pair: Pair,
  options: { only?: Kind[]; meanPause: number },
): Generator<Injection> {
  const random = new Random(seed);
  const possible: Partial<Record<Kind, number>> = {};
  for (const kind of options.only ?? kinds) {
    const { weight, servers }: FaultKind = faultKinds[kind];
    if (pair === 'embedded' && servers) continue;
    possible[kind] = weight;
  }
  for (let number = 1; ; number++) {
    yield {
      number,
      pause: -Math.log(1 - random.next()) * options.meanPause,
      kind: random.weighted(possible),
      target: random.next(),
      moment: allMoments[random.whole(0, allMoments.length - 1)] ?? 'claim:after',
      duration: random.next(),
      amount: random.next(),
    };
  }
}
