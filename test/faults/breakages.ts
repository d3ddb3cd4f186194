import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { promises } from './checker';
import type { Kind, Pair } from './injections';

/** The counters of a campaign that report a finding. */
export type Finding = (typeof promises)[number];

/** A deliberate fault in the system under test. */
export interface Breakage {
  name: string;
  /** Texts of the compiled package to replace: file, original text, new text. */
  edits: [file: string, before: string, after: string][];
  pair: Pair;
  /** The faults that reveal it quickly. */
  only: Kind[];
  /** The counters that must catch it; one of them is enough. */
  seen: Finding[];
}

const run = 'dist/lib/services/agents/attempt-run.js';
const startCheck = 'dist/lib/services/agents/start-check.js';
const attempts = 'dist/lib/store/attempts.js';
const jobs = 'dist/lib/store/jobs.js';
const sliced = 'dist/lib/fit/sliced.js';

export const breakages: Breakage[] = [
  {
    name: 'start again after a crash, as if nothing had been sent',
    edits: [
      [run, `this.#attempt.phase === 'starting' ||`, ''],
      [
        run,
        `this.#advanceIn(tx, ['uploading'], 'starting')`,
        `this.#advanceIn(tx, ['uploading', 'starting'], 'starting')`,
      ],
      [run, `if (printer.bedState !== 'clear')`, 'if (false)'],
      [
        run,
        `this.#advance(['preparing', 'uploading'], 'uploading')`,
        `this.#advance(['preparing', 'uploading', 'starting'], 'uploading')`,
      ],
      [startCheck, 'if ((0, driver_1.isSameJob)(sight.identity, report.job))', 'if (false)'],
    ],
    pair: 'embedded',
    only: ['kill_at_moment', 'start_ignored', 'printer_power_cycle'],
    seen: ['double_starts'],
  },
  {
    name: 'treat a lost reply to the start as a refusal',
    edits: [[run, 'if (!sent || error instanceof driver_1.StartRejectedError)', 'if (true)']],
    pair: 'embedded',
    only: ['start_reply_lost'],
    seen: ['double_starts', 'occupied_bed_starts'],
  },
  {
    name: 'skip the bed gate',
    edits: [
      ['dist/lib/fit/judge.js', `if (printer.bed === 'occupied')`, 'if (false)'],
      [run, `if (printer.bedState !== 'clear')`, 'if (false)'],
    ],
    pair: 'embedded',
    only: ['change_priority'],
    seen: ['occupied_bed_starts'],
  },
  {
    name: 'ignore prints of other clients',
    edits: [
      [
        'dist/lib/services/agents/printer-watch.js',
        'async #judgeBed(tx, report, { ours, afterGap, missedActive }) {',
        'async #judgeBed(tx, report, { ours, afterGap, missedActive }) {\n        return;',
      ],
    ],
    pair: 'embedded',
    only: ['foreign_print'],
    seen: ['occupied_bed_starts'],
  },
  {
    name: 'treat a print without a trace as completed',
    edits: [
      [
        run,
        'await this.#ask(`the printer shows no trace',
        `return await this.#end('completed', \`the printer shows no trace`,
      ],
    ],
    pair: 'embedded',
    only: ['start_ignored'],
    seen: ['lost_jobs'],
  },
  {
    name: 'mark a message as sent before it is published, and republish nothing',
    edits: [
      [
        'dist/lib/services/relay.js',
        `this.#farm.passing('publish:before', row.attemptId);`,
        `{\n await (0, outbox_1.markSent)(this.#farm.database, [row.id]);\n this.#farm.passing('publish:before', row.attemptId);\n await new Promise((resolve) => setTimeout(resolve, 3000));\n }`,
      ],
      [
        'dist/lib/store/outbox.js',
        'UPDATE outbox o SET sent_at = NULL FROM',
        'UPDATE outbox o SET sent_at = sent_at FROM',
      ],
    ],
    pair: 'rabbitmq',
    only: ['kill_node_red', 'kill_at_moment', 'broker_cut'],
    seen: ['wedged_jobs'],
  },
  {
    name: 'acknowledge before the claim, and republish nothing',
    edits: [
      [
        'dist/lib/services/agents/printer-agent.js',
        'await this.#claim(message.job_id, message.attempt.attempt_id);',
        'setTimeout(() => void this.#claim(message.job_id, message.attempt.attempt_id).catch(() => undefined), 3000);',
      ],
      [
        'dist/lib/store/outbox.js',
        'UPDATE outbox o SET sent_at = NULL FROM',
        'UPDATE outbox o SET sent_at = sent_at FROM',
      ],
    ],
    pair: 'rabbitmq',
    only: ['kill_node_red', 'database_cut'],
    seen: ['wedged_jobs'],
  },
  {
    name: 'answer cancelled before the printer has stopped',
    edits: [
      ['dist/lib/jobs/cancel.js', 'if (started > 0)\n                return true;', ''],
      [
        'dist/lib/jobs/cancel.js',
        '(0, attempts_1.requestCancelOfAttempts)(tx, job.id)',
        '(0, attempts_1.attemptsOf)(tx, job.id)',
      ],
    ],
    pair: 'embedded',
    only: ['cancel_job'],
    seen: ['cancelled_but_printed'],
  },
  {
    name: 'change a status without its history',
    edits: [
      [
        jobs,
        'clock_timestamp(), $5::text FROM j),\n  o AS',
        `clock_timestamp(), $5::text FROM j WHERE $3::text <> 'uploading'),\n  o AS`,
      ],
    ],
    pair: 'embedded',
    only: ['change_priority'],
    seen: ['history_gaps'],
  },
  {
    name: 'publish the newest change of status first',
    edits: [
      ['dist/lib/store/outbox.js', 'ORDER BY w.id LIMIT 1', 'ORDER BY w.id DESC LIMIT 1'],
      ['dist/lib/store/outbox.js', 'AND e.lane = o.lane AND e.id < o.id', 'AND e.lane = o.lane AND e.id > o.id'],
    ],
    pair: 'rabbitmq',
    only: ['broker_cut', 'broker_silence'],
    seen: ['history_gaps'],
  },
  {
    name: 'skip the fencing check',
    edits: [
      [
        attempts,
        'AND fence = $2 AND lease_owner = $3 AND lease_until >= now() AND phase = ANY ($4)',
        'AND $2::bigint IS NOT NULL AND $3::uuid IS NOT NULL AND phase = ANY ($4)',
      ],
      [
        attempts,
        "AND fence = $2 AND lease_owner = $3 AND lease_until >= now() AND phase <> 'ended' RETURNING",
        "AND $2::bigint IS NOT NULL AND $3::uuid IS NOT NULL AND phase <> 'ended' RETURNING",
      ],
    ],
    pair: 'embedded',
    only: ['freeze', 'freeze_at_moment'],
    seen: ['stale_writes'],
  },
  {
    name: 'claim an attempt that another agent still holds',
    edits: [
      [attempts, `AND \${(0, moments_1.leaseExpired)('a.lease_until', '$4')}`, 'AND true'],
      [attempts, `AND \${(0, moments_1.leaseExpired)('lease_until', '$2')}`, 'AND $2::float8 IS NOT NULL'],
    ],
    pair: 'rabbitmq',
    only: ['database_session_killed', 'database_cut'],
    seen: ['stale_writes'],
  },
  {
    name: 'deduct nothing from the spool for a failed print',
    edits: [
      ['dist/lib/jobs/record-outcome.js', 'for (const share of', `if (outcome === 'completed') for (const share of`],
    ],
    pair: 'embedded',
    only: ['print_fails', 'screen_cancel'],
    seen: ['material_errors'],
  },
  {
    name: 'always use tool 0',
    edits: [
      [
        'dist/lib/services/agents/prepared-print.js',
        'capabilities: withMountedNozzles(printer),\n        tool,',
        'capabilities: withMountedNozzles(printer),\n        tool: 0,',
      ],
    ],
    pair: 'embedded',
    only: ['change_priority'],
    seen: ['wrong_filament'],
  },
  {
    name: 'do not compare the type of the filament',
    edits: [[sliced, 'if (type !== null && !(0, material_1.isSameType)(type, material.type))', 'if (false)']],
    pair: 'embedded',
    only: ['wrong_type_file'],
    seen: ['wrong_file'],
  },
  {
    name: 'ignore the CRC',
    edits: [['dist/lib/files/archive.js', 'if (sum !== entry.crc32)', 'if (false)']],
    pair: 'embedded',
    only: ['damaged_file'],
    seen: ['wrong_file'],
  },
  {
    name: 'do not compare the machine',
    edits: [[sliced, 'if (madeForIt(facts, machine))\n        return [];', 'return [];']],
    pair: 'embedded',
    only: ['wrong_machine_file'],
    seen: ['wrong_file'],
  },
  {
    name: 'treat prints of the same name as the same print',
    edits: [
      [
        'dist/lib/beds/bed-judgement.js',
        'if (!afterGap)',
        `if (report.job?.name === known?.name) return null;\n    if (!afterGap)`,
      ],
    ],
    pair: 'embedded',
    only: ['foreign_again_unseen'],
    seen: ['occupied_bed_starts'],
  },
  {
    name: 'trust a lease that ends far in the future',
    edits: [['dist/lib/store/moments.js', 'const leaseSlackSeconds = 1;', 'const leaseSlackSeconds = 1e9;']],
    pair: 'embedded',
    only: ['lease_ahead'],
    seen: ['wedged_jobs'],
  },
  {
    name: 'offer no action for an unknown outcome',
    edits: [['dist/lib/views/actions.js', 'const printed = outcome(', 'return [];\n    const printed = outcome(']],
    pair: 'embedded',
    only: ['start_ignored'],
    seen: ['without_way_out'],
  },
  {
    name: 'leave an unreadable message in the queue',
    edits: [['dist/lib/services/agents/printer-agent.js', `return 'reject';`, 'return new Promise(() => undefined);']],
    pair: 'rabbitmq',
    only: ['poison_message'],
    seen: ['wedged_jobs', 'lost_jobs'],
  },
  {
    name: 'wait an hour after a printer has refused once',
    edits: [
      ['dist/lib/makes/base-driver.js', 'firstPauseAfterRefusalMs: 30_000', 'firstPauseAfterRefusalMs: 3_600_000'],
      ['dist/lib/makes/base-driver.js', 'longestPauseAfterRefusalMs: 300_000', 'longestPauseAfterRefusalMs: 3_600_000'],
    ],
    pair: 'embedded',
    only: ['pairing_refused'],
    seen: ['stranded_printers'],
  },
  {
    name: 'accept any machine at the address as the printer',
    edits: [['dist/lib/beds/admit-machine.js', `if (relation === 'different' || (`, 'if (false && (']],
    pair: 'embedded',
    only: ['addresses_swapped'],
    seen: ['wrong_machine_starts', 'occupied_bed_starts'],
  },
  {
    name: 'publish a dispatch only once',
    edits: [
      [
        'dist/lib/store/outbox.js',
        'UPDATE outbox o SET sent_at = NULL FROM',
        'UPDATE outbox o SET sent_at = sent_at FROM',
      ],
    ],
    pair: 'rabbitmq',
    only: ['queue_purged', 'queue_deleted'],
    seen: ['wedged_jobs'],
  },
  {
    name: 'wait for times that were written while the clock was ahead',
    edits: [['dist/lib/store/moments.js', 'const slackSeconds = 10;', 'const slackSeconds = 1e9;']],
    pair: 'rabbitmq',
    only: ['database_clock_jump', 'upload_breaks', 'queue_purged'],
    seen: ['wedged_jobs'],
  },
  {
    name: 'withdraw a job from a printer that is printing it',
    edits: [
      ['dist/lib/jobs/reassign.js', 'const started = elsewhere.filter(', 'const started = [].filter('],
      [
        'dist/lib/jobs/reassign.js',
        'of elsewhere.filter(({ phase }) => !(0, attempt_1.mayHaveStarted)(phase))',
        'of elsewhere',
      ],
      [
        attempts,
        "AND phase IN ('dispatched', 'claimed', 'preparing', 'uploading') RETURNING",
        "AND phase <> 'ended' RETURNING",
      ],
    ],
    pair: 'embedded',
    only: ['reassign_job'],
    seen: ['double_starts', 'occupied_bed_starts', 'stale_writes'],
  },
  {
    name: 'renew an expired lease',
    edits: [
      [
        attempts,
        "AND lease_until >= now() AND phase <> 'ended'`, [claim.attemptId, claim.fence, claim.owner, leaseSeconds]",
        "AND phase <> 'ended'`, [claim.attemptId, claim.fence, claim.owner, leaseSeconds]",
      ],
    ],
    pair: 'embedded',
    only: ['freeze', 'freeze_at_moment'],
    seen: ['stale_writes'],
  },
  {
    name: 'complete a cancelled job regardless of its printed copies',
    edits: [['dist/lib/jobs/settlement.js', `copiesDone === job.copies ? 'completed' : 'cancelled'`, `'completed'`]],
    pair: 'embedded',
    only: ['cancel_job'],
    seen: ['lost_jobs'],
  },
];

/** Breaks a copy of the package. @throws Error the code has changed; update the breakage */
export function breakPackage(root: string, { name, edits }: Breakage): void {
  for (const [file, before, after] of edits) {
    const path = join(root, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(before)) throw new Error(`Breakage "${name}": ${file} does not contain ${before}`);
    writeFileSync(path, text.replace(before, after));
  }
}
