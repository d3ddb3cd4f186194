import { Random } from './random';

/** Everything that the campaign does to the system, with how often; 0 where a pair has no such part. */
export const kinds = [
  'kill_node_red',
  'kill_at_moment',
  'freeze',
  'freeze_at_moment',
  'clock_jump',
  'broker_restart',
  'broker_kill',
  'broker_cut',
  'broker_silence',
  'database_restart',
  'database_kill',
  'database_cut',
  'database_silence',
  'database_session_killed',
  'disk_full',
  'dispatch_twice',
  'two_ticks',
  'start_reply_lost',
  'start_ignored',
  'slow_start',
  'upload_breaks',
  'storage_missing',
  'printer_offline',
  'printer_power_cycle',
  'print_fails',
  'screen_cancel',
  'foreign_print',
  'cancel_job',
  'reassign_job',
  'change_priority',
  'hold_and_release',
  'wrong_machine_file',
  'damaged_file',
  'wrong_type_file',
  'foreign_again_unseen',
  'screen_pause',
  'lasting_storage_missing',
  'lease_ahead',
  'row_locked',
  'read_only_database',
  'poison_message',
  'long_freeze',
  'pairing_refused',
  'addresses_swapped',
  'printer_slow',
  'printer_half_open',
  'printer_clock_jump',
  'answers_late',
  'answers_repeated',
  'answers_shuffled',
  'database_slow',
  'database_half_open',
  'broker_slow',
  'broker_half_open',
  'database_clock_jump',
  'queue_deleted',
  'queue_purged',
  'connections_closed',
  'deploy',
  'printer_disabled',
  'configuration_changed',
  'backup_restored',
  'database_exhausted',
] as const;
export type Kind = (typeof kinds)[number];

/** Which parts the system under test has. */
export type Pair = 'rabbitmq' | 'embedded';

const weights: Record<Kind, number> = {
  kill_node_red: 4,
  kill_at_moment: 8,
  freeze: 3,
  freeze_at_moment: 4,
  clock_jump: 3,
  broker_restart: 0.5,
  broker_kill: 0.5,
  broker_cut: 4,
  broker_silence: 3,
  database_restart: 0.5,
  database_kill: 1,
  database_cut: 4,
  database_silence: 3,
  database_session_killed: 4,
  disk_full: 1,
  dispatch_twice: 12,
  two_ticks: 6,
  start_reply_lost: 7,
  start_ignored: 2,
  slow_start: 4,
  upload_breaks: 6,
  storage_missing: 2,
  printer_offline: 5,
  printer_power_cycle: 3,
  print_fails: 4,
  screen_cancel: 2,
  foreign_print: 5,
  cancel_job: 8,
  reassign_job: 5,
  change_priority: 6,
  hold_and_release: 4,
  wrong_machine_file: 2,
  damaged_file: 2,
  wrong_type_file: 2,
  foreign_again_unseen: 4,
  screen_pause: 3,
  lasting_storage_missing: 0.5,
  lease_ahead: 2,
  row_locked: 3,
  read_only_database: 0.7,
  poison_message: 3,
  long_freeze: 0.4,
  pairing_refused: 0.3,
  addresses_swapped: 2,
  printer_slow: 3,
  printer_half_open: 3,
  printer_clock_jump: 2,
  answers_late: 2,
  answers_repeated: 2,
  answers_shuffled: 2,
  database_slow: 2,
  database_half_open: 2,
  broker_slow: 2,
  broker_half_open: 2,
  database_clock_jump: 2,
  queue_deleted: 1.5,
  queue_purged: 2,
  connections_closed: 0.5,
  deploy: 1.5,
  printer_disabled: 2,
  configuration_changed: 1.5,
  backup_restored: 0.3,
  database_exhausted: 1,
};
const onlyWithServers: readonly Kind[] = [
  'broker_restart',
  'broker_kill',
  'broker_cut',
  'broker_silence',
  'database_restart',
  'database_cut',
  'database_silence',
  'poison_message',
  'database_slow',
  'database_half_open',
  'broker_slow',
  'broker_half_open',
  'database_clock_jump',
  'queue_deleted',
  'queue_purged',
  'connections_closed',
];

/** The moments of an attempt, as the system names them on its diagnostics channel. */
const moments = [
  ...['assign', 'publish', 'claim', 'preparing', 'uploading', 'upload', 'starting', 'start', 'undo', 'printing'],
  ...['outcome_unknown', 'ended'],
].flatMap((name) => [`${name}:before`, `${name}:after`]);
const allMoments = [...moments, 'start:written'];

/** One injection. What it hits is drawn with it; of lists that differ from run to run, by a number from 0 to 1. */
export interface Injection {
  number: number;
  /** After the one before (ms). */
  pause: number;
  kind: Kind;
  /** Picks a process, a printer or a job. */
  target: number;
  moment: string;
  /** How long it lasts (ms), and a number for anything else. */
  duration: number;
  amount: number;
}

/** The injections that a seed stands for, without end. The same seed gives the same ones. */
export function* injections(
  seed: number,
  pair: Pair,
  options: { only?: Kind[]; meanPause: number },
): Generator<Injection> {
  const random = new Random(seed);
  const possible: Partial<Record<Kind, number>> = {};
  for (const kind of options.only ?? kinds) {
    if (pair === 'embedded' && onlyWithServers.includes(kind)) continue;
    possible[kind] = weights[kind];
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
